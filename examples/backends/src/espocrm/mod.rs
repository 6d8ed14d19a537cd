//! CRM: the EspoCRM REST API on accounts and contacts, and what is linked to them (base `/espocrm`, in real life
//! `…/api/v1`).
//!
//! What it does as the product does: the `X-Api-Key` header, lists with `where[…]` filters, records as flat attributes
//! that take any custom field, required fields answered with 400 and a validation body, `X-Status-Reason` on refusals,
//! 409 with the duplicates unless `X-Skip-Duplicate-Check` is sent. There is no idempotency key in EspoCRM, so none here.
//!
//! Cases, calls, meetings and e-mails of a record are made up from the seed and the record's id when they are asked for.
//! What it leaves out: permissions, streams, relations between records, field types.

mod record;
mod related;
mod search;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call};
use crate::effects::{Effect, Effects};
use crate::stored::{Each, Snapshot};
use crate::{System, stored};

use record::{EntityType, Record};
use search::Search;
use store::Store;

/// The system and its state.
pub struct EspoCrm {
    seed: u64,
    effects: Arc<Effects>,
    state: Mutex<Store>,
}

/// A refusal: status, `X-Status-Reason`, and a body where the product has one.
struct Refusal(StatusCode, String, Option<Value>);

impl Refusal {
    fn new(status: StatusCode, reason: &str) -> Self {
        Refusal(status, reason.to_owned(), None)
    }

    fn not_found() -> Self {
        Refusal::new(StatusCode::NOT_FOUND, "")
    }

    fn answer(self) -> Answer {
        let Refusal(status, reason, body) = self;
        let answer = match body {
            Some(body) => Answer::json(status, &body),
            None => Answer::empty(status),
        };
        if reason.is_empty() { answer } else { answer.with("x-status-reason", &reason) }
    }
}

impl EspoCrm {
    pub(crate) fn new(seed: u64, effects: Arc<Effects>) -> Self {
        EspoCrm { seed, effects, state: Mutex::default() }
    }

    /// Answers a call below `/espocrm`.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        self.decide(call).unwrap_or_else(Refusal::answer)
    }

    fn decide(&self, call: &Call) -> Result<Answer, Refusal> {
        if call.header("x-api-key").is_none_or(str::is_empty) {
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized"));
        }
        let (method, path) = call.route();
        if let ("GET", ["App", "user"]) = (method, path.as_slice()) {
            return Ok(ok(&app_user()));
        }
        let [kind, rest @ ..] = path.as_slice() else {
            return Err(Refusal::not_found());
        };
        let kind = EntityType::named(kind).ok_or_else(Refusal::not_found)?;
        match (method, rest) {
            ("GET", []) => self.list(kind, call),
            ("POST", []) => self.create(kind, call),
            ("GET", [id]) => self.read(kind, id),
            ("PUT" | "PATCH", [id]) => self.update(kind, id, call),
            ("GET", [id, link]) => self.linked(kind, id, link, call),
            _ => Err(Refusal::not_found()),
        }
    }

    fn list(&self, kind: EntityType, call: &Call) -> Result<Answer, Refusal> {
        let search = Search::read(call)?;
        let state = self.state.lock();
        let found = state.candidates(kind, search.equals());
        Ok(ok(&search.page(found.map(|record| record.attributes))))
    }

    fn create(&self, kind: EntityType, call: &Call) -> Result<Answer, Refusal> {
        let body = object(call)?;
        let mut state = self.state.lock();
        let id = format!("66{:015x}", state.records.len() + 1);
        let record = Record::new(kind, id, body, self.seed)?;
        let skip_check = call.header("x-skip-duplicate-check").is_some_and(|skip| skip.eq_ignore_ascii_case("true"));
        if !skip_check {
            let duplicates = state.duplicates(&record);
            if !duplicates.is_empty() {
                return Err(Refusal(StatusCode::CONFLICT, "duplicate".to_owned(), Some(json!(duplicates))));
            }
        }
        self.effect(kind.created(), &record, true);
        state.insert(&record);
        Ok(ok(&record.attributes))
    }

    fn read(&self, kind: EntityType, id: &str) -> Result<Answer, Refusal> {
        let state = self.state.lock();
        let (_, record) = state.record(kind, id)?;
        Ok(ok(&record.attributes))
    }

    fn update(&self, kind: EntityType, id: &str, call: &Call) -> Result<Answer, Refusal> {
        let body = object(call)?;
        let mut state = self.state.lock();
        let (at, mut record) = state.record(kind, id)?;
        let changed = record.update(body)?;
        self.effect(kind.updated(), &record, changed);
        state.replace(at, &record);
        Ok(ok(&record.attributes))
    }

    fn linked(&self, kind: EntityType, id: &str, link: &str, call: &Call) -> Result<Answer, Refusal> {
        let search = Search::read(call)?;
        let state = self.state.lock();
        let (_, record) = state.record(kind, id)?;
        let entries = related::entries(self.seed, &record, link).ok_or_else(Refusal::not_found)?;
        Ok(ok(&search.page(entries.into_iter())))
    }

    fn effect(&self, kind: &'static str, record: &Record, changed: bool) {
        let effect = Effect::new(System::Espocrm, kind, record.reference(), record.id());
        self.effects.record(effect.version(record.version()).changed(changed));
    }

    /// Every record, or those of a reference.
    pub(crate) fn snapshot(&self, reference: Option<&str>) -> Snapshot {
        let state = self.state.lock();
        let of_kind = |kind| {
            let records = &state.records;
            Each(move || {
                let wanted = records.iter().filter(move |kept| kept.kind == kind);
                let wanted = wanted.filter(move |kept| reference.is_none_or(|one| kept.load().reference() == one));
                wanted.map(|kept| &kept.attributes)
            })
        };
        let shown = [("accounts", of_kind(EntityType::Account)), ("contacts", of_kind(EntityType::Contact))];
        stored::snapshot(&BTreeMap::from(shown))
    }
}

fn object(call: &Call) -> Result<Map<String, Value>, Refusal> {
    call.object().ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, "Bad request body; expected a JSON object."))
}

fn ok(body: &impl Serialize) -> Answer {
    Answer::json(StatusCode::OK, body)
}

fn app_user() -> Value {
    json!({"user": {"id": "66apiuser00000001", "userName": "clients-hub", "type": "api", "isActive": true},
           "acl": {"table": {"Account": true, "Contact": true}}, "preferences": {}, "token": null, "settings": {}})
}
