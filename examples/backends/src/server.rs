//! Connections: accepting them, reading a request whole, disturbing it where a fault says so, and tearing them down.
//!
//! An accept loop of our own, since warp's server can neither be told to reset a connection nor be bounded. HTTP/1.1
//! only: that is what the played products' clients use without TLS.
//!
//! A request is worked off on a task of its own: a client that gives up does not undo what it asked for, exactly as with
//! the real products. A reset is a real one (RST), made by closing the socket with no linger time.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use warp::Filter;
use warp::reply::{Reply, Response};

use crate::faults::{Break, Plan};
use crate::{Backends, System, routes};

const MAX_CONNECTIONS: usize = 4096;
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait before accepting again where the process has run out of something, for example of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done. Connections that are open then are dropped: nothing here is worth draining.
pub async fn serve(listener: TcpListener, backends: Arc<Backends>, stop: impl Future<Output = ()>) {
    let router = routes::all(&backends).boxed();
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => return,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &permits) => accepted,
        };
        let Some((stream, permit)) = accepted else {
            continue;
        };
        let handler = Handler { backends: Arc::clone(&backends), router: router.clone() };
        connections.spawn(async move {
            connection(stream, handler).await;
            drop(permit);
        });
    }
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(_) => {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Serves one connection until it ends or a fault asks for its reset.
async fn connection(stream: TcpStream, handler: Handler) {
    // Small answers must not wait for the client's acknowledgement of the headers; a socket that refuses still works.
    let _ = stream.set_nodelay(true);
    let abort = Arc::new(Notify::new());
    let service = service_fn({
        let abort = Arc::clone(&abort);
        move |request| handler.clone().respond(request, Arc::clone(&abort))
    });
    let mut served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let aborted = tokio::select! {
        biased;
        () = abort.notified() => true,
        _ = &mut served => false,
    };
    if aborted {
        let stream = served.into_parts().io.into_inner();
        // Where it can't be set the connection just closes, which the client sees as a broken answer too.
        let _ = stream.set_zero_linger();
    }
}

type Router = warp::filters::BoxedFilter<(Response,)>;

#[derive(Clone)]
struct Handler {
    backends: Arc<Backends>,
    router: Router,
}

/// How a request ends.
enum Outcome {
    Answered(Response),
    Reset,
}

impl Handler {
    async fn respond(self, request: Request<Incoming>, abort: Arc<Notify>) -> Result<Response, Infallible> {
        match tokio::spawn(self.work_off(request)).await {
            Ok(Outcome::Answered(response)) => Ok(response),
            Ok(Outcome::Reset) => {
                abort.notify_one();
                pending().await
            }
            // A panic in a system is a bug here: the client must not wait for it.
            Err(_) => Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        }
    }

    async fn work_off(self, request: Request<Incoming>) -> Outcome {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
            return Outcome::Answered(StatusCode::PAYLOAD_TOO_LARGE.into_response());
        };
        let plan = match System::of_path(parts.uri.path()) {
            Some(system) => self.backends.faults.plan(system, &parts.method, &parts.uri),
            None => Plan::default(),
        };
        pause(plan.before_ms).await;
        match plan.instead {
            Some(instead) => broken(&instead),
            None => {
                let request = Request::from_parts(parts, Full::<Bytes>::new(body.to_bytes()));
                let router = TowerToHyperService::new(warp::service(self.router));
                let Ok(response) = router.call(request).await;
                pause(plan.after_ms).await;
                plan.afterwards.map_or(Outcome::Answered(response), |afterwards| broken(&afterwards))
            }
        }
    }
}

async fn pause(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

fn broken(how: &Break) -> Outcome {
    match how {
        Break::Reset => Outcome::Reset,
        Break::Answer(answer) => Outcome::Answered(answer.response()),
    }
}
