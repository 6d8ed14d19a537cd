//! Core banking: the Apache Fineract REST API on clients and their accounts (base `/fineract`, in real life
//! `…/fineract-provider/api/v1`).
//!
//! What it does as the product does: the tenant header and Basic authentication, numeric ids beside external ids, every
//! date with its `dateFormat` and `locale`, parameters it does not support refused, commands by `?command=`, dates in
//! answers as `[year, month, day]`, its error envelope, and `Idempotency-Key` (since 1.8): a command's outcome is kept
//! under (action, key), refused ones too, and answered again with `x-served-from-cache: true`.
//!
//! What it leaves out: loans, groups, maker-checker, code values. One thing is milder than the product: an active savings
//! account keeps a client from being closed there always, here only when `/control/rules` says so, since nothing here
//! closes accounts.

mod accounts;
mod client;
mod commands;
mod errors;
mod input;
mod lifecycle;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::effects::{Effect, Effects};
use crate::stored::{Each, Snapshot};
use crate::{System, stored};

use client::Client;
use errors::Refusal;

const DEFAULT_LIMIT: usize = 200;

/// The system and its state.
pub struct Fineract {
    seed: u64,
    effects: Arc<Effects>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// A client's id is its place here, from 1.
    clients: Vec<Client>,
    by_external_id: HashMap<String, usize>,
    /// Outcomes by action and idempotency key.
    outcomes: HashMap<(&'static str, String), (StatusCode, Bytes)>,
    last_account: u64,
    open_accounts_block_close: bool,
}

impl State {
    /// Where the client that a path names is: `["external-id", x, …]` or `[id, …]`, and what is left of the path.
    fn target<'p>(&self, path: &'p [&'p str]) -> Result<(usize, &'p [&'p str]), Refusal> {
        match path {
            ["external-id", external_id, rest @ ..] => {
                let found = self.by_external_id.get(*external_id).copied();
                found.map(|at| (at, rest)).ok_or_else(|| Refusal::not_found("externalId", external_id))
            }
            [id, rest @ ..] => {
                let at = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
                let found = at.filter(|at| *at < self.clients.len());
                found.map(|at| (at, rest)).ok_or_else(|| Refusal::not_found("id", id))
            }
            [] => Err(Refusal::no_route()),
        }
    }

    fn client(&self, at: usize) -> Result<&Client, Refusal> {
        self.clients.get(at).ok_or_else(Refusal::no_route)
    }
}

impl Fineract {
    pub(crate) fn new(seed: u64, effects: Arc<Effects>) -> Self {
        Fineract { seed, effects, state: Mutex::default() }
    }

    /// Answers a call below `/fineract`.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        self.decide(call).unwrap_or_else(|refusal| refusal.answer())
    }

    fn decide(&self, call: &Call) -> Result<Answer, Refusal> {
        if call.header("fineract-platform-tenantid").is_none_or(str::is_empty) {
            return Err(Refusal::no_tenant());
        }
        if call.credential("basic").is_none() {
            return Err(Refusal::unauthenticated());
        }
        let (method, path) = call.route();
        match (method, path.as_slice()) {
            ("GET", ["offices"]) => Ok(ok(&offices())),
            ("GET", ["clients"]) => Ok(ok(&self.list(call))),
            ("POST", ["clients"]) => self.once("CREATE", call, |state, body| self.create(state, call, body)),
            ("GET", ["clients", rest @ ..]) => self.read(rest),
            ("PUT", ["clients", rest @ ..]) => {
                self.once("UPDATE", call, |state, body| self.update(state, call, rest, body))
            }
            ("POST", ["clients", rest @ ..]) => {
                let command = lifecycle::Command::named(call.param("command").unwrap_or_default())?;
                self.once(command.action(), call, |state, body| self.command(state, call, rest, (command, body)))
            }
            _ => Err(Refusal::no_route()),
        }
    }

