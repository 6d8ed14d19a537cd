//! `hub state rebuild`: the read model again from the journal, of a stopped hub.

use serde_json::json;

use super::hub_access::need_journal;
use super::output::Exit;
use super::session::{Session, answers, bar, told};
use super::store::{JournalArgs, StateCommand};
use crate::journal::Journal;
use crate::startup::data;

/// Runs the command.
///
/// # Errors
/// What stands in its way, for stderr: a hub that runs, for example.
pub fn run(session: &Session, command: &StateCommand) -> Result<Exit, String> {
    let StateCommand::Rebuild(args) = command;
    rebuild(session, args)
}

fn rebuild(session: &Session, args: &JournalArgs) -> Result<Exit, String> {
    let config = session.config(&args.config)?;
    need_journal(&config.store.path)?;
    let bar = bar("entries");
    let data = data::rebuild(&config.store.path, &config.adapter_names(), |seq, head| {
        bar.set_length(head);
        bar.set_position(seq);
    });
    bar.finish_and_clear();
    let data = data.map_err(|error| error.to_string())?;
    let (entries, clients) = (data.journal.head().seq, data.state.clients());
    let text = format!("rebuilt: {clients} clients from {entries} entries");
    told(answers(args.json).say(&text, &json!({"entries": entries, "clients": clients})).map(|()| Exit::Done))
}
