//! A NATS server with JetStream, as a child process.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server. Dropped, it is killed.
pub struct Nats {
    child: Child,
    /// `nats://…`
    pub url: String,
}

/// A port that was free a moment ago, for a server that is to come later.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Nats {
    /// Starts one on `port`, with its folders in `folder`, and waits until it takes connections.
    pub fn start(folder: &Path, port: u16) -> Self {
        let child = Command::new("nats-server")
            .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
            .arg(folder.join("nats"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server on the PATH: `make tools` gets it");
        let nats = Self { child, url: format!("nats://127.0.0.1:{port}") };
        let started = std::time::Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < super::PATIENCE, "nats-server does not listen");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        nats
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
