//! Identity: SCIM 2.0 (RFC 7643, 7644) with users, and devices as a resource type of its own (base `/scim`).
//!
//! What it does as the RFCs say: `application/scim+json`, list responses with `startIndex` and `count`, `eq` filters,
//! `PatchOp`, `meta`, error bodies whose status is text, 409 `uniqueness` on a taken `userName` or `externalId`. SCIM has
//! no idempotency key, so none here: each `pinReset` issues one more PIN.
//!
//! Two or three devices are enrolled for each user as it is created, made up from the seed and its external id; tests
//! enrol, change and remove more through `/control/devices`, as a user would at the identity system itself.

mod device;
mod error;
mod filter;
mod patch;
mod user;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call};
use crate::effects::{Effect, Effects};
use crate::stored::{Snapshot, Stored};
use crate::{System, chance, stored};

pub use device::Happening;
use error::Refusal;

const DEFAULT_COUNT: usize = 100;
const MAX_COUNT: usize = 200;

/// The system and its state.
pub struct Scim {
    seed: u64,
    effects: Arc<Effects>,
    state: Mutex<State>,
}

/// A resource: its attributes with `id`, `schemas` and `meta`.
type Resource = Map<String, Value>;

#[derive(Default)]
struct State {
    users: HashMap<String, Stored>,
    /// Ids of users in the order of their creation.
    user_order: Vec<String>,
    /// Lower case, since `userName` compares without case (RFC 7643, 4.1.1).
    by_user_name: HashMap<String, String>,
    by_external_id: HashMap<String, String>,
    devices: HashMap<String, Stored>,
    by_owner: HashMap<String, Vec<String>>,
    /// How many devices were ever enrolled for a user, and PINs reset for a device: ids are never used again.
    counters: HashMap<String, u64>,
}

impl State {
    fn next(&mut self, of: &str) -> u64 {
        let counter = self.counters.entry(of.to_owned()).or_default();
        *counter += 1;
        *counter
    }
}

impl Scim {
    pub(crate) fn new(seed: u64, effects: Arc<Effects>) -> Self {
        Scim { seed, effects, state: Mutex::default() }
    }

    /// Answers a call below `/scim`.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        self.decide(call).unwrap_or_else(|refusal| refusal.answer())
    }

    fn decide(&self, call: &Call) -> Result<Answer, Refusal> {
        if call.credential("bearer").is_none() {
            return Err(Refusal::unauthenticated());
        }
        let (method, path) = call.route();
        match (method, path.as_slice()) {
            ("GET", ["ServiceProviderConfig"]) => Ok(scim(StatusCode::OK, &service_provider_config())),
            ("GET", ["Users"]) => self.list_users(call),
            ("POST", ["Users"]) => self.create_user(call),
            ("GET", ["Users", id]) => self.read_user(id),
            ("PUT", ["Users", id]) => self.replace_user(id, call),
            ("PATCH", ["Users", id]) => self.patch_user(id, call),
            ("DELETE", ["Users", id]) => self.delete_user(id),
            ("GET", ["Devices"]) => self.list_devices(call),
            ("GET", ["Devices", id]) => self.read_device(id),
            ("PATCH", ["Devices", id]) => self.patch_device(id, call),
            ("DELETE", ["Devices", id]) => self.delete_device(id),
            ("POST", ["Devices", id, "pinReset"]) => self.reset_pin(id),
            (_, ["Users" | "Devices" | "ServiceProviderConfig", ..]) => Err(Refusal::method_not_allowed()),
            _ => Err(Refusal::not_found("Endpoint", &path.join("/"))),
        }
    }

    fn effect(&self, kind: &'static str, reference: &str, object: &str) -> EffectDraft<'_> {
        EffectDraft { effects: &self.effects, effect: Effect::new(System::Scim, kind, reference, object) }
    }

    /// Every user and device, or those of an external id.
    pub(crate) fn snapshot(&self, reference: Option<&str>) -> Snapshot {
        let state = &*self.state.lock();
        let ids: Vec<&String> = match reference {
            Some(reference) => state.by_external_id.get(reference).into_iter().collect(),
            None => state.user_order.iter().collect(),
        };
        let users: Vec<&Stored> = ids.iter().filter_map(|id| state.users.get(*id)).collect();
        let owned = ids.iter().filter_map(|id| state.by_owner.get(*id)).flatten();
        let devices: Vec<&Stored> = owned.filter_map(|id| state.devices.get(id)).collect();
        stored::snapshot(&BTreeMap::from([("users", users), ("devices", devices)]))
    }

    fn new_id(&self, topic: &str, about: &str) -> String {
        chance::uuid(self.seed, topic, about)
    }
}

/// An effect that is about to be written down.
struct EffectDraft<'a> {
    effects: &'a Effects,
    effect: Effect,
}

impl EffectDraft<'_> {
    fn record(self, version: Option<u64>, changed: bool) {
        self.effects.record(self.effect.version(version).changed(changed));
    }
}

/// A page of the resources of these ids as a list response (RFC 7644, 3.4.2).
fn list_response(ids: &[String], among: &HashMap<String, Stored>, call: &Call) -> Answer {
    let start = call.number("startIndex", 1).max(1);
    let count = call.number("count", DEFAULT_COUNT).min(MAX_COUNT);
    let page = ids.iter().skip(start - 1).take(count);
    let page: Vec<&Stored> = page.filter_map(|id| among.get(id)).collect();
    scim(
        StatusCode::OK,
        &ListResponse {
            schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            total_results: ids.len(),
            start_index: start,
            items_per_page: page.len(),
            resources: page,
        },
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListResponse<'a> {
    schemas: [&'static str; 1],
    total_results: usize,
    start_index: usize,
    items_per_page: usize,
    #[serde(rename = "Resources")]
    resources: Vec<&'a Stored>,
}

fn scim(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).unwrap_or_default();
    Answer::typed(status, "application/scim+json", body.into())
}

fn body(call: &Call) -> Result<Resource, Refusal> {
    call.object().ok_or_else(|| Refusal::bad("invalidSyntax", "The request body is not a JSON object."))
}

fn text<'a>(resource: &'a Resource, name: &str) -> Option<&'a str> {
    resource.get(name).and_then(Value::as_str)
}

/// Sets `meta`, keeping when it was created and counting its version up.
fn stamp(resource: &mut Resource, kind: &str, created: Option<&Value>, version: u64) {
    let now = crate::effects::rfc3339(chrono::Utc::now());
    let id = text(resource, "id").unwrap_or_default();
    let meta = json!({"resourceType": kind, "created": created.cloned().unwrap_or_else(|| json!(now)),
                      "lastModified": now, "location": format!("/scim/{kind}s/{id}"), "version": format!("W/\"{version}\"")});
    resource.insert("meta".to_owned(), meta);
}

/// The number in a resource's `meta.version`.
fn version(resource: &Resource) -> u64 {
    let version = resource.get("meta").and_then(|meta| meta.get("version")).and_then(Value::as_str);
    version.and_then(|version| version.trim_start_matches("W/").trim_matches('"').parse().ok()).unwrap_or_default()
}

fn service_provider_config() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true}, "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MAX_COUNT}, "changePassword": {"supported": false},
        "sort": {"supported": false}, "etag": {"supported": false},
        "authenticationSchemes": [{"type": "oauthbearertoken", "name": "OAuth Bearer Token",
                                   "description": "A bearer token in the Authorization header"}],
    })
}
