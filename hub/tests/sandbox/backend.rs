//! A bare HTTP/1.1 server on loopback that answers by path, and keeps what it was sent.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What was sent, heads and bodies.
type Seen = Arc<Mutex<Vec<String>>>;

pub struct Backend {
    pub url: String,
    seen: Seen,
    task: tokio::task::JoinHandle<()>,
}

impl Backend {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Seen::default();
        let keep = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&keep)));
            }
        });
        Self { url, seen, task }
    }

    /// A URL below this one.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, seen: Seen) -> Option<()> {
    let request = read(&mut stream).await?;
    seen.lock().push(request.clone());
    let path = request.split(' ').nth(1)?.to_owned();
    let answer = match path.as_str() {
        path if path.starts_with("/echo") => ok(&request),
        path if path.starts_with("/redirect") => {
            "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
        }
        path if path.starts_with("/away") => {
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                .to_owned()
        }
        path if path.starts_with("/many-headers") => with("x-a: 1\r\n".repeat(20_000)),
        path if path.starts_with("/long-header") => with(format!("x-a: {}\r\n", "1".repeat(80_000))),
        path if path.starts_with("/gzip") => with("content-encoding: gzip\r\n".to_owned()),
        // It does not say how long it is.
        path if path.starts_with("/endless") => {
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(9 << 20))
        }
        path if path.starts_with("/huge") => ok(&"x".repeat(9 << 20)),
        path if path.starts_with("/reset") => return None,
        path if path.starts_with("/silent") || path.ends_with("/sleep") => std::future::pending().await,
        path if path.starts_with("/token") => {
            ok(r#"{"access_token":"fetched-token-1","token_type":"bearer","expires_in":3600}"#)
        }
        path if path.starts_with("/lasting-token") => {
            ok(r#"{"access_token":"fetched-token-2","token_type":"bearer","expires_in":18446744073709551615}"#)
        }
        path if path.starts_with("/no-token") => {
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
        }
        _ => ok("here"),
    };
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// An answer with more headers.
fn with(headers: String) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
                .and_then(|length| length.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        match stream.read(&mut chunk).await.ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}
