//! `hub plugin …`: the vendor's tools, and the operator's before trusting a component. They need no hub.

mod args;
mod build;
mod check;
mod inspect;
mod new;
mod sandbox;
mod sign;
mod templates;

use super::output::Exit;
use super::session::Session;

pub use args::PluginCommand;

/// Runs the command.
///
/// # Errors
/// What stands in its way, for stderr.
pub async fn run(session: &Session, command: &PluginCommand) -> Result<Exit, String> {
    match command {
        PluginCommand::New(args) => new::run(args),
        PluginCommand::Build(args) => build::run(session, args),
        PluginCommand::Inspect(args) => inspect::run(session, args).await,
        PluginCommand::Check(args) => check::run(session, args).await,
        PluginCommand::Sign(args) => sign::sign(args),
        PluginCommand::Verify(args) => sign::verify(args),
    }
}
