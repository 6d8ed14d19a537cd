//! The accept loop over real sockets: what a caller can do to a connection, and how the hub stops.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::support::House;
use crate::http::serve;

struct Server {
    house: House,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

async fn start() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let house = House::open().await;
    let running = tokio::spawn(serve(listener, None, house.hub.clone(), async {
        let _ = stopped.await;
    }));
    Server { house, address, stop, running }
}

async fn talk(server: &Server, text: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    // The hub may answer and close before all was sent: what counts is that the answer arrives.
    let (_, _) = tokio::join!(writer.write_all(text), reader.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_body_of_two_mebibytes_is_answered_before_the_connection_closes() {
    let server = start().await;
    let size = 2 << 20;
    let token = server.house.token("m", &["RP001"]);
    let head = format!(
        "POST /clients/profile HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    );
    let answer = talk(&server, &[head.as_bytes(), &vec![b' '; size]].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body-too-large"), "{answer}");
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_lose_the_answer() {
    let server = start().await;
    let size = 2 << 20;
    let head =
        format!("POST /clients/profile HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n");
    let answer = talk(&server, &[head.as_bytes(), &vec![b' '; size]].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn who_waits_for_100_continue_is_refused_at_once() {
    let server = start().await;
    let text = b"POST /clients/profile HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n";
    let answer = talk(&server, text).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn two_requests_share_a_connection() {
    let server = start().await;
    let text = b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\nGET /health/ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let answer = talk(&server, text).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_stop() {
    let server = start().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    idle.read_exact(&mut first).await.unwrap();
    let silent = TcpStream::connect(server.address).await.unwrap();
    let began = Instant::now();
    server.stop.send(()).unwrap();
    server.running.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(TcpStream::connect(server.address).await.is_err());
    drop(silent);
}

#[tokio::test]
async fn half_a_head_is_not_waited_for() {
    let server = start().await;
    let mut streams = Vec::new();
    for text in [&b""[..], b"GET / HT", b"PRI * HTTP/2"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(text).await.unwrap();
        streams.push(stream);
    }
    // Only now: what is behind the front has clocks of its own.
    tokio::time::pause();
    for mut stream in streams {
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(120), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_dribbles_is_not_waited_for() {
    let server = start().await;
    let token = server.house.token("m", &["RP001"]);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /clients/profile HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Only now: what is behind the front has clocks of its own.
    tokio::time::pause();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(120), stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(ended.is_ok() && answer.starts_with("HTTP/1.1 400 ") && answer.contains("in time"), "{answer}");
}

#[tokio::test]
async fn an_address_gets_no_more_connections_than_its_share() {
    let house = House::with_connections(3).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let running = tokio::spawn(serve(listener, None, house.hub.clone(), std::future::pending()));
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        let mut first = [0; 15];
        stream.read_exact(&mut first).await.unwrap();
        open.push(stream);
    }
    let mut fourth = TcpStream::connect(address).await.unwrap();
    let mut nothing = Vec::new();
    let read = fourth.read_to_end(&mut nothing).await;
    assert!(read.is_err() || nothing.is_empty(), "{nothing:?}");
    running.abort();
}
