//! Accounts and contacts: found by reference, created, brought up to date, marked as archived.

use adapter_kit::http::Method;
use adapter_kit::types::{ClientStatus, Disposition, Profile, Receipt};
use adapter_kit::{Answer, Call, Session, below};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::body::{entity, record, status};
use crate::espo::{Fields, List, Target, filter, refusal};

#[derive(Deserialize)]
struct Saved {
    id: String,
}

/// Creates the record, or brings it up to this version.
pub fn upsert(session: &Session<'_>, profile: &Profile) -> Result<Receipt, Disposition> {
    let fields = Fields::read(session.settings());
    let entity = entity(profile.kind);
    let body = record(profile, &fields);
    match look_up(session, &fields, entity, &profile.reference)? {
        None => {
            let call = Call::post("api", below(&[entity])?).header("x-skip-duplicate-check", "true").json(&body);
            let saved = save(session.send(call)?)?;
            Ok(receipt(entity, &saved.id, None))
        }
        Some((id, version)) if version > profile.version => {
            Ok(receipt(entity, &id, Some("has a newer version already")))
        }
        Some((id, _)) => {
            let call = Call::new("api", Method::Put, below(&[entity, &id])?).json(&body);
            save(session.send(call)?)?;
            Ok(receipt(entity, &id, profile.external_id.is_none().then_some("existed already")))
        }
    }
}

/// The id of the record with this reference, and the version that it carries (0 where it carries none).
fn look_up(
    session: &Session<'_>,
    fields: &Fields,
    entity: &str,
    reference: &str,
) -> Result<Option<(String, u64)>, Disposition> {
    let call = filter(Call::get("api", below(&[entity])?), "equals", &fields.reference, &[reference])
        .query("select", &format!("id,{}", fields.version))
        .query("maxSize", "2");
    let answer = session.send(call)?.success(refusal)?;
    let found: List<Map<String, Value>> = answer.json()?;
    let Some(first) = found.list.first() else { return Ok(None) };
    let id = first.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| answer.nonsense("the record found has no id"))?;
    let version = first.get(&fields.version).and_then(Value::as_u64).unwrap_or(0);
    Ok(Some((id.to_owned(), version)))
}

fn save(answer: Answer) -> Result<Saved, Disposition> {
    let answer = answer.success(refusal)?;
    let saved: Saved = answer.json()?;
    if saved.id.is_empty() { Err(answer.nonsense("the record saved has no id")) } else { Ok(saved) }
}

/// Marks the record as archived. What is so already stays so.
pub fn archive(session: &Session<'_>, external_id: &str) -> Result<Receipt, Disposition> {
    let fields = Fields::read(session.settings());
    let target = Target::read(external_id)?;
    let body = json!({ fields.status: status(ClientStatus::Archived) });
    save(session.send(Call::new("api", Method::Put, target.path()?).json(&body))?)?;
    Ok(receipt(target.entity, target.id, None))
}

fn receipt(entity: &str, id: &str, note: Option<&str>) -> Receipt {
    Receipt { external_id: format!("{entity}/{id}"), note: note.map(str::to_owned) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::http::HttpFailure;
    use adapter_kit::testing::{Script, corporate, individual};

    use super::*;

    const LOOK_UP: &str = "GET api /Account?where[0][type]=equals&where[0][attribute]=cClientReference\
                           &where[0][value]=CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE&select=id,cClientVersion&maxSize=2";

    fn found(version: u64) -> Value {
        json!({"total": 1, "list": [{"id": "66a1", "cClientVersion": version}]})
    }

    fn nothing() -> Value {
        json!({"total": 0, "list": []})
    }

    fn upsert_by(script: &Script) -> Result<Receipt, Disposition> {
        upsert(&Session::new(script), &corporate())
    }

    #[test]
    fn an_absent_record_is_created() {
        let script = Script::new().answer(200, nothing()).answer(200, json!({"id": "66a1"}));
        assert_eq!(upsert_by(&script).unwrap(), receipt("Account", "66a1", None));
        assert_eq!(script.lines(), [LOOK_UP, "POST api /Account"]);
        assert_eq!(script.header_sent(1, "x-skip-duplicate-check").as_deref(), Some("true"));
    }

    #[test]
    fn a_record_that_is_there_is_updated() {
        let script = Script::new().answer(200, found(6)).answer(200, json!({"id": "66a1"}));
        assert_eq!(upsert_by(&script).unwrap(), receipt("Account", "66a1", Some("existed already")));
        assert_eq!(script.lines(), [LOOK_UP, "PUT api /Account/66a1"]);
        assert_eq!(script.sent(1)["cClientVersion"], json!(7));
    }

    #[test]
    fn a_newer_version_is_never_overwritten() {
        let script = Script::new().answer(200, found(8));
        assert_eq!(upsert_by(&script).unwrap().note.as_deref(), Some("has a newer version already"));
        assert_eq!(script.lines().len(), 1);
    }

    #[test]
    fn the_same_version_again_is_sent_again() {
        let script = Script::new().answer(200, found(7)).answer(200, json!({"id": "66a1"}));
        assert!(upsert_by(&script).is_ok());
        assert_eq!(script.lines().len(), 2);
    }

    #[test]
    fn an_individual_is_looked_for_among_contacts() {
        let script = Script::new().answer(200, nothing()).answer(200, json!({"id": "66c1"}));
        let outcome = upsert(&Session::new(&script), &individual());
        assert_eq!(outcome.unwrap().external_id, "Contact/66c1");
        assert_eq!(script.lines()[1], "POST api /Contact");
    }

    #[test]
    fn a_lost_creation_is_unknown() {
        let script = Script::new().answer(200, nothing()).fail(HttpFailure::Interrupted("reset".to_owned()));
        assert!(matches!(upsert_by(&script), Err(Disposition::Unknown(_))));
    }

    #[test]
    fn a_creation_answered_with_nonsense_is_unknown() {
        for body in [json!({}), json!({"id": ""}), json!([1])] {
            let script = Script::new().answer(200, nothing()).answer(200, body);
            assert!(matches!(upsert_by(&script), Err(Disposition::Unknown(_))));
        }
    }

    #[test]
    fn archiving_sets_the_status() {
        let script = Script::new().setting("status-field", "cState").answer(200, json!({"id": "66a1"}));
        assert!(archive(&Session::new(&script), "Account/66a1").is_ok());
        assert_eq!(script.lines(), ["PUT api /Account/66a1"]);
        assert_eq!(script.sent(0), json!({"cState": "archived"}));
    }
}
