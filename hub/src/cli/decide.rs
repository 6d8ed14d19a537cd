//! `hub sync retry` and `hub sync discard`: over the API of a running hub, or into the journal of a stopped one.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::hub_access::{Hub, RunningHub, find, need_journal, open};
use super::output::Exit;
use super::report;
use super::session::{Session, answers, bar, interrupted, told};
use super::sync::OPERATOR;
use super::sync_args::DecideArgs;
use crate::access::Action;
use crate::config::Config;
use crate::domain::parked::Decision;
use crate::journal::Actor;
use crate::startup::data::Data;
use crate::sync::decide::{self, Bulk, Ruling};
use crate::sync::entries::By;
use crate::sync::parked;

/// Superseded deliveries that a dry run shows; as many as a running hub tells at once.
const SHOWN: usize = 200;
/// How often a job is asked how far it has come.
const LOOK: Duration = Duration::from_millis(100);

/// Runs the command.
///
/// # Errors
/// What stands in its way, for stderr.
pub async fn run(session: &Session, args: &DecideArgs, decision: Decision) -> Result<Exit, String> {
    let config = session.config(&args.journal.config)?;
    need_journal(&config.store.path)?;
    let answer = match find(&config)? {
        Hub::Stopped => stopped(&open(&config)?, session, args, decision).await?,
        Hub::Running(hub) => Asked { hub, config: &config, session }.decide(args, decision).await?,
    };
    told(report::decided(&mut answers(args.journal.json), &answer))
}

async fn stopped(data: &Data, session: &Session, args: &DecideArgs, decision: Decision) -> Result<Value, String> {
    let filter = args.meant.filter();
    if args.dry_run {
        let met = parked::census(&data.state, &filter, SHOWN);
        return Ok(
            json!({"dryRun": true, "matched": met.matched, "superseded": met.superseded_in_all, "items": met.superseded}),
        );
    }
    let (ruling, by) = (Ruling { decision, reason: args.reason.clone() }, operator(session));
    if let Some(id) = &args.id {
        let found = parked::find(&data.state, id).ok_or_else(|| missing(id))?;
        let decided = decide::one((data.journal.as_ref(), &data.state), &found, &ruling, &by).await;
        return Ok(json!(decided.map_err(|error| error.to_string())?.ok_or_else(|| missing(id))?));
    }
    let matched = parked::census(&data.state, &filter, 0).matched;
    let bulk = Bulk { journal: data.journal.clone(), state: data.state.clone(), filter, ruling, by };
    let (bar, stop) = (bar("deliveries"), interrupted());
    bar.set_length(matched as u64);
    let ended =
        bulk.run(|| stop.is_cancelled(), |tally| bar.set_position((tally.decided + tally.passed_over) as u64)).await;
    bar.finish_and_clear();
    let tally = ended.map_err(|error| format!("{error}; what was decided before stays"))?;
    let all = tally.decided + tally.passed_over >= matched || !stop.is_cancelled();
    let state = if all { "done" } else { "cancelled" };
    Ok(
        json!({"decision": decision, "state": state, "matched": matched, "decided": tally.decided, "passedOver": tally.passed_over}),
    )
}

/// Whoever is at the keyboard, as the journal has it.
fn operator(session: &Session) -> By {
    By {
        org: String::new(),
        actor: Actor { member: session.operator(), roles: Vec::new(), address: None },
        action: Action::CX031.as_str().into(),
        request_id: format!("sync-{}", Uuid::now_v7()),
        key: None,
    }
}

fn missing(id: &str) -> String {
    format!("delivery-not-found: {id} is not set aside; it may have been decided on already")
}

/// A running hub, asked as its operator.
struct Asked<'a> {
    hub: RunningHub,
    config: &'a Config,
    session: &'a Session,
}

impl Asked<'_> {
    async fn decide(&self, args: &DecideArgs, decision: Decision) -> Result<Value, String> {
        let verb = decision.as_str();
        if let Some(id) = &args.id {
            let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
            let body = json!({"reason": args.reason});
            return self.send(Method::POST, &format!("/admin/sync/parked/{id}/{verb}"), Some(&body)).await;
        }
        let body = json!({"filter": args.meant.filter(), "reason": args.reason, "dryRun": args.dry_run});
        let answer = self.send(Method::POST, &format!("/admin/sync/parked/{verb}"), Some(&body)).await?;
        match answer.get("id").and_then(Value::as_str) {
            Some(job) => self.watch(job, &answer).await,
            None => Ok(answer),
        }
    }

    /// Looks at a job until it ends, which the first Ctrl-C brings about.
    async fn watch(&self, job: &str, first: &Value) -> Result<Value, String> {
        let count = |view: &Value, name: &str| view.get(name).and_then(Value::as_u64).unwrap_or(0);
        let path = format!("/admin/sync/jobs/{job}");
        let (bar, stop, mut cancelled) = (bar("deliveries"), interrupted(), false);
        bar.set_length(count(first, "matched"));
        loop {
            let view = self.send(Method::GET, &path, None).await?;
            bar.set_position(count(&view, "decided") + count(&view, "passedOver"));
            if !matches!(view.get("state").and_then(Value::as_str), Some("running" | "cancelling")) {
                bar.finish_and_clear();
                return Ok(view);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled(), if !cancelled => {
                    cancelled = true;
                    self.send(Method::DELETE, &path, None).await?;
                }
            }
        }
    }

    /// Each request with a token of its own: a job may outlive one.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let token = self.hub.token(self.config.auth.operator_org.as_str(), &self.session.operator(), OPERATOR)?;
        self.hub.send(method, path, &token, body).await
    }
}
