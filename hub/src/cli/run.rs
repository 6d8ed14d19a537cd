//! From words to work: sets up logs and the runtime, runs one command, and says how it ended.

use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::output::Exit;
use super::session::{Session, on_terminal};
use super::{Cli, Command, adapters, import, journal, plugin, policy, state, sync, token};
use crate::startup::{self, Serving};
use crate::telemetry::Metrics;
use crate::telemetry::log::{self, LogGuard, LogOptions};

/// What the short commands log where nobody says otherwise.
const QUIET: &str = "warn";
/// What the tools for adapters log.
const SILENT: &str = "off";

/// Runs the command to its end. A failure is said on stderr.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let exit = start(cli).unwrap_or_else(|reason| {
        // Where stderr is closed there is nobody left to tell.
        drop(writeln!(io::stderr(), "hub: {reason}"));
        Exit::Failed
    });
    exit.into()
}

fn start(cli: Cli) -> Result<Exit, String> {
    let session = Session::of_process();
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime can be made: {error}"))?;
    let level = match cli.command {
        Command::Serve(_) | Command::Demo(_) => None,
        // What is wrong with a component is the answer itself.
        Command::Plugin(_) => Some(SILENT),
        _ => Some(QUIET),
    };
    if !matches!(cli.command, Command::Plugin(_)) {
        // What libraries make below the data folder is nobody else's either.
        rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    }
    let logs = logs(&session, level)?;
    runtime.block_on(dispatch(&session, cli.command, &logs))
}

fn logs(session: &Session, level: Option<&str>) -> Result<LogGuard, String> {
    let mut env = session.env.clone();
    if let Some(level) = level.filter(|_| !env.contains_key("RUST_LOG")) {
        env.entry("HUB_LOG".to_owned()).or_insert_with(|| level.to_owned());
    }
    let options = LogOptions::from_env(&env, on_terminal()).map_err(|error| error.to_string())?;
    log::init(options).map_err(|error| error.to_string())
}

async fn dispatch(session: &Session, command: Command, logs: &LogGuard) -> Result<Exit, String> {
    match command {
        Command::Serve(args) => {
            let config = session.config_to_serve(&args)?;
            let stop = told_to_stop()?;
            ended(startup::serve(config, Metrics::new(Some(logs.dropped())), tell_ready, stop).await)
        }
        Command::Demo(args) => {
            let config = session.config_to_serve(&args)?;
            let stop = told_to_stop()?;
            ended(startup::demo(config, Metrics::new(Some(logs.dropped())), tell_ready, stop).await)
        }
        Command::Token(args) => token::run(session, &args),
        Command::Import(args) => import::command(session, &args).await,
        Command::Journal(command) => journal::run(session, &command),
        Command::State(command) => state::run(session, &command),
        Command::Sync(command) => sync::run(session, &command).await,
        Command::Adapters(command) => adapters::run(session, &command).await,
        Command::Plugin(command) => plugin::run(session, &command).await,
        Command::Policy(command) => policy::run(session, &command),
    }
}

fn ended<E: std::fmt::Display>(result: Result<(), E>) -> Result<Exit, String> {
    result.map(|()| Exit::Done).map_err(|error| error.to_string())
}

/// The one line on stdout that a script waits for.
fn tell_ready(serving: &Serving) {
    let mut out = io::stdout();
    if let Err(error) = writeln!(out, "ready {}", serving.url).and_then(|()| out.flush()) {
        tracing::warn!(%error, "nobody reads what is said on stdout");
    }
}

/// Ends with SIGTERM, Ctrl-C, or the end of the terminal.
fn told_to_stop() -> Result<impl Future<Output = ()>, String> {
    let listen = |kind| signal(kind).map_err(|error| format!("signals can't be listened for: {error}"));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    // Under `nohup` the terminal may end: listening would undo that.
    let mut hangup = if hangup_is_ignored() { None } else { Some(listen(SignalKind::hangup())?) };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = hung_up => {}
        }
    })
}

/// Whether this process was started with SIGHUP ignored, where the system tells (proc(5), `SigIgn`).
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}
