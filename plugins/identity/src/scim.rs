//! What every SCIM request has in common: the media type, filters, patches, lists, and how refusals read.

use adapter_kit::http::Method;
use adapter_kit::types::{Disposition, Health};
use adapter_kit::{Answer, Call, Refusal, Session, below};
use serde::Deserialize;
use serde_json::{Value, json};

const MEDIA_TYPE: &str = "application/scim+json";
const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

const NO_CONTENT: u16 = 204;

#[derive(Deserialize)]
struct Changed {
    id: String,
}

/// A list response (RFC 7644, section 3.4.2). `Resources` may be left out where there is none.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    pub total_results: usize,
    #[serde(rename = "Resources", default = "Vec::new")]
    pub resources: Vec<T>,
}

pub fn get(segments: &[&str]) -> Result<Call, Disposition> {
    Ok(Call::get("api", below(segments)?).header("accept", MEDIA_TYPE))
}

pub fn post(segments: &[&str], body: &Value) -> Result<Call, Disposition> {
    let call = Call::post("api", below(segments)?).header("accept", MEDIA_TYPE);
    Ok(call.body(MEDIA_TYPE, body.to_string()))
}

/// Changes attributes of a resource, by one `replace` without a path, whose value names them (RFC 7644, section 3.5.2.3).
/// What shows that it was done is the resource, or an answer without a body (section 3.5.2).
///
/// # Errors
/// Anything else, for example the page of a proxy: `unknown`.
pub fn change(session: &Session<'_>, (kind, id): (&str, &str), attributes: &Value) -> Result<(), Disposition> {
    let body = json!({"schemas": [PATCH_SCHEMA], "Operations": [{"op": "replace", "value": attributes}]});
    let call = Call::new("api", Method::Patch, below(&[kind, id])?).header("accept", MEDIA_TYPE);
    let answer = send(session, call.body(MEDIA_TYPE, body.to_string()))?;
    if answer.status() == NO_CONTENT {
        return Ok(());
    }
    let Changed { id: shown } = answer.json()?;
    if shown == id { Ok(()) } else { Err(answer.nonsense("it shows another resource")) }
}

/// `attribute eq "value"`; a filter's texts are JSON's (RFC 7644, section 3.4.2.2).
pub fn equals(attribute: &str, value: &str) -> String {
    format!("{attribute} eq {}", json!(value))
}

/// Sends, and lets only a success through.
pub fn send(session: &Session<'_>, call: Call) -> Result<Answer, Disposition> {
    session.send(call)?.success(refusal)
}

/// One cheap question that needs a working credential.
pub fn check_health(session: &Session<'_>) -> Result<Health, Disposition> {
    send(session, get(&["ServiceProviderConfig"])?)?.read().map(|()| Health { ok: true, detail: None })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Problem {
    scim_type: String,
}

/// The `scimType` of an error (RFC 7644, section 3.12). Its `detail` is free text and stays out.
pub fn refusal(answer: &Answer) -> Refusal {
    Refusal::coded(&answer.try_json::<Problem>().unwrap_or_default().scim_type, None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::testing::Script;

    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        assert_eq!(equals("externalId", r#"a" or active eq "true"#), r#"externalId eq "a\" or active eq \"true""#);
    }

    #[test]
    fn only_the_resource_or_nothing_shows_that_it_was_changed() {
        let changed = |script: Script| change(&Session::new(&script), ("Users", "u-1"), &json!({"active": false}));
        assert!(changed(Script::new().answer(200, json!({"id": "u-1", "active": false}))).is_ok());
        assert!(changed(Script::new().answer(204, Value::Null)).is_ok());
        for other in [json!({"id": "u-2"}), json!({"unexpected": [1, "two", null]}), json!({})] {
            assert!(matches!(changed(Script::new().answer(200, other)), Err(Disposition::Unknown(_))));
        }
        assert!(matches!(changed(Script::new().answer_text(200, "<html>")), Err(Disposition::Unknown(_))));
    }

    #[test]
    fn an_error_is_named_by_its_type() {
        let problem = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "scimType": "invalidValue",
                             "detail": "Jane Doe is no name", "status": "400"});
        let script = Script::new().answer(400, problem);
        let outcome = send(&Session::new(&script), get(&["Users"]).unwrap()).unwrap_err();
        assert!(matches!(outcome, Disposition::Reject(reject) if reject.why == "GET /Users answered 400 invalidValue"));
    }
}