    fn list(&self, call: &Call) -> Value {
        let state = self.state.lock();
        let skip = call.number("offset", 0);
        let limit = call.number("limit", DEFAULT_LIMIT);
        let (total, items): (usize, Vec<Value>) = match call.param("externalId") {
            Some(external_id) => {
                let found = state.by_external_id.get(external_id).and_then(|at| state.clients.get(*at));
                (usize::from(found.is_some()), found.iter().skip(skip).map(|client| client.json()).collect())
            }
            None => (state.clients.len(), state.clients.iter().skip(skip).take(limit).map(Client::json).collect()),
        };
        json!({"totalFilteredRecords": total, "pageItems": items})
    }

    fn read(&self, path: &[&str]) -> Result<Answer, Refusal> {
        let state = self.state.lock();
        let (at, rest) = state.target(path)?;
        let client = state.client(at)?;
        match rest {
            [] => Ok(ok(&client.json())),
            ["accounts"] => Ok(ok(&client.accounts_json())),
            _ => Err(Refusal::no_route()),
        }
    }

    /// Carries a command out once for each idempotency key, and answers a repeat from what was kept.
    fn once(
        &self,
        action: &'static str,
        call: &Call,
        run: impl FnOnce(&mut State, input::Body) -> Result<Value, Refusal>,
    ) -> Result<Answer, Refusal> {
        let mut state = self.state.lock();
        let kept = call.header("idempotency-key").map(|key| (action, key.to_owned()));
        if let Some((status, body)) = kept.as_ref().and_then(|key| state.outcomes.get(key)) {
            let kept = Answer::typed(*status, "application/json", body.clone());
            return Ok(kept.with("x-served-from-cache", "true"));
        }
        let outcome = input::Body::read(call).and_then(|body| run(&mut state, body));
        let answer = match outcome {
            Ok(body) => ok(&body),
            Err(refusal) => refusal.answer(),
        };
        if let Some(key) = kept {
            state.outcomes.insert(key, (answer.status, answer.body.clone()));
        }
        Ok(answer)
    }

    fn effect(&self, kind: &'static str, client: &Client, call: &Call, changed: bool) {
        let reference = client.external_id.clone().unwrap_or_else(|| client.id.to_string());
        let effect = Effect::new(System::Fineract, kind, &reference, &client.id.to_string());
        self.effects.record(effect.key(call.header("idempotency-key")).changed(changed));
    }

    /// Whether an open savings account keeps a client from being closed, as it does in the product.
    pub fn set_open_accounts_block_close(&self, on: bool) {
        self.state.lock().open_accounts_block_close = on;
    }

    /// Sets the balance of all accounts of a customer, in hundredths; says how many accounts it has.
    pub fn set_balance(&self, external_id: &str, hundredths: i64) -> Option<usize> {
        let mut state = self.state.lock();
        let at = *state.by_external_id.get(external_id)?;
        let client = state.clients.get_mut(at)?;
        for account in &mut client.accounts {
            account.hundredths = hundredths;
        }
        Some(client.accounts.len())
    }

    /// Every client with its accounts, or the one of a reference.
    pub(crate) fn snapshot(&self, reference: Option<&str>) -> Snapshot {
        let state = self.state.lock();
        let wanted = |client: &&Client| reference.is_none_or(|wanted| client.external_id.as_deref() == Some(wanted));
        let clients = || {
            state
                .clients
                .iter()
                .filter(wanted)
                .map(|client| json!({"client": client.json(), "accounts": client.accounts_json()}))
        };
        stored::snapshot(&Shown { clients: Each(clients), open_accounts_block_close: state.open_accounts_block_close })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<C: Serialize> {
    clients: C,
    open_accounts_block_close: bool,
}

fn ok(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body)
}

fn offices() -> Value {
    json!([{"id": 1, "name": client::OFFICE, "nameDecorated": client::OFFICE, "externalId": "1",
            "openingDate": [2009, 1, 1], "hierarchy": "."}])
}
