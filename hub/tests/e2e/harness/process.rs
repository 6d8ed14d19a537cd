//! The hub as a child process: its first line on stdout, its end, its log.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start may take: the first one compiles the adapters.
const START: Duration = Duration::from_secs(90);
/// How long the end may take.
const END: Duration = Duration::from_secs(35);

/// A hub that runs. Dropped, it is killed.
pub struct Process {
    child: Child,
    /// `http://…`
    pub url: String,
}

/// A hub that ended before it was ready.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// What it wrote to stderr.
    pub log: String,
}

/// `hub serve` with a configuration file, in a folder.
pub fn hub_command(folder: &Path, config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hub"));
    command.arg("serve").arg("--config").arg(config).current_dir(folder);
    command.stdin(Stdio::null());
    command
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("hub.log")
}

/// What the hub wrote to stderr, over all its starts.
pub fn log(folder: &Path) -> String {
    std::fs::read_to_string(log_path(folder)).unwrap_or_default()
}

fn log_length(folder: &Path) -> usize {
    std::fs::metadata(log_path(folder)).map_or(0, |log| usize::try_from(log.len()).unwrap())
}

impl Process {
    /// Starts and waits for the `ready` line.
    pub fn start(folder: &Path, config: &Path, env: &[(&str, &str)]) -> Result<Self, Ended> {
        let before = log_length(folder);
        let stderr = File::options().create(true).append(true).open(log_path(folder)).unwrap();
        let mut command = hub_command(folder, config);
        let mut child = command.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (tell, told) = mpsc::sync_channel(16);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let started = Instant::now();
        loop {
            match told.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => {
                    let url = line.strip_prefix("ready ").unwrap_or_else(|| panic!("not a ready line: {line}"));
                    return Ok(Self { child, url: url.to_owned() });
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let status = child.wait().unwrap();
                    return Err(Ended { status, log: log(folder).split_off(before) });
                }
                Err(mpsc::RecvTimeoutError::Timeout) if started.elapsed() > START => {
                    let _ = child.kill();
                    let _ = child.wait();
                    panic!("not ready in {START:?}: {}", log(folder));
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, without waiting.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for the end after `terminate`.
    pub fn wait(mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(started.elapsed() < END, "the hub does not leave on SIGTERM");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
