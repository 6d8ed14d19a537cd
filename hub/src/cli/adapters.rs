//! `hub adapters …`: what a running hub has loaded, and swapping it without a restart.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::hub_access::{Hub, find};
use super::output::Exit;
use super::session::{Session, answers, told};
use super::store::JournalArgs;
use super::sync::OPERATOR;
use crate::adapters::Digest;
use crate::domain::delivery::Adapter;

/// `hub adapters …`.
#[derive(Debug, Subcommand)]
pub enum AdaptersCommand {
    /// What each adapter has loaded, and what waits to be confirmed.
    #[command(after_help = "Example:\n  hub adapters status\n  hub adapters status --json")]
    Status(JournalArgs),
    /// Load a component's file again and let it take over, without a restart.
    ///
    /// Where it may do more than the one that is loaded, that is shown, and nothing is done before it is confirmed.
    #[command(after_help = "Example:\n  hub adapters reload crm\n  hub adapters reload crm --shadow 20\n  \
        hub adapters reload crm --confirm sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    Reload(ReloadArgs),
    /// Bring the component before back.
    #[command(after_help = "Example:\n  hub adapters rollback crm")]
    Rollback(RollbackArgs),
}

/// `hub adapters reload`.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// Which adapter, by its section in the configuration.
    pub name: Adapter,
    /// The digest of a component that may do more than the one that is loaded.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub confirm: Option<Digest>,
    /// Only ask it beside the one that is loaded, for so many calls of functions that read.
    #[arg(long, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub shadow: Option<u32>,
    /// The hub.
    #[command(flatten)]
    pub hub: JournalArgs,
}

/// `hub adapters rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// Which adapter, by its section in the configuration.
    pub name: Adapter,
    /// The hub.
    #[command(flatten)]
    pub hub: JournalArgs,
}

fn digest(text: &str) -> Result<Digest, String> {
    Digest::try_from(text.to_owned()).map_err(|error| error.to_string())
}

/// Runs the command.
///
/// # Errors
/// What stands in its way, for stderr.
pub async fn run(session: &Session, command: &AdaptersCommand) -> Result<Exit, String> {
    match command {
        AdaptersCommand::Status(args) => {
            let answer = ask(session, args, (Method::GET, "/admin/adapters"), None).await?;
            let items = answer.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let columns = ["name", "state", "version", "digest", "previous", "pending"];
            told(answers(args.json).rows(&columns, &items.iter().map(row).collect::<Vec<_>>()).map(|()| Exit::Done))
        }
        AdaptersCommand::Reload(args) => {
            let order = json!({"confirm": args.confirm.map(|digest| digest.to_string()), "shadow": args.shadow});
            let path = format!("/admin/adapters/{}/reload", args.name);
            let answer = ask(session, &args.hub, (Method::POST, &path), Some(&order)).await?;
            told(answers(args.hub.json).say(&swapped(&answer), &answer).map(|()| Exit::Done))
        }
        AdaptersCommand::Rollback(args) => {
            let path = format!("/admin/adapters/{}/rollback", args.name);
            let answer = ask(session, &args.hub, (Method::POST, &path), None).await?;
            told(answers(args.hub.json).say(&swapped(&answer), &answer).map(|()| Exit::Done))
        }
    }
}

/// What a running hub answers to its operator.
async fn ask(
    session: &Session,
    args: &JournalArgs,
    (method, path): (Method, &str),
    body: Option<&Value>,
) -> Result<Value, String> {
    let config = session.config(&args.config)?;
    let Hub::Running(hub) = find(&config)? else {
        return Err(format!(
            "no hub runs on {}; its components are loaded when it starts",
            config.store.path.display()
        ));
    };
    let token = hub.token(config.auth.operator_org.as_str(), &session.operator(), OPERATOR)?;
    hub.send(method, path, &token, body).await
}

fn row(item: &Value) -> Vec<Value> {
    let places = ["/name", "/state", "/loaded/version", "/loaded/digest", "/swaps/previous", "/swaps/pending/digest"];
    places.map(|place| item.pointer(place).cloned().unwrap_or_default()).into()
}

/// In one line for people.
fn swapped(answer: &Value) -> String {
    let text = |place: &str| answer.pointer(place).and_then(Value::as_str).unwrap_or("-");
    let listed = |place: &str| {
        let all = answer.pointer(place).and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let (gains, loses) = (listed("/difference/gains"), listed("/difference/loses"));
    let what = match answer.get("shadow").and_then(Value::as_u64) {
        Some(calls) => format!("is asked beside {} for {calls} calls", text("/previous")),
        None => format!("has taken over from {}", text("/previous")),
    };
    let beyond = |word: &str, names: String| if names.is_empty() { names } else { format!("; {word}: {names}") };
    let (gains, loses) = (beyond("gains", gains), beyond("loses", loses));
    format!("{}: {} {what}{gains}{loses}", text("/name"), text("/component/digest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_is_told_in_one_line() {
        let answer = json!({"name": "crm", "component": {"digest": "sha256:b"}, "previous": "sha256:a", "shadow": null,
            "difference": {"gains": ["endpoint archive", "setting x"], "loses": []}});
        let line = "crm: sha256:b has taken over from sha256:a; gains: endpoint archive, setting x";
        assert_eq!(swapped(&answer), line);
    }
}
