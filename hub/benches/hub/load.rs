//! The load driver: so many connections that are kept alive, each with one request under way at a time. It runs on two
//! threads of the bench's own process, and is the same for the hub and for its floor.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// Connections, and so requests under way at one time.
pub const CONNECTIONS: usize = 64;
/// Before a round counts.
const WARM_UP: Duration = Duration::from_millis(300);
/// How long a round counts.
const ROUND: Duration = Duration::from_millis(1500);
/// Between two rounds: what one server does behind its answers must not slow the other.
const REST: Duration = Duration::from_millis(700);

/// Makes the requests of a connection, by its number.
pub type Requests = Arc<dyn Fn(usize) -> Request<Full<Bytes>> + Send + Sync>;

/// The driver's threads.
pub struct Load(Runtime);

impl Load {
    pub fn new() -> Self {
        Self(Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
    }

    /// One round against each server in turn, so often: requests answered per second, of both.
    pub fn in_turns(
        &self,
        servers: [SocketAddr; 2],
        rounds: usize,
        ask: &Requests,
        wanted: StatusCode,
    ) -> Vec<(f64, f64)> {
        let round = |server| {
            std::thread::sleep(REST);
            self.round(server, ask, wanted)
        };
        (0..rounds).map(|_| (round(servers[0]), round(servers[1]))).collect()
    }

    /// Requests answered per second.
    pub fn round(&self, server: SocketAddr, ask: &Requests, wanted: StatusCode) -> f64 {
        let (counting, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        self.0.block_on(async {
            let connections: Vec<_> = (0..CONNECTIONS)
                .map(|number| {
                    let (ask, counting, stop) = (ask.clone(), counting.clone(), stop.clone());
                    tokio::spawn(async move {
                        let mut connection = connect(server).await;
                        let mut answered = 0_u64;
                        while !stop.load(Ordering::Relaxed) {
                            let status = exchange(&mut connection, ask(number)).await;
                            assert_eq!(status, wanted, "an answer of another kind was measured");
                            answered += u64::from(counting.load(Ordering::Relaxed));
                        }
                        answered
                    })
                })
                .collect();
            tokio::time::sleep(WARM_UP).await;
            counting.store(true, Ordering::Relaxed);
            let began = Instant::now();
            tokio::time::sleep(ROUND).await;
            counting.store(false, Ordering::Relaxed);
            let took = began.elapsed();
            stop.store(true, Ordering::Relaxed);
            let mut answered = 0;
            for connection in connections {
                answered += connection.await.unwrap();
            }
            answered as f64 / took.as_secs_f64()
        })
    }

    /// The body of one answer.
    pub fn one(&self, server: SocketAddr, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
        self.0.block_on(async {
            let response = connect(server).await.send_request(request).await.unwrap();
            (response.status(), response.into_body().collect().await.unwrap().to_bytes())
        })
    }
}

async fn connect(server: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn exchange(connection: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> StatusCode {
    connection.ready().await.unwrap();
    let response = connection.send_request(request).await.unwrap();
    let status = response.status();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame.unwrap();
    }
    status
}
