//! `hub import`: finds out where the clients go, and has them brought there.

use chrono::Utc;

use super::into_journal::IntoJournal;
use super::over_http::OverHttp;
use super::run::{Import, ImportError, Summary, run as import};
use super::{ImportArgs, Sink};
use crate::cli::hub_access::{Hub, find, open};
use crate::cli::output::Exit;
use crate::cli::session::{Session, answers, bar_of_bytes, interrupted};

/// Runs the command.
///
/// # Errors
/// What stands in its way, for stderr.
pub async fn run(session: &Session, args: &ImportArgs) -> Result<Exit, String> {
    let config = session.config(&args.config)?;
    let summary = match find(&config)? {
        Hub::Stopped => bring(args, &IntoJournal::new(args, open(&config)?)).await,
        Hub::Running(_) if args.no_onboarding => {
            return Err("a running hub onboards every client that it is sent: stop it first to take over a portfolio \
                        with --status active --no-onboarding"
                .to_owned());
        }
        Hub::Running(hub) => bring(args, &OverHttp::new(args, hub)).await,
    };
    summary.map(Summary::exit).map_err(|error| error.to_string())
}

async fn bring<S: Sink>(args: &ImportArgs, sink: &S) -> Result<Summary, ImportError> {
    let bar = bar_of_bytes();
    let mut work =
        Import { args, today: Utc::now().date_naive(), bar: &bar, output: answers(args.json), stop: interrupted() };
    import(&mut work, sink).await
}
