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

use std::collections::HashMap;
use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::System;
use crate::call::{Answer, Call};
use crate::effects::{Effect, Effects};

use record::{EntityType, Record, is_indexed};
use search::Search;

/// The system and its state.
pub struct EspoCrm {
    seed: u64,
    effects: Arc<Effects>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    by_id: HashMap<String, usize>,
    /// Places by entity type, attribute and value, for the attributes that are looked up.
    index: HashMap<(EntityType, String, String), Vec<usize>>,
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
        if reason.is_empty() {
            answer
        } else {
            answer.with("x-status-reason", &reason)
        }
    }
}

impl EspoCrm {
    pub(crate) fn new(seed: u64, effects: Arc<Effects>) -> Self {
        EspoCrm {
            seed,
            effects,
            state: Mutex::default(),
        }
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
        let places = search
            .equals()
            .find_map(|(attribute, value)| state.looked_up(kind, attribute, value));
        let candidates: Box<dyn Iterator<Item = &Record>> = match &places {
            Some(places) => Box::new(places.iter().filter_map(|at| state.records.get(*at))),
            None => Box::new(state.records.iter()),
        };
        let found = candidates
            .filter(|record| record.kind == kind)
            .map(|record| &record.attributes);
        Ok(ok(&search.page(found)))
    }

    fn create(&self, kind: EntityType, call: &Call) -> Result<Answer, Refusal> {
        let body = object(call)?;
        let mut state = self.state.lock();
        let id = format!("66{:015x}", state.records.len() + 1);
        let record = Record::new(kind, id, body, self.seed)?;
        let skip_check = call
            .header("x-skip-duplicate-check")
            .is_some_and(|skip| skip.eq_ignore_ascii_case("true"));
        if !skip_check {
            let duplicates = state.duplicates(&record);
            if !duplicates.is_empty() {
                return Err(Refusal(
                    StatusCode::CONFLICT,
                    "duplicate".to_owned(),
                    Some(json!(duplicates)),
                ));
            }
        }
        self.effect(kind.created(), &record, true);
        let answer = ok(&Value::Object(record.attributes.clone()));
        state.insert(record);
        Ok(answer)
    }

    fn read(&self, kind: EntityType, id: &str) -> Result<Answer, Refusal> {
        let state = self.state.lock();
        state
            .record(kind, id)
            .map(|(_, record)| ok(&Value::Object(record.attributes.clone())))
    }

    fn update(&self, kind: EntityType, id: &str, call: &Call) -> Result<Answer, Refusal> {
        let body = object(call)?;
        let mut state = self.state.lock();
        let (at, record) = state.record(kind, id)?;
        let mut updated = record.clone();
        let changed = updated.update(body)?;
        self.effect(kind.updated(), &updated, changed);
        let answer = ok(&Value::Object(updated.attributes.clone()));
        state.replace(at, updated);
        Ok(answer)
    }

    fn linked(
        &self,
        kind: EntityType,
        id: &str,
        link: &str,
        call: &Call,
    ) -> Result<Answer, Refusal> {
        let search = Search::read(call)?;
        let state = self.state.lock();
        let (_, record) = state.record(kind, id)?;
        let entries = related::entries(self.seed, record, link).ok_or_else(Refusal::not_found)?;
        Ok(ok(&search.page(entries.iter())))
    }

    fn effect(&self, kind: &'static str, record: &Record, changed: bool) {
        let effect = Effect::new(System::Espocrm, kind, record.reference(), record.id());
        self.effects
            .record(effect.version(record.version()).changed(changed));
    }

    /// Every record, or those of a reference.
    #[must_use]
    pub fn snapshot(&self, reference: Option<&str>) -> Value {
        let state = self.state.lock();
        let of_kind = |kind| -> Vec<&Map<String, Value>> {
            let wanted = state.records.iter().filter(|record| record.kind == kind);
            let wanted = wanted
                .filter(|record| reference.is_none_or(|reference| record.reference() == reference));
            wanted.map(|record| &record.attributes).collect()
        };
        json!({"accounts": of_kind(EntityType::Account), "contacts": of_kind(EntityType::Contact)})
    }
}

impl State {
    fn record(&self, kind: EntityType, id: &str) -> Result<(usize, &Record), Refusal> {
        let at = self.by_id.get(id).copied();
        let found = at.and_then(|at| Some((at, self.records.get(at)?)));
        found
            .filter(|(_, record)| record.kind == kind)
            .ok_or_else(Refusal::not_found)
    }

    /// The places of an indexed attribute's value; nothing where the attribute is not indexed.
    fn looked_up(&self, kind: EntityType, attribute: &str, value: &str) -> Option<Vec<usize>> {
        if attribute == "id" {
            return Some(self.by_id.get(value).copied().into_iter().collect());
        }
        let key = (kind, attribute.to_owned(), value.to_owned());
        is_indexed(attribute).then(|| self.index.get(&key).cloned().unwrap_or_default())
    }

    /// Records of the same name and the same external reference.
    fn duplicates(&self, record: &Record) -> Vec<&Map<String, Value>> {
        let places = record
            .index_keys()
            .filter_map(|key| self.index.get(&key))
            .flatten();
        let records = places.filter_map(|at| self.records.get(*at));
        let mut same: Vec<&Record> = records
            .filter(|other| {
                other.name() == record.name() && other.reference() == record.reference()
            })
            .collect();
        same.dedup_by_key(|record| record.id());
        same.into_iter().map(|record| &record.attributes).collect()
    }

    fn insert(&mut self, record: Record) {
        let at = self.records.len();
        self.by_id.insert(record.id().to_owned(), at);
        for key in record.index_keys() {
            self.index.entry(key).or_default().push(at);
        }
        self.records.push(record);
    }

    fn replace(&mut self, at: usize, record: Record) {
        for key in record.index_keys() {
            let places = self.index.entry(key).or_default();
            if !places.contains(&at) {
                places.push(at);
            }
        }
        let Some(place) = self.records.get_mut(at) else {
            return;
        };
        let old = std::mem::replace(place, record);
        let kept: Vec<_> = place.index_keys().collect();
        for key in old.index_keys().filter(|key| !kept.contains(key)) {
            if let Some(places) = self.index.get_mut(&key) {
                places.retain(|place| *place != at);
            }
        }
    }
}

fn object(call: &Call) -> Result<Map<String, Value>, Refusal> {
    call.object().ok_or_else(|| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "Bad request body; expected a JSON object.",
        )
    })
}

fn ok(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body)
}

fn app_user() -> Value {
    json!({"user": {"id": "66apiuser00000001", "userName": "clients-hub", "type": "api", "isActive": true},
           "acl": {"table": {"Account": true, "Contact": true}}, "preferences": {}, "token": null, "settings": {}})
}
