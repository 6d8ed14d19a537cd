//! `hub sync …`: what is owed to each adapter and what was set aside, of a stopped hub or a running one.

use std::collections::BTreeMap;

use chrono::Utc;
use reqwest::Method;
use serde_json::Value;

use super::decide;
use super::hub_access::{Hub, RunningHub, find, need_journal, open};
use super::output::Exit;
use super::report::{self, Owed};
use super::session::{Session, answers, told};
use super::store::JournalArgs;
use super::sync_args::{ParkedArgs, SyncCommand};
use crate::config::Config;
use crate::domain::delivery::Adapter;
use crate::domain::parked::{Decision, ParkedFilter};
use crate::state::State;
use crate::sync::parked::page;

/// As many as a running hub gives at once.
const MOST: usize = 200;
/// The role that may look and decide.
pub const OPERATOR: &str = "OP001";

/// Runs the command.
///
/// # Errors
/// What stands in its way, for stderr.
pub async fn run(session: &Session, command: &SyncCommand) -> Result<Exit, String> {
    match command {
        SyncCommand::Status(args) => status(session, args).await,
        SyncCommand::Parked(args) => set_aside(session, args).await,
        SyncCommand::Retry(args) => decide::run(session, args, Decision::Retry).await,
        SyncCommand::Discard(args) => decide::run(session, args, Decision::Discard).await,
    }
}

async fn status(session: &Session, args: &JournalArgs) -> Result<Exit, String> {
    let config = session.config(&args.config)?;
    need_journal(&config.store.path)?;
    let owed = match find(&config)? {
        Hub::Stopped => owed(&open(&config)?.state),
        Hub::Running(hub) => scraped(&hub.get("/metrics", None).await?),
    };
    told(report::owed(&mut answers(args.json), &owed).map(|()| Exit::Done))
}

fn owed(state: &State) -> Vec<Owed> {
    let of = |adapter: &Adapter| {
        let (lanes, parked, since) = state.lanes().totals(*adapter);
        let lag = since.map_or(0.0, |since| (Utc::now() - since).as_seconds_f64().max(0.0));
        Owed { adapter: adapter.to_string(), owed: lanes as u64, lag_seconds: lag, parked: parked as u64 }
    };
    state.configured().iter().map(of).collect()
}

/// The same from the metrics of a running hub (Prometheus text: `hub_sync_owed{adapter="crm"} 3`).
fn scraped(metrics: &str) -> Vec<Owed> {
    let mut all: BTreeMap<&str, Owed> = BTreeMap::new();
    for line in metrics.lines() {
        let Some((name, adapter, value)) = gauge(line) else { continue };
        let owed = all.entry(adapter).or_insert_with(|| Owed { adapter: adapter.to_owned(), ..Owed::default() });
        match name {
            "hub_sync_owed" => owed.owed = whole(value),
            "hub_sync_lag_seconds" => owed.lag_seconds = value.parse().unwrap_or(0.0),
            _ => owed.parked = whole(value),
        }
    }
    all.into_values().collect()
}

/// A count, which a gauge may write as `3.0`.
fn whole(value: &str) -> u64 {
    value.split('.').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn gauge(line: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = line.split_once("{adapter=\"")?;
    let (adapter, value) = rest.split_once("\"} ")?;
    let known = ["hub_sync_owed", "hub_sync_lag_seconds", "hub_sync_parked"].contains(&name);
    known.then(|| (name, adapter, value.trim()))
}

async fn set_aside(session: &Session, args: &ParkedArgs) -> Result<Exit, String> {
    let config = session.config(&args.journal.config)?;
    need_journal(&config.store.path)?;
    let filter = args.meant.filter();
    let items = match find(&config)? {
        Hub::Stopped => {
            let items = page(&open(&config)?.state, &filter, None, usize::MAX).items;
            items.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?
        }
        Hub::Running(hub) => asked(&hub, &config, session, &filter).await?,
    };
    told(report::parked(&mut answers(args.journal.json), &items).map(|()| Exit::Done))
}

/// All pages of a running hub.
async fn asked(
    hub: &RunningHub,
    config: &Config,
    session: &Session,
    filter: &ParkedFilter,
) -> Result<Vec<Value>, String> {
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let named = ["adapter", "org", "client", "device", "reason", "function"].into_iter().zip(filter.parts());
    let given = named.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("&{name}={}", encoded(value)));
    let (given, mut cursor, mut items) = (given.collect::<String>(), String::new(), Vec::new());
    loop {
        let token = hub.token(config.auth.operator_org.as_str(), &session.operator(), OPERATOR)?;
        let path = format!("/admin/sync/parked?limit={MOST}{given}{cursor}");
        let mut page = hub.send(Method::GET, &path, &token, None).await?;
        if let Some(more) = page.get_mut("items").and_then(Value::as_array_mut) {
            items.append(more);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={}", encoded(next)),
            None => return Ok(items),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn gauges_of_the_links_are_found_among_all_metrics() {
        let metrics = "# TYPE hub_sync_owed gauge\nhub_sync_owed{adapter=\"crm\"} 3.0\nhub_sync_lag_seconds{adapter=\"crm\"} 1.5\n\
                       hub_sync_parked{adapter=\"kyc\"} 1\nhub_actor_up{actor=\"crm\"} 1\n";
        let crm = Owed { adapter: "crm".into(), owed: 3, lag_seconds: 1.5, parked: 0 };
        let kyc = Owed { adapter: "kyc".into(), parked: 1, ..Owed::default() };
        assert_eq!(scraped(metrics), [crm, kyc]);
    }
}
