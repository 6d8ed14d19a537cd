//! What every request to Fineract has in common: tenant, idempotency key, settings, and how its refusals read.

use adapter_kit::types::{Disposition, Health, Reject};
use adapter_kit::{Answer, Call, Refusal, Session, Settings, below, unavailable, within};
use serde::Deserialize;
use serde_json::Value;

pub const SETTINGS: [&str; 6] =
    ["tenant", "office-id", "locale", "utc-offset-minutes", "closure-reason-id", "constitution-id"];

/// Fineract keeps keys in a column of this width.
const KEY_LENGTH: usize = 50;

const A_DAY: i64 = 24 * 60;

/// The settings, read once a call.
pub struct Tenant {
    pub name: String,
    pub office_id: u64,
    pub locale: String,
    pub utc_offset_minutes: i64,
    pub closure_reason_id: u64,
    pub constitution_id: Option<u64>,
}

impl Tenant {
    /// Reads the settings.
    ///
    /// # Errors
    /// `unavailable` where one is malformed.
    pub fn read(settings: Settings<'_>) -> Result<Self, Disposition> {
        let ids = 1..=u64::from(u32::MAX);
        Ok(Self {
            name: settings.text("tenant", "default"),
            office_id: settings.number("office-id", ids.clone())?.unwrap_or(1),
            locale: settings.text("locale", "en"),
            utc_offset_minutes: settings.number("utc-offset-minutes", -A_DAY..=A_DAY)?.unwrap_or(0),
            closure_reason_id: settings.number("closure-reason-id", ids.clone())?.unwrap_or(1),
            constitution_id: settings.number("constitution-id", ids)?,
        })
    }

    pub fn get(&self, path: String) -> Call {
        Call::get("api", path).header("fineract-platform-tenantid", &self.name)
    }

    pub fn write(&self, call: Call, body: &Value) -> Call {
        call.header("fineract-platform-tenantid", &self.name).json(body)
    }
}

/// One cheap question that needs a working tenant and credential.
pub fn check_health(session: &Session<'_>) -> Result<Health, Disposition> {
    let tenant = Tenant::read(session.settings())?;
    let answer = session.send(tenant.get(below(&["offices"])?).query("fields", "id"))?;
    success(answer)?.read().map(|()| Health { ok: true, detail: None })
}

/// Sends a command under its key. Fineract also repeats a *refusal* that it remembers under a key, for ever, even when its
/// cause is gone; such a one proves that nothing was done, so the command is sent once more, without a key.
pub fn command(session: &Session<'_>, call: Call, key: &str) -> Result<Answer, Disposition> {
    let answer = session.send(call.clone().header("idempotency-key", &within(KEY_LENGTH, key)))?;
    let remembered = answer.header("x-served-from-cache").is_some_and(|cached| cached.eq_ignore_ascii_case("true"));
    if remembered && (400..500).contains(&answer.status()) {
        return session.send(call);
    }
    Ok(answer)
}

/// Fineract's error envelope.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Envelope {
    user_message_globalisation_code: String,
    errors: Vec<ParameterError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ParameterError {
    user_message_globalisation_code: String,
    parameter_name: String,
}

/// The code of the first thing that Fineract names in a refusal.
pub fn code(answer: &Answer) -> String {
    let envelope = answer.try_json::<Envelope>().unwrap_or_default();
    let first = envelope.errors.into_iter().next().map(|error| error.user_message_globalisation_code);
    first.filter(|code| !code.is_empty()).unwrap_or(envelope.user_message_globalisation_code)
}

/// The answer where it is a success. Fineract says 403 for rules of its domain and for duplicates too.
pub fn success(answer: Answer) -> Result<Answer, Disposition> {
    if answer.is_success() { Ok(answer) } else { Err(refused(&answer)) }
}

