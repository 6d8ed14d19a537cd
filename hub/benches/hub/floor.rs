//! The floor: warp alone, behind the same kind of accept loop as the hub's. It reads no token, asks no policy, counts
//! and logs nothing.

use std::convert::Infallible;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tower::Service;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::{Filter, Reply, reply::Response};

/// Bodies that may wait for the writer.
const WAITING: usize = 1024;

/// Serves until it is killed.
pub fn serve(kind: &str, folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match kind {
        "outside" => runtime.block_on(outside()),
        "writes" => runtime.block_on(accept(writes(folder))),
        _ => runtime.block_on(accept(reads())),
    }
}

/// The simulated outside systems.
async fn outside() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("ready http://{}", listener.local_addr().unwrap());
    backends::serve(listener, Arc::new(backends::Backends::new(7)), std::future::pending()).await;
}

async fn accept(routes: BoxedFilter<(Response,)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("ready http://{}", listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let routes = routes.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let mut service = warp::service(routes.clone());
                async move { Ok::<_, Infallible>(service.call(request).await.unwrap()) }
            });
            let builder = Builder::new(TokioExecutor::new());
            // A connection that ends badly was ended by the driver.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// 1 KiB of JSON.
fn fixed() -> String {
    format!("{{\"name\":\"{}\"}}", "x".repeat(1024 - 11))
}

fn answer(status: StatusCode, body: &'static str) -> Response {
    warp::reply::with_status(warp::reply::with_header(body, "content-type", "application/json"), status).into_response()
}

fn reads() -> BoxedFilter<(Response,)> {
    let body: &'static str = fixed().leak();
    warp::path!("clients" / "profile" / String).and(warp::get()).map(move |_| answer(StatusCode::OK, body)).boxed()
}

fn writes(folder: &Path) -> BoxedFilter<(Response,)> {
    let body: &'static str = fixed().leak();
    let (sender, receiver) = mpsc::channel(WAITING);
    let file = File::create(folder.join("floor.jsonl")).unwrap();
    std::thread::spawn(move || write(file, receiver));
    let route = warp::path!("clients" / "profile").and(warp::post()).and(warp::body::bytes());
    let appended = route.then(move |sent: bytes::Bytes| {
        let sender = sender.clone();
        async move {
            serde_json::from_slice::<serde_json::Value>(&sent).unwrap();
            let (done, durable) = oneshot::channel();
            sender.send((sent, done)).await.unwrap();
            durable.await.unwrap();
            answer(StatusCode::CREATED, body)
        }
    });
    appended.boxed()
}

/// All that has come while the last group was made durable is the next group.
fn write(mut file: File, mut receiver: mpsc::Receiver<(bytes::Bytes, oneshot::Sender<()>)>) {
    let (mut group, mut waiting) = (Vec::new(), Vec::new());
    while let Some(first) = receiver.blocking_recv() {
        for (sent, done) in std::iter::once(first).chain(std::iter::from_fn(|| receiver.try_recv().ok())) {
            group.extend_from_slice(&sent);
            group.push(b'\n');
            waiting.push(done);
        }
        file.write_all(&group).unwrap();
        file.sync_data().unwrap();
        group.clear();
        waiting.drain(..).for_each(|done| done.send(()).unwrap_or_default());
    }
}
