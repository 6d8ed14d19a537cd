//! `sync`: what its commands take.

use clap::{ArgAction, Args, Subcommand};

use super::store::JournalArgs;
use super::{org, word};
use crate::domain::delivery::{Adapter, Function};
use crate::domain::parked::{ParkedFilter, REASONS};

/// `hub sync …`.
#[derive(Debug, Subcommand)]
pub enum SyncCommand {
    /// For how many clients and devices each adapter is owed something, and since when.
    #[command(after_help = "Example:\n  hub sync status\n  hub sync status --json")]
    Status(JournalArgs),
    /// What was set aside.
    #[command(
        after_help = "Example:\n  hub sync parked --adapter crm\n  hub sync parked --reason-code outcome-unknown --json"
    )]
    Parked(ParkedArgs),
    /// Try again what was set aside: one delivery, or all that match.
    ///
    /// Ctrl-C stops between two deliveries; what was decided stays.
    #[command(
        after_help = "Example:\n  hub sync retry 5d3b0a4c7e9f1b2d6a8c0e4f7a9b1c3d5e7f9a0b --reason 'repaired'\n  \
                            hub sync retry --adapter crm --reason-code rejected --dry-run\n  \
                            hub sync retry --adapter crm --reason-code rejected --reason 'repaired'"
    )]
    Retry(DecideArgs),
    /// Give up what was set aside: one delivery, or all that match.
    ///
    /// What waits behind it goes on. Ctrl-C stops between two deliveries; what was decided stays.
    #[command(
        after_help = "Example:\n  hub sync discard 5d3b0a4c7e9f1b2d6a8c0e4f7a9b1c3d5e7f9a0b --reason 'told-by-phone'\n  \
                            hub sync discard --adapter messaging --client CL-01 --reason 'told-by-phone'"
    )]
    Discard(DecideArgs),
}

/// Which deliveries.
#[derive(Debug, Clone, Default, Args)]
pub struct MeantArgs {
    /// Only what is owed to this adapter.
    #[arg(long, value_name = "NAME")]
    pub adapter: Option<Adapter>,
    /// Only what is of this organisation.
    #[arg(long, value_name = "ORG", value_parser = org)]
    pub org: Option<String>,
    /// Only what is about this client or one of its devices.
    #[arg(long, value_name = "REF", value_parser = word)]
    pub client: Option<String>,
    /// Only what is about this device.
    #[arg(long, value_name = "REF", value_parser = word)]
    pub device: Option<String>,
    /// Only what was set aside for this reason.
    #[arg(long, value_name = "CODE", value_parser = REASONS)]
    pub reason_code: Option<String>,
    /// Only what asks for this, such as upsert-contact.
    #[arg(long, value_name = "NAME")]
    pub function: Option<Function>,
}

impl MeantArgs {
    /// The same as a filter.
    #[must_use]
    pub fn filter(&self) -> ParkedFilter {
        let Self { adapter, org, client, device, reason_code, function } = self.clone();
        ParkedFilter { adapter, org, client, device, reason: reason_code, function }
    }
}

/// `hub sync parked`.
#[derive(Debug, Args)]
pub struct ParkedArgs {
    /// The hub.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// The deliveries.
    #[command(flatten)]
    pub meant: MeantArgs,
}

/// What says which deliveries are meant.
const MEANT: [&str; 7] = ["adapter", "org", "client", "device", "reason_code", "function", "all"];

/// `hub sync retry` and `hub sync discard`.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// One delivery, by its id.
    #[arg(value_name = "ID", value_parser = word, required_unless_present_any = MEANT, conflicts_with_all = MEANT)]
    pub id: Option<String>,
    /// The deliveries.
    #[command(flatten)]
    pub meant: MeantArgs,
    /// All that are set aside.
    #[arg(long, action = ArgAction::SetTrue)]
    pub all: bool,
    /// Why; it is written to the journal.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run", value_parser = why)]
    pub reason: Option<String>,
    /// Only say how many match, and which of them a newer version replaces anyway.
    #[arg(long, conflicts_with = "id")]
    pub dry_run: bool,
    /// The hub.
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// A reason that is not blank, as the API takes one.
fn why(text: &str) -> Result<String, String> {
    let reason = crate::domain::validate::formats::reason(text).map_err(|flaw| flaw.detail)?;
    reason.ok_or_else(|| "expected a text that is not blank".to_owned())
}
