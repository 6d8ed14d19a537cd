//! What every request to EspoCRM has in common: lists with filters, the names of fields, and how its refusals read.

use adapter_kit::types::{Disposition, Health};
use adapter_kit::{Answer, Call, Refusal, Session, Settings, below, reject};
use serde::Deserialize;

pub const SETTINGS: [&str; 6] =
    ["reference-field", "version-field", "status-field", "segment-field", "account-type", "feedback-link"];

/// EspoCRM's own default for the most that a list may answer is 200.
pub const PAGE: &str = "50";

/// The names of the custom fields, and what else the settings say.
pub struct Fields {
    pub reference: String,
    pub version: String,
    pub status: String,
    pub segment: String,
    pub account_type: String,
    pub feedback_link: Option<String>,
}

impl Fields {
    pub fn read(settings: Settings<'_>) -> Self {
        Self {
            reference: settings.text("reference-field", "cClientReference"),
            version: settings.text("version-field", "cClientVersion"),
            status: settings.text("status-field", "cClientStatus"),
            segment: settings.text("segment-field", "cClientSegment"),
            account_type: settings.text("account-type", "Customer"),
            feedback_link: settings.get("feedback-link"),
        }
    }
}

/// A page of a list.
#[derive(Deserialize)]
pub struct List<T> {
    /// −1 or −2 where EspoCRM was told not to count.
    pub total: i64,
    pub list: Vec<T>,
}

/// A record: its type and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    pub entity: &'a str,
    pub id: &'a str,
}

impl<'a> Target<'a> {
    /// Takes the external id of a receipt apart.
    ///
    /// # Errors
    /// Rejects what no receipt of this adapter can have said.
    pub fn read(external_id: &'a str) -> Result<Self, Disposition> {
        match external_id.split_once('/') {
            Some((entity @ ("Account" | "Contact"), id)) if !id.is_empty() => Ok(Self { entity, id }),
            _ => Err(reject("the external id is malformed; expected `Account/ID` or `Contact/ID`")),
        }
    }

    pub fn path(&self) -> Result<String, Disposition> {
        below(&[self.entity, self.id])
    }

    pub fn link(&self, link: &str) -> Result<String, Disposition> {
        below(&[self.entity, self.id, link])
    }
}

/// One cheap question that needs a working credential.
pub fn check_health(session: &Session<'_>) -> Result<Health, Disposition> {
    let answer = session.send(Call::get("api", below(&["App", "user"])?))?;
    answer.success(refusal)?.read().map(|()| Health { ok: true, detail: None })
}

/// A condition on a list.
pub fn filter(call: Call, kind: &str, attribute: &str, values: &[&str]) -> Call {
    let call = call.query("where[0][type]", kind).query("where[0][attribute]", attribute);
    let name = if kind == "equals" { "where[0][value]" } else { "where[0][value][]" };
    values.iter().fold(call, |call, value| call.query(name, value))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Problem {
    message_translation: Option<Translation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Translation {
    label: Option<String>,
    data: Option<Data>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    field: Option<String>,
}

/// The label of the message and the field, where EspoCRM answers with a body. `X-Status-Reason` is free text and stays out.
pub fn refusal(answer: &Answer) -> Refusal {
    let translation = answer.try_json::<Problem>().and_then(|problem| problem.message_translation).unwrap_or_default();
    let field = translation.data.and_then(|data| data.field);
    let label = match (translation.label, &field) {
        (Some(label), Some(field)) => format!("{label}:{field}"),
        (label, _) => label.unwrap_or_default(),
    };
    Refusal::coded(&label, field.as_deref().and_then(pointer))
}

/// Where the profile keeps what EspoCRM calls by this name.
fn pointer(field: &str) -> Option<&'static str> {
    Some(match field {
        "name" => "/name",
        "firstName" => "/individual/givenName",
        "lastName" => "/individual/familyName",
        "emailAddress" => "/email",
        "phoneNumber" => "/phone",
        "sicCode" => "/corporate/industry",
        address if address.contains("ddress") => "/address",
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::testing::Script;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_validation_failure_names_the_field() {
        let body = json!({"messageTranslation": {"label": "validationFailure", "scope": null,
                          "data": {"field": "emailAddress", "type": "emailAddress"}}});
        let script = Script::new().answer(400, body);
        let answer = Session::new(&script).send(Call::post("api", "/Account".to_owned())).unwrap();
        let outcome = answer.success(refusal).unwrap_err();
        let Disposition::Reject(reject) = outcome else { panic!("{outcome:?}") };
        assert_eq!(reject.why, "POST /Account answered 400 validationFailure:emailAddress");
        assert_eq!(reject.field.as_deref(), Some("/email"));
    }

    #[test]
    fn an_external_id_says_its_type() {
        assert_eq!(Target::read("Contact/66f").unwrap(), Target { entity: "Contact", id: "66f" });
        for malformed in ["66f", "Lead/66f", "Account/", "", "/"] {
            assert!(Target::read(malformed).is_err());
        }
    }

    #[test]
    fn an_address_field_points_at_the_address() {
        assert_eq!(
            (pointer("billingAddressCity"), pointer("addressStreet"), pointer("other")),
            (Some("/address"), Some("/address"), None)
        );
        assert_eq!(pointer("emailAddress"), Some("/email"));
    }
}
