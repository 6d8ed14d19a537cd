//! The accept loop: connections, their limits in number and time, and the way out.
//!
//! The listener and the signal to stop are handed in. When it comes, no connection is taken any more, requests that run
//! are finished, idle connections are closed, and after `Times::DRAIN` whatever is left is dropped.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval, interval_at, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connections::Connections;
use super::context::HttpContext;
use super::pipeline::Front;
use super::tls::Tls;

/// HTTP/2 streams of one connection at one time.
const MAX_STREAMS: u32 = 128;
/// Headers of one request, bytes.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Every time limit of a connection.
struct Times;

impl Times {
    /// To send the head of a request, or anything at all.
    const HEAD: Duration = Duration::from_secs(10);
    /// To agree on TLS.
    const HANDSHAKE: Duration = Duration::from_secs(5);
    /// Without a request, after which a connection is closed.
    const IDLE: Duration = Duration::from_secs(60);
    /// To finish what runs when the hub stops.
    const DRAIN: Duration = Duration::from_secs(30);
    /// After a failed accept: what is short (file descriptors) may come back.
    const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
    /// Between two sweeps of the rate limits.
    const SWEEP: Duration = Duration::from_secs(30);
}

/// Serves until `shutdown`, then drains.
pub async fn serve(listener: TcpListener, tls: Option<Tls>, hub: Arc<HttpContext>, shutdown: impl Future<Output = ()>) {
    let front = Arc::new(Front::new(hub));
    let (stop, connections) = (CancellationToken::new(), TaskTracker::new());
    let sweeping = sweep(front.clone());
    let renewing = async {
        match &tls {
            Some(tls) => tls.follow().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = shutdown => {}
        () = accept(&listener, tls.as_ref().map(Tls::acceptor), &front, &stop, &connections) => {}
        () = sweeping => {}
        () = renewing => {}
    }
    drop(listener);
    stop.cancel();
    connections.close();
    if timeout(Times::DRAIN, connections.wait()).await.is_err() {
        tracing::warn!(left = connections.len(), "connections dropped at the end of the drain");
    }
}

async fn sweep(front: Arc<Front>) {
    let mut rounds = interval(Times::SWEEP);
    loop {
        rounds.tick().await;
        front.hub().limits.sweep();
    }
}

/// Takes connections for ever.
async fn accept(
    listener: &TcpListener,
    tls: Option<TlsAcceptor>,
    front: &Arc<Front>,
    stop: &CancellationToken,
    connections: &TaskTracker,
) {
    let places = Connections::new(front.hub().connections);
    loop {
        let place = places.place().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(place) = place.taken_by(&front.hub().proxies, peer.ip()) else { continue };
                let (front, tls, stop) = (front.clone(), tls.clone(), stop.clone());
                connections.spawn(async move {
                    greet(stream, tls, front, peer, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken");
                sleep(Times::ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Agrees on TLS where it is configured.
async fn greet(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    front: Arc<Front>,
    peer: SocketAddr,
    stop: CancellationToken,
) {
    // Answers are small and written at once: waiting for more to send only adds latency.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return converse(stream, front, peer, stop).await };
    if let Ok(Ok(stream)) = timeout(Times::HANDSHAKE, tls.accept(stream)).await {
        converse(stream, front, peer, stop).await;
    }
}

/// Serves one connection to its end.
async fn converse<S>(stream: S, front: Arc<Front>, peer: SocketAddr, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::default());
    let seen = activity.clone();
    let service = service_fn(move |request| {
        let (front, busy) = (front.clone(), Busy::begin(&seen));
        async move {
            let response = front.answer(request, peer.ip()).await;
            drop(busy);
            Ok::<_, Infallible>(response)
        }
    });
    let builder = builder();
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut check = interval_at(Instant::now() + Times::HEAD, Times::IDLE);
    let (mut stopping, mut begun) = (false, 0);
    loop {
        tokio::select! {
            // A connection that ends badly was ended by its caller: nobody is left to be told.
            _ = connection.as_mut() => return,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = check.tick() => {
                if activity.is_idle_since(&mut begun) {
                    return;
                }
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Times::HEAD).max_buf_size(MAX_HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(Times::IDLE)
        .keep_alive_timeout(Times::HEAD);
    builder
}

/// What a connection is used for: requests that were begun, and those that are not answered yet.
#[derive(Default)]
struct Activity {
    begun: AtomicUsize,
    running: AtomicUsize,
}

impl Activity {
    /// Whether nothing runs and nothing was begun since the last look.
    fn is_idle_since(&self, begun: &mut usize) -> bool {
        let now = self.begun.load(Ordering::Acquire);
        let idle = now == *begun && self.running.load(Ordering::Acquire) == 0;
        *begun = now;
        idle
    }
}

/// A request that runs, also when it is dropped half way.
struct Busy(Arc<Activity>);

impl Busy {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.running.fetch_add(1, Ordering::AcqRel);
        activity.begun.fetch_add(1, Ordering::AcqRel);
        Self(activity.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_idle_when_nothing_runs_and_nothing_was_begun() {
        let activity = Arc::new(Activity::default());
        let mut begun = 0;
        let busy = Busy::begin(&activity);
        assert!(!activity.is_idle_since(&mut begun));
        assert!(!activity.is_idle_since(&mut begun), "it still runs");
        drop(busy);
        assert!(activity.is_idle_since(&mut begun));
        drop(Busy::begin(&activity));
        assert!(!activity.is_idle_since(&mut begun), "it was used in between");
        assert!(activity.is_idle_since(&mut begun));
    }
}
