//! The servers that are measured: a real `hub serve`, and this program again as its floor. Each is a process of its
//! own that says `ready http://…`, and whose log goes where a log that nobody reads goes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server. It ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to its `ready`.
    pub started_in: Duration,
}

impl Server {
    /// The hub on this data, with limits that nobody reaches, and without adapters unless a configuration has some.
    pub fn hub(store: &Path, config: Option<&Path>) -> Self {
        let mut hub = Command::new(env!("CARGO_BIN_EXE_hub"));
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
        let endless = "{ per_second = 4000000000, burst = 4000000000 }";
        hub.arg("serve").current_dir(store);
        if let Some(config) = config {
            hub.arg("--config").arg(config);
        }
        hub.env("HUB_HTTP__LISTEN", "127.0.0.1:0").env("HUB_STORE__PATH", store).env("HUB_POLICIES__PATH", policies);
        hub.env("HUB_LIMITS__MEMBER", endless).env("HUB_LIMITS__ADDRESS", endless);
        hub.env_remove("HUB_LOG").env_remove("RUST_LOG");
        Self::start(hub)
    }

    /// The floor: `reads`, or `writes` into this folder. Or, beside the hub, the `outside` systems.
    pub fn floor(kind: &str, folder: &Path) -> Self {
        let mut floor = Command::new(std::env::current_exe().unwrap());
        floor.arg("floor").arg(kind).arg(folder);
        Self::start(floor)
    }

    fn start(mut command: Command) -> Self {
        let began = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started_in = began.elapsed();
        let address = line.trim().strip_prefix("ready http://").and_then(|address| address.parse().ok());
        let Some(address) = address else {
            child.wait().unwrap();
            panic!("{command:?} did not start");
        };
        Self { child, address, started_in }
    }

    /// Resident memory, MiB.
    pub fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Lets it finish, as an operator would.
    pub fn stop(mut self) {
        let told = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success() && self.child.wait().unwrap().success(), "the server did not stop well");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it was stopped there is nothing to kill any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
