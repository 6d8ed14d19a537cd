//! The `backends` program: binds, says where it listens, and serves until it is told to stop.
//!
//! Its only line on stdout is `ready http://ADDRESS:PORT`, so that whoever starts it can ask for port 0 and read which
//! port it got.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use backends::Backends;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Plays the outside systems of the Clients Hub (core banking, CRM, screening, identity, mail and text messages).
#[derive(Debug, Parser)]
#[command(version, after_help = "Example: backends --listen 127.0.0.1:0 --seed 7")]
struct Arguments {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Decides which accounts, devices and relationship data are made up for a client.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Keep the systems' state in this folder, so that they go on after a restart with the same seed; left out, in memory.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done where even stderr is gone.
            let _ = writeln!(std::io::stderr(), "backends: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> std::io::Result<()> {
    let backends = match &arguments.data {
        Some(folder) => Backends::open(arguments.seed, folder)?,
        None => Backends::new(arguments.seed),
    };
    let listener = TcpListener::bind(arguments.listen).await?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ready http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    backends::serve(listener, Arc::new(backends), stop).await;
    Ok(())
}
