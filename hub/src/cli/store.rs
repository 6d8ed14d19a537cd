//! `journal`, `state` and `policy`: what they take.

use std::num::NonZeroU64;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use super::{ConfigArgs, JsonArgs, org, word};
use crate::access::Action;
use crate::journal::Edge;

/// `hub journal …`.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Check the hash chain and say where it breaks.
    #[command(after_help = "Example:\n  hub journal verify\n  hub journal verify --reads --json")]
    Verify(VerifyArgs),
    /// Read entries.
    #[command(
        after_help = "Example:\n  hub journal show --from 100 --limit 20\n  hub journal show --stream client/CL-01"
    )]
    Show(ShowArgs),
    /// Write entries to a file, one JSON object a line.
    #[command(after_help = "Example:\n  hub journal export --out journal.jsonl")]
    Export(ExportArgs),
    /// Cut the journal off at an entry, by decision. The cut is itself an entry.
    #[command(after_help = "Example:\n  hub journal cut --at 4711 --reason 'disk-failure'")]
    Cut(CutArgs),
}

/// Which journal, and how to answer.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

/// `hub journal verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The journal.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Check the record of views (who viewed which client) instead.
    #[arg(long)]
    pub reads: bool,
}

/// Which entries.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// The first entry, by its number or its time (2026-03-01T00:00:00Z).
    #[arg(long, value_name = "SEQ|TIME")]
    pub from: Option<Edge>,
    /// The last entry, by its number or its time.
    #[arg(long, value_name = "SEQ|TIME")]
    pub to: Option<Edge>,
    /// Only entries of this stream, such as client/CL-….
    #[arg(long, value_name = "STREAM", value_parser = word)]
    pub stream: Option<String>,
    /// Only entries of this organisation.
    #[arg(long, value_name = "ORG", value_parser = org)]
    pub org: Option<String>,
    /// Only entries of this kind, such as client.created.
    #[arg(long, value_name = "KIND", value_parser = word)]
    pub kind: Option<String>,
    /// Take them from the record of views (who viewed which client), where each day has numbers of its own.
    #[arg(long)]
    pub reads: bool,
}

/// `hub journal show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The journal.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Its entries.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// How many entries at most.
    #[arg(long, value_name = "N", default_value = "50", value_parser = above_zero)]
    pub limit: NonZeroU64,
}

/// `hub journal export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The journal.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// The file, which must not be there; left out it is stdout.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Its entries.
    #[command(flatten)]
    pub filter: FilterArgs,
}

fn above_zero(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| "expected a whole number above zero".to_owned())
}

/// `hub journal cut`.
#[derive(Debug, Args)]
pub struct CutArgs {
    /// The journal.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// The first entry that goes.
    #[arg(long, value_name = "SEQ", value_parser = above_zero)]
    pub at: NonZeroU64,
    /// Why; it is written to the journal.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
}

/// `hub state …`.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Make the read model again from the journal.
    #[command(after_help = "Example:\n  hub state rebuild --config hub.toml")]
    Rebuild(JournalArgs),
}

/// `hub policy …`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Find mistakes in policy files.
    #[command(after_help = "Example:\n  hub policy check policies")]
    Check(PolicyArgs),
    /// Run the cases in `tests/`.
    #[command(after_help = "Example:\n  hub policy test policies --json")]
    Test(PolicyArgs),
    /// Every role and every action as a table.
    #[command(after_help = "Example:\n  hub policy matrix\n  hub policy matrix policies --diff policies.new")]
    Matrix(MatrixArgs),
    /// Why a request would be allowed or denied.
    #[command(
        after_help = "Example:\n  hub policy explain --role RP002 --member m-2 --org demo --action CL004 --client CL-01"
    )]
    Explain(ExplainArgs),
    /// Make the recorded decisions again under other files: who gains, who loses.
    ///
    /// Ends with 0 where nothing would change, with 1 where somebody gains or loses, where that can't be told, or where
    /// there is nothing to go by: for CI.
    #[command(after_help = "Example:\n  hub policy replay policies.new\n  \
                            hub policy replay policies.new --from 2026-03-01T00:00:00Z --json")]
    Replay(ReplayArgs),
}

/// Which policies, and how to answer.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// The folder; left out it is the one of the configuration.
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

/// `hub policy matrix`.
#[derive(Debug, Args)]
pub struct MatrixArgs {
    /// The policies.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Show what changes, for whom, under the policies of this folder.
    #[arg(long, value_name = "OTHER_DIR")]
    pub diff: Option<PathBuf>,
}

/// `hub policy replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The other files.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Only decisions from this moment on (2026-03-01T00:00:00Z).
    #[arg(long, value_name = "TIME")]
    pub from: Option<DateTime<Utc>>,
    /// The folder of the recorded decisions; left out it is the hub's own, <store.path>/decisions.
    #[arg(long, value_name = "FOLDER")]
    pub decisions: Option<PathBuf>,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

/// `hub policy explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The policies.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The member's roles.
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = word)]
    pub roles: Vec<String>,
    /// The member.
    #[arg(long, value_name = "MEMBER", value_parser = word)]
    pub member: String,
    /// The member's organisation.
    #[arg(long, value_name = "ORG", value_parser = org)]
    pub org: String,
    /// What the member would do, such as CL004.
    #[arg(long, value_name = "ACTION", value_parser = action)]
    pub action: Action,
    /// To which client.
    #[arg(long, value_name = "REF", value_parser = word)]
    pub client: Option<String>,
    /// A member whom that client is assigned to; may be given more than once.
    #[arg(long, value_name = "MEMBER", value_parser = word)]
    pub assigned_to: Vec<String>,
    /// A client that the token assigns to the member; may be given more than once.
    #[arg(long, value_name = "REF", value_parser = word)]
    pub token_client: Vec<String>,
    /// The state of the organisation's Backoffice subscription.
    #[arg(long, value_name = "STATE", default_value = "active", value_parser = word)]
    pub subscription: String,
}

/// An action by its code.
fn action(code: &str) -> Result<Action, String> {
    let known = || Action::ALL.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
    Action::parse(code).ok_or_else(|| format!("expected one of {}", known()))
}
