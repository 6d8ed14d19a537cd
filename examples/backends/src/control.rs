//! What tests do to the systems and ask of them; no product has these routes.
//!
//! | route | body or query | answer |
//! | --- | --- | --- |
//! | `POST /control` | `{"system": "fineract", "fault": {…}}`: see [`crate::faults`]; `"fault": null` clears that system's, and without `system` all | 201 `{"id"}`, 200 where it cleared |
//! | `GET /control/faults` | | what is switched on, with its hits |
//! | `GET /control/state` | `system=`, `reference=`, `after=` (a `seq`), `limit=` | `{"systems", "effects", "references"}` |
//! | `GET /control/effects` | the same | `{"effects"}` only, cheap |
//! | `POST /control/devices` | `{"externalId" or "user", "op": "enrol, change or remove", "device", "set": {…}}` | the device |
//! | `POST /control/accounts` | `{"externalId", "balance": "12.50"}`: all accounts of that customer | `{"accounts": n}` |
//! | `POST /control/rules` | `{"openAccountsBlockClose": true}` | `{}` |

use std::collections::BTreeMap;

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call};
use crate::effects::{self, Effect};
use crate::faults::FaultSpec;
use crate::scim::Happening;
use crate::stored::Snapshot;
use crate::{Backends, System};

/// A page that nobody asked to be smaller.
const DEFAULT_LIMIT: usize = 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFault {
    system: Option<System>,
    fault: Option<FaultSpec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeDevice {
    #[serde(alias = "user")]
    external_id: String,
    op: Operation,
    #[serde(default)]
    device: String,
    #[serde(default)]
    set: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Operation {
    Enrol,
    Change,
    Remove,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetBalance {
    external_id: String,
    balance: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetRules {
    open_accounts_block_close: bool,
}

/// Answers a call below `/control`.
#[must_use]
pub fn answer(backends: &Backends, call: &Call) -> Answer {
    decide(backends, call).unwrap_or_else(|message| Answer::json(StatusCode::BAD_REQUEST, &json!({"error": message})))
}

fn decide(backends: &Backends, call: &Call) -> Result<Answer, String> {
    let (method, path) = call.route();
    match (method, path.as_slice()) {
        ("POST", []) => set_fault(backends, read(call)?),
        ("GET", ["faults"]) => Ok(ok(&json!({"faults": backends.faults.active()}))),
        ("GET", ["state"]) => state(backends, call),
        ("GET", ["effects"]) => Ok(ok(&BTreeMap::from([("effects", effects(backends, call)?)]))),
        ("POST", ["devices"]) => change_device(backends, read(call)?),
        ("POST", ["accounts"]) => set_balance(backends, &read(call)?),
        ("POST", ["rules"]) => {
            let rules: SetRules = read(call)?;
            backends.fineract.set_open_accounts_block_close(rules.open_accounts_block_close);
            Ok(ok(&json!({})))
        }
        _ => Ok(Answer::json(StatusCode::NOT_FOUND, &json!({"error": "no such control route"}))),
    }
}

fn set_fault(backends: &Backends, request: SetFault) -> Result<Answer, String> {
    match (request.system, request.fault) {
        (system, None) => {
            backends.faults.clear(system);
            Ok(ok(&json!({})))
        }
        (Some(system), Some(fault)) => {
            let id = backends.faults.add(system, fault).map_err(|error| error.to_string())?;
            Ok(Answer::json(StatusCode::CREATED, &json!({"id": id})))
        }
        (None, Some(_)) => Err("a fault needs \"system\"".to_owned()),
    }
}

fn state(backends: &Backends, call: &Call) -> Result<Answer, String> {
    let only = system(call)?;
    let reference = call.param("reference");
    let wanted = System::ALL.into_iter().filter(|system| only.is_none_or(|only| *system == only));
    let systems = wanted.map(|system| (system.name(), snapshot(backends, system, reference))).collect();
    let effects = effects(backends, call)?;
    Ok(ok(&State { systems, references: effects::by_reference(&effects), effects: &effects }))
}

#[derive(Serialize)]
struct State<'a> {
    systems: BTreeMap<&'static str, Snapshot>,
    effects: &'a [Effect],
    references: BTreeMap<&'a str, Vec<u64>>,
}

fn snapshot(backends: &Backends, system: System, reference: Option<&str>) -> Snapshot {
    match system {
        System::Fineract => backends.fineract.snapshot(reference),
        System::Espocrm => backends.espocrm.snapshot(reference),
        System::Match => backends.matching.snapshot(),
        System::Scim => backends.scim.snapshot(reference),
        System::Mail => backends.mail.snapshot(reference),
        System::Sms => backends.sms.snapshot(reference),
    }
}

fn effects(backends: &Backends, call: &Call) -> Result<Vec<Effect>, String> {
    let only = system(call)?;
    let reference = call.param("reference");
    let after = call.number("after", 0) as u64;
    Ok(backends.effects.select(after, call.number("limit", DEFAULT_LIMIT), |effect| {
        only.is_none_or(|only| effect.system == only) && reference.is_none_or(|reference| effect.reference == reference)
    }))
}

fn change_device(backends: &Backends, request: ChangeDevice) -> Result<Answer, String> {
    let happening = match request.op {
        Operation::Enrol => Happening::Enrol(request.set),
        Operation::Change => Happening::Change(request.device, request.set),
        Operation::Remove => Happening::Remove(request.device),
    };
    backends.scim.happen(&request.external_id, happening).map(|device| ok(&device))
}

fn set_balance(backends: &Backends, request: &SetBalance) -> Result<Answer, String> {
    let hundredths = hundredths(&request.balance).ok_or("\"balance\" is a decimal with at most two places, as text")?;
    let accounts = backends.fineract.set_balance(&request.external_id, hundredths);
    let accounts = accounts.ok_or_else(|| format!("no customer {}", request.external_id))?;
    Ok(ok(&json!({"accounts": accounts})))
}

/// `"-12.5"` as −1250.
fn hundredths(decimal: &str) -> Option<i64> {
    let (whole, places) = decimal.split_once('.').unwrap_or((decimal, ""));
    if places.len() > 2 {
        return None;
    }
    format!("{whole}{places:0<2}").parse().ok()
}

fn system(call: &Call) -> Result<Option<System>, String> {
    let Some(name) = call.param("system") else {
        return Ok(None);
    };
    let found = System::ALL.into_iter().find(|system| system.name() == name);
    found.map(Some).ok_or_else(|| format!("no system {name}; there are {}", System::ALL.map(System::name).join(", ")))
}

fn read<T: DeserializeOwned>(call: &Call) -> Result<T, String> {
    serde_json::from_slice(&call.body).map_err(|error| error.to_string())
}

fn ok(body: &impl Serialize) -> Answer {
    Answer::json(StatusCode::OK, body)
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn decimals_become_hundredths() {
        for (text, expected) in
            [("12.50", Some(1250)), ("-0.5", Some(-50)), ("7", Some(700)), ("1.234", None), ("x", None)]
        {
            assert_eq!(hundredths(text), expected, "{text}");
        }
    }
}
