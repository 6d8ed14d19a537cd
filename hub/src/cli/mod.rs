//! The `hub` program's commands: what they are called, what they take, and how they answer.
//!
//! Every command has `--help` with an example, answers on stdout (as JSON with `--json`), logs to stderr, and ends with
//! 0 (done), 1 (it failed) or 2 (wrong usage). A command that works on data opens a stopped hub's and asks a running one.

mod adapters;
mod decide;
mod hub_access;
pub mod import;
mod journal;
pub mod output;
mod plugin;
mod policy;
mod report;
mod run;
mod session;
mod state;
mod store;
mod sync;
mod sync_args;
mod token;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use adapters::AdaptersCommand;
pub use import::ImportArgs;
pub use output::{Exit, Output};
pub use plugin::PluginCommand;
pub use run::run;
pub use store::{JournalCommand, PolicyCommand, StateCommand};
pub use sync_args::SyncCommand;
pub use token::TokenArgs;

/// Clients Hub: one REST API over CRM, core banking, KYC, identity and messaging systems.
#[derive(Debug, Parser)]
#[command(name = "hub", version, arg_required_else_help = true, after_help = "Example:\n  hub serve --config hub.toml")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    ///
    /// Prints `ready http://…` when it takes requests. SIGTERM or Ctrl-C: it finishes what is running and exits.
    #[command(after_help = "Example:\n  hub serve --config hub.toml\n  HUB_HTTP__LISTEN=127.0.0.1:0 hub serve")]
    Serve(ConfigArgs),
    /// Run the server with simulated outside systems and sample clients.
    #[command(after_help = "Example:\n  hub demo\n  HUB_STORE__PATH=/tmp/demo hub demo")]
    Demo(ConfigArgs),
    /// Sign a token with the hub's own key, in local mode.
    #[command(after_help = "Example:\n  hub token --member m-1 --org demo --role RP001\n  \
                            hub token --member m-2 --org demo --role RP002 --client CL-01 --expires 15m --json")]
    Token(TokenArgs),
    /// Take clients over from a CSV or JSON Lines file, into a running or a stopped hub.
    ///
    /// It can be run again after an interruption: a line that is there already is not taken twice.
    #[command(after_help = "Example:\n  hub import clients.csv --org demo --member m-1\n  \
                            hub import clients.jsonl --org demo --member m-1 --status active --no-onboarding")]
    Import(ImportArgs),
    /// Check, read, export or cut the journal.
    #[command(subcommand, after_help = "Example:\n  hub journal verify")]
    Journal(JournalCommand),
    /// Look after the read model.
    #[command(subcommand, after_help = "Example:\n  hub state rebuild")]
    State(StateCommand),
    /// See what is owed to each adapter, and decide on what was set aside.
    #[command(subcommand, after_help = "Example:\n  hub sync status")]
    Sync(SyncCommand),
    /// See what a running hub has loaded, and swap it without a restart.
    #[command(subcommand, after_help = "Example:\n  hub adapters status")]
    Adapters(AdaptersCommand),
    /// Make, build, check and sign adapters.
    #[command(subcommand, after_help = "Example:\n  hub plugin inspect plugins/dist/crm.wasm")]
    Plugin(PluginCommand),
    /// Check, test and explain policies.
    #[command(subcommand, after_help = "Example:\n  hub policy check policies")]
    Policy(PolicyCommand),
}

/// Which configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// The configuration file; left out it is hub.toml, where there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How to answer.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct JsonArgs {
    /// Answer as JSON.
    #[arg(long)]
    pub json: bool,
}

/// An organisation's id, as tokens may have it.
fn org(text: &str) -> Result<String, String> {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let valid = (1..=64).contains(&text.len()) && text.bytes().all(right);
    valid.then(|| text.to_owned()).ok_or_else(|| "expected 1 to 64 of A-Z, a-z, 0-9, _ and -".to_owned())
}

/// A word that is not blank.
fn word(text: &str) -> Result<String, String> {
    let valid = !text.is_empty() && text.len() <= 255 && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    valid.then(|| text.to_owned()).ok_or_else(|| "expected 1 to 255 characters without blanks".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn commands(command: &clap::Command) -> Vec<clap::Command> {
        let below = command.get_subcommands().flat_map(commands);
        std::iter::once(command.clone()).chain(below).collect()
    }

    #[test]
    fn every_command_has_an_example_that_is_right() {
        Cli::command().debug_assert();
        for command in commands(&Cli::command()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> = help.lines().filter_map(|line| line.find("hub ").map(|at| &line[at..])).collect();
            assert!(!examples.is_empty(), "{} has no example", command.get_name());
            for example in examples {
                let words = example.split(' ').map(|word| word.trim_matches('\''));
                assert!(Cli::try_parse_from(words).is_ok(), "{example}");
            }
        }
    }

    #[test]
    fn wrong_usage_ends_with_two() {
        for line in [
            "hub",
            "hub fly",
            "hub token --member m --org o",
            "hub token --member m --org o/o --role R",
            "hub token --member m --org o --role R --expires soon",
            "hub import x.csv --org o --member m --status active",
            "hub import x.csv --org o --member m --no-onboarding",
            "hub import x.csv --org o --member m --status pending --no-onboarding",
            "hub journal cut --at 7",
            "hub journal show --from soon",
            "hub sync parked --adapter ledger",
            "hub sync parked --reason-code because",
            "hub sync retry --reason x",
            "hub sync retry d1",
            "hub sync discard d1 --adapter crm --reason x",
            "hub sync discard d1 --dry-run",
            "hub sync discard --all",
            "hub adapters reload ledger",
            "hub adapters reload crm --confirm md5:1",
            "hub adapters reload crm --shadow 0",
            "hub policy explain --role R --member m --org o --action CL099",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
