//! Processes that are killed and come back in the same place: the outside systems and NATS.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rand::RngExt as _;

/// Below the ports that the kernel hands out by itself: nobody else gets it while its owner is away.
pub fn lasting_port() -> u16 {
    let mut chance = rand::rng();
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| chance.random_range(15_000..32_000)).find(free).unwrap()
}

/// The simulated outside systems as a process of their own, which keeps its state.
pub struct Systems {
    child: Option<Child>,
    folder: PathBuf,
    port: u16,
}

impl Systems {
    /// Starts them.
    pub fn start(folder: &Path) -> Self {
        let mut systems = Self { child: None, folder: folder.to_owned(), port: lasting_port() };
        systems.up();
        systems
    }

    /// `http://…`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts them where they were, with what they had.
    pub fn up(&mut self) {
        let program = Path::new(env!("CARGO_BIN_EXE_hub")).with_file_name("backends");
        assert!(program.exists(), "no {}: `cargo build --package backends` makes it", program.display());
        let listen = format!("127.0.0.1:{}", self.port);
        let mut command = Command::new(program);
        command.args(["--seed", "7", "--listen", &listen, "--data"]).arg(&self.folder).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.child = Some(child);
        assert!(line.starts_with("ready "), "the outside systems did not start: {line:?}");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Systems {
    fn drop(&mut self) {
        self.kill();
    }
}