fn refused(answer: &Answer) -> Disposition {
    let envelope = answer.try_json::<Envelope>().unwrap_or_default();
    let field = envelope.errors.first().and_then(|error| pointer(&error.parameter_name));
    let code = code(answer);
    let refusal = Refusal::coded(&code, field);
    if code.contains("tenant.identifier") {
        return unavailable(format!("Fineract knows no such tenant ({code}); check the setting `tenant`"));
    }
    match answer.disposition(refusal) {
        Disposition::Unauthorized(why)
            if answer.status() == 403 && !code.is_empty() && !code.contains("not.authorized") =>
        {
            Disposition::Reject(Reject { why, field: field.map(str::to_owned) })
        }
        other => other,
    }
}

/// Where the profile keeps what Fineract calls by this name.
fn pointer(parameter: &str) -> Option<&'static str> {
    Some(match parameter {
        "externalId" => "/reference",
        "fullname" => "/name",
        "firstname" => "/individual/givenName",
        "lastname" => "/individual/familyName",
        "dateOfBirth" => "/individual/dateOfBirth",
        "emailAddress" => "/email",
        "mobileNo" => "/phone",
        "incorpNumber" => "/corporate/registrationNumber",
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::testing::Script;
    use serde_json::json;

    use super::*;

    fn outcome(status: u16, body: Value) -> Disposition {
        let script = Script::new().answer(status, body);
        let answer = Session::new(&script).send(Call::post("api", "/clients".to_owned())).unwrap();
        success(answer).unwrap_err()
    }

    fn envelope(code: &str, parameter: &str) -> Value {
        json!({"developerMessage": "…", "httpStatusCode": "403", "userMessageGlobalisationCode": "validation.msg.domain.rule.violation",
               "errors": [{"userMessageGlobalisationCode": code, "parameterName": parameter, "value": "Jane"}]})
    }

    #[test]
    fn a_rule_of_the_domain_is_a_reject_though_it_says_403() {
        let outcome = outcome(403, envelope("error.msg.client.duplicate.externalId", "externalId"));
        let Disposition::Reject(reject) = outcome else { panic!("{outcome:?}") };
        assert_eq!(reject.why, "POST /clients answered 403 error.msg.client.duplicate.externalId");
        assert_eq!(reject.field.as_deref(), Some("/reference"));
    }

    #[test]
    fn a_refused_credential_is_unauthorized() {
        let denied = json!({"userMessageGlobalisationCode": "error.msg.not.authorized", "errors": []});
        assert!(matches!(outcome(403, denied), Disposition::Unauthorized(_)));
        assert!(matches!(outcome(403, json!("<html>")), Disposition::Unauthorized(_)));
        assert!(matches!(outcome(401, json!({})), Disposition::Unauthorized(_)));
    }

    #[test]
    fn a_wrong_tenant_is_nobodys_fault_but_the_settings() {
        let body = json!({"userMessageGlobalisationCode": "error.msg.invalid.tenant.identifier"});
        assert!(matches!(outcome(400, body), Disposition::Unavailable(why) if why.contains("tenant")));
    }

    #[test]
    fn a_field_is_named_as_the_profile_names_it() {
        let outcome = outcome(400, envelope("validation.msg.client.firstname.exceeds.max.length", "firstname"));
        assert!(
            matches!(outcome, Disposition::Reject(reject) if reject.field.as_deref() == Some("/individual/givenName"))
        );
    }

    #[test]
    fn a_remembered_refusal_is_asked_again_without_its_key() {
        let script = Script::new()
            .answer_with(403, &[("x-served-from-cache", "true")], envelope("error.msg.x", ""))
            .answer(200, json!({}));
        let answer = command(&Session::new(&script), Call::post("api", "/clients".to_owned()), "k").unwrap();
        assert!(answer.is_success());
        assert_eq!(
            (script.header_sent(0, "idempotency-key").as_deref(), script.header_sent(1, "idempotency-key")),
            (Some("k"), None)
        );
    }
}
