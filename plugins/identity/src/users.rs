//! Users: found by external id, created, brought up to date, disabled.

use adapter_kit::Session;
use adapter_kit::types::{Disposition, Profile, Receipt};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::scim::{List, change, equals, get, post, refusal, send};
use crate::user;

const CONFLICT: u16 = 409;

/// Creates the identity, or finds the one that is there and brings it up to this version.
pub fn provision(session: &Session<'_>, profile: &Profile) -> Result<Receipt, Disposition> {
    if let Some(found) = look_up(session, &profile.reference)? {
        return adopt(session, profile, found);
    }
    let answer = session.send(post(&["Users"], &user::create(profile))?)?;
    if answer.status() == CONFLICT
        && let Some(found) = look_up(session, &profile.reference)?
    {
        return adopt(session, profile, found);
    }
    let answer = answer.success(refusal)?;
    let created: Value = answer.json()?;
    let id = created.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.map(|id| receipt(id, None)).ok_or_else(|| answer.nonsense("the user created has no id"))
}

/// A user that is there.
struct Found {
    id: String,
    /// 0 where it carries none.
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    external_id: Option<String>,
    #[serde(rename = "urn:backoffice:params:scim:schemas:extension:2.0:Client")]
    client: Option<Client>,
}

#[derive(Deserialize)]
struct Client {
    version: Option<u64>,
}

/// The user whose external id is exactly this one: a server may compare without case.
fn look_up(session: &Session<'_>, reference: &str) -> Result<Option<Found>, Disposition> {
    let call = get(&["Users"])?.query("filter", &equals("externalId", reference)).query("count", "2");
    let users: List<User> = send(session, call)?.json()?;
    let found = users.resources.into_iter().find(|user| user.external_id.as_deref() == Some(reference));
    Ok(found.map(|user| {
        let version = user.client.and_then(|client| client.version).unwrap_or(0);
        Found { id: user.id, version }
    }))
}

fn adopt(session: &Session<'_>, profile: &Profile, found: Found) -> Result<Receipt, Disposition> {
    if found.version > profile.version {
        return Ok(receipt(&found.id, Some("has a newer version already")));
    }
    update(session, &found.id, profile)?;
    Ok(receipt(&found.id, Some("existed already")))
}

/// Brings the identity up to this version.
pub fn update(session: &Session<'_>, id: &str, profile: &Profile) -> Result<Receipt, Disposition> {
    change(session, ("Users", id), &user::update(profile))?;
    Ok(receipt(id, None))
}

/// Disables the identity. What is so already stays so.
pub fn disable(session: &Session<'_>, id: &str) -> Result<Receipt, Disposition> {
    change(session, ("Users", id), &json!({"active": false}))?;
    Ok(receipt(id, None))
}

fn receipt(id: &str, note: Option<&str>) -> Receipt {
    Receipt { external_id: id.to_owned(), note: note.map(str::to_owned) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::http::HttpFailure;
    use adapter_kit::testing::{Script, individual};

    use super::*;
    use crate::user::CLIENT;

    const LOOK_UP: &str = "GET api /Users?filter=externalId eq \"CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE\"&count=2";

    fn found(version: u64) -> Value {
        let user = json!({"id": "u-1", "externalId": individual().reference, CLIENT: {"version": version}});
        json!({"totalResults": 1, "Resources": [user]})
    }

    fn nobody() -> Value {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0})
    }

    fn provisioned(script: &Script) -> Result<Receipt, Disposition> {
        provision(&Session::new(script), &individual())
    }

    #[test]
    fn an_absent_user_is_created() {
        let script = Script::new().answer(200, nobody()).answer(201, json!({"id": "u-1"}));
        assert_eq!(provisioned(&script).unwrap(), receipt("u-1", None));
        assert_eq!(script.lines(), [LOOK_UP, "POST api /Users"]);
        assert_eq!(script.header_sent(1, "content-type").as_deref(), Some("application/scim+json"));
    }

    #[test]
    fn a_user_that_is_there_is_brought_up_to_date() {
        let script = Script::new().answer(200, found(7)).answer(200, json!({"id": "u-1"}));
        assert_eq!(provisioned(&script).unwrap(), receipt("u-1", Some("existed already")));
        assert_eq!(script.lines(), [LOOK_UP, "PATCH api /Users/u-1"]);
        assert_eq!(script.sent(1)["Operations"][0]["value"]["active"], json!(true));
    }

    #[test]
    fn a_newer_version_is_never_overwritten() {
        let script = Script::new().answer(200, found(8));
        assert_eq!(provisioned(&script).unwrap().note.as_deref(), Some("has a newer version already"));
    }

    #[test]
    fn a_race_ends_with_the_users_own_winner() {
        let script = Script::new()
            .answer(200, nobody())
            .answer(409, json!({"scimType": "uniqueness"}))
            .answer(200, found(7))
            .answer(204, Value::Null);
        assert_eq!(provisioned(&script).unwrap().external_id, "u-1");
    }

    #[test]
    fn a_user_name_that_another_holds_is_rejected() {
        let script =
            Script::new().answer(200, nobody()).answer(409, json!({"scimType": "uniqueness"})).answer(200, nobody());
        assert!(matches!(provisioned(&script), Err(Disposition::Reject(reject)) if reject.why.ends_with("uniqueness")));
    }

    #[test]
    fn a_lost_creation_is_unknown() {
        let script = Script::new().answer(200, nobody()).fail(HttpFailure::TimedOut);
        assert!(matches!(provisioned(&script), Err(Disposition::Unknown(_))));
    }

    #[test]
    fn disabling_says_only_that() {
        let script = Script::new().answer(204, Value::Null);
        assert!(disable(&Session::new(&script), "u-1").is_ok());
        let expected = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                              "Operations": [{"op": "replace", "value": {"active": false}}]});
        assert_eq!((script.lines(), script.sent(0)), (vec!["PATCH api /Users/u-1".to_owned()], expected));
    }
}
