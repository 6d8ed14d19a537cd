//! The demo's children: simulated outside systems and a NATS server, which end with the hub, even when it is killed.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// How long a child may take to say where it listens.
const START: Duration = Duration::from_secs(15);
/// How often a child's file is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// A child and where it listens.
pub struct Started {
    /// Ends the process when it is dropped.
    _child: Child,
    /// `http://…` or `nats://…`.
    pub url: String,
}

/// Starts the simulated outside systems, which stand beside the hub's own program.
///
/// # Errors
/// The program is not there, or does not come up.
pub async fn backends() -> io::Result<Started> {
    let program = std::env::current_exe()?.with_file_name("backends");
    let mut command = Command::new(&program);
    command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
    let mut child = spawn(command).map_err(|error| named(&program, &error))?;
    let stdout = child.stdout.take().ok_or_else(|| io::Error::other("the backends have no stdout"))?;
    let mut lines = BufReader::new(stdout).lines();
    let line = timeout(START, lines.next_line()).await.map_err(|_| named(&program, &"it says nothing"))??;
    let url = line.as_deref().and_then(|line| line.strip_prefix("ready ")).map(str::to_owned);
    let url = url.ok_or_else(|| named(&program, &"it did not say where it listens"))?;
    Ok(Started { _child: child, url })
}

/// Starts a NATS server with JetStream in `folder`; none where the machine has no such program.
///
/// # Errors
/// It is there and does not come up.
pub async fn nats(folder: &Path) -> io::Result<Option<Started>> {
    let ports = folder.join("ports");
    std::fs::create_dir_all(&ports)?;
    let mut command = Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "-p", "-1", "-js", "-sd"]).arg(folder).arg("--ports_file_dir").arg(&ports);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = match spawn(command) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let file = ports.join(format!("nats-server_{}.ports", child.id().unwrap_or_default()));
    let url =
        timeout(START, listening(&file)).await.map_err(|_| io::Error::other("nats-server does not come up"))??;
    Ok(Some(Started { _child: child, url }))
}

/// Waits for the file in which a NATS server says its ports.
async fn listening(file: &PathBuf) -> io::Result<String> {
    loop {
        let text = tokio::fs::read(file).await.unwrap_or_default();
        let ports: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        if let Some(url) = ports.pointer("/nats/0").and_then(serde_json::Value::as_str) {
            return Ok(url.to_owned());
        }
        sleep(LOOK).await;
    }
}

fn named(program: &Path, why: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {why}", program.display()))
}

/// Starts a child that the kernel ends with this process, however that ends.
#[allow(unsafe_code)]
fn spawn(mut command: Command) -> io::Result<Child> {
    command.kill_on_drop(true).stdin(Stdio::null());
    // SAFETY: between fork and exec only prctl is called, which is async-signal-safe and touches no memory of ours.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
    command.spawn()
}
