//! What every command has at hand: the environment, the configuration that follows from it, and the terminal.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Stdout};

use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::output::{Exit, Output};
use super::{ConfigArgs, JsonArgs};
use crate::config::Config;

/// How often a progress bar is drawn at most, in milliseconds.
const DRAWN_EVERY_MS: u64 = 100;

/// The surroundings of one run of the program.
#[derive(Debug)]
pub struct Session {
    /// The variables, read once.
    pub env: BTreeMap<String, String>,
}

impl Session {
    /// The surroundings of this process. A variable that is not text is passed over: nothing of ours is named so.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { env: std::env::vars_os().filter_map(text).collect() }
    }

    /// The configuration, without a look at the secrets that it names.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn config(&self, args: &ConfigArgs) -> Result<Config, String> {
        Config::load(args.config.as_deref(), &self.env).map_err(|error| error.to_string())
    }

    /// The configuration of a hub that is to serve.
    ///
    /// # Errors
    /// All its mistakes, and the secrets that are not there.
    pub fn config_to_serve(&self, args: &ConfigArgs) -> Result<Config, String> {
        Config::load_to_serve(args.config.as_deref(), &self.env).map_err(|error| error.to_string())
    }

    /// Whoever is at the keyboard, for entries that nobody's token stands behind.
    #[must_use]
    pub fn operator(&self) -> String {
        let name = ["USER", "LOGNAME"].into_iter().find_map(|name| self.env.get(name)).filter(|name| !name.is_empty());
        name.cloned().unwrap_or_else(|| "operator".to_owned())
    }
}

/// Answers on stdout.
#[must_use]
pub fn answers(args: JsonArgs) -> Output<Stdout> {
    Output::new(io::stdout(), args.json)
}

/// Whether logs are read by a person.
#[must_use]
pub fn on_terminal() -> bool {
    io::stderr().is_terminal()
}

/// A bar on stderr; hidden where that is no terminal. `what` is counted.
#[must_use]
pub fn bar(what: &str) -> ProgressBar {
    styled(ProgressBar::new(0), &format!("{{bar:40}} {{pos}}/{{len}} {what}, {{eta}} left"))
}

/// As `bar`, for a file that is read.
#[must_use]
pub fn bar_of_bytes() -> ProgressBar {
    styled(ProgressBar::new(0), "{bar:40} {bytes}/{total_bytes}, {eta} left")
}

/// As `bar`, where nobody knows how much there is.
#[must_use]
pub fn counter(what: &str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), &format!("{{spinner}} {{pos}} {what}"))
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // The templates above are right; a wrong one would only look plainer.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(DRAWN_EVERY_MS));
    bar
}

/// How a command ends that has told its answer. Nobody reading on is no failure: `hub journal show | head`.
///
/// # Errors
/// It could not be told.
pub fn told(answer: io::Result<Exit>) -> Result<Exit, String> {
    match answer {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        other => other.map_err(|error| format!("the answer can't be written: {error}")),
    }
}

/// Cancelled with the first Ctrl-C, after which the work ends in its own way.
#[must_use]
pub fn interrupted() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.cancel();
        }
    });
    stop
}
