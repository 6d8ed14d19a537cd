//! The record that EspoCRM takes: a pure function of the profile and the settings.

use adapter_kit::types::{ClientKind, ClientStatus, Details, Profile};
use serde_json::{Map, Value, json};

use crate::espo::Fields;

/// The entity type of a kind of client.
pub fn entity(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Corporate => "Account",
        ClientKind::Individual => "Contact",
    }
}

/// The hub's name of a status, as the CRM is to show it.
pub fn status(status: ClientStatus) -> &'static str {
    match status {
        ClientStatus::Pending => "pending",
        ClientStatus::Active => "active",
        ClientStatus::Suspended => "suspended",
        ClientStatus::Rejected => "rejected",
        ClientStatus::Archived => "archived",
    }
}

/// The whole record. Members without a value are null, which clears them.
pub fn record(profile: &Profile, fields: &Fields) -> Value {
    let own = match &profile.details {
        Details::Corporate(company) => {
            json!({"name": profile.name, "type": fields.account_type, "sicCode": company.industry})
        }
        Details::Individual(person) => json!({"firstName": person.given_name, "lastName": person.family_name}),
    };
    let shared = json!({"emailAddress": profile.email, "phoneNumber": profile.phone});
    let custom = json!({
        &fields.reference: profile.reference, &fields.version: profile.version,
        &fields.status: status(profile.status), &fields.segment: profile.segment,
    });
    let parts = [own, shared, address(profile), custom];
    let merged: Map<String, Value> = parts.into_iter().filter_map(|part| part.as_object().cloned()).flatten().collect();
    Value::Object(merged)
}

fn address(profile: &Profile) -> Value {
    let prefix = match profile.kind {
        ClientKind::Corporate => "billingAddress",
        ClientKind::Individual => "address",
    };
    let address = profile.address.as_ref();
    let lines: Vec<&str> =
        address.iter().flat_map(|address| [&address.line1, &address.line2]).flatten().map(String::as_str).collect();
    let street = (!lines.is_empty()).then(|| lines.join("\n"));
    let part = |name: &str, value: Option<&String>| (format!("{prefix}{name}"), json!(value));
    let parts = [
        part("Street", street.as_ref()),
        part("City", address.and_then(|address| address.city.as_ref())),
        part("State", address.and_then(|address| address.region.as_ref())),
        part("PostalCode", address.and_then(|address| address.postal_code.as_ref())),
        part("Country", address.and_then(|address| address.country.as_ref())),
    ];
    Value::Object(parts.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use adapter_kit::Session;
    use adapter_kit::testing::{Script, corporate, individual};

    use super::*;

    fn fields() -> Fields {
        Fields::read(Session::new(&Script::new()).settings())
    }

    #[test]
    fn a_company_is_an_account() {
        let expected = json!({
            "name": "Meridian Freight Ltd", "type": "Customer", "sicCode": "4941", "emailAddress": "ops@meridian.example",
            "phoneNumber": "+442079460000", "billingAddressStreet": "1 Quay\nFloor 2", "billingAddressCity": "London",
            "billingAddressState": null, "billingAddressPostalCode": "EC1A 1BB", "billingAddressCountry": "GB",
            "cClientReference": "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE", "cClientVersion": 7, "cClientStatus": "active",
            "cClientSegment": "sme",
        });
        assert_eq!(record(&corporate(), &fields()), expected);
    }

    #[test]
    fn a_person_is_a_contact_without_what_a_crm_need_not_know() {
        let record = record(&individual(), &fields());
        assert_eq!((&record["firstName"], &record["lastName"]), (&json!("Jane"), &json!("Doe")));
        assert_eq!(record["addressCity"], json!("London"));
        let text = record.to_string();
        assert!(!text.contains("1980") && !text.contains("QQ123456C"));
    }

    #[test]
    fn what_was_cleared_is_cleared_there() {
        let record = record(&Profile { address: None, email: None, ..individual() }, &fields());
        for name in ["addressStreet", "addressCountry", "emailAddress"] {
            assert_eq!(record.get(name), Some(&Value::Null));
        }
    }
}
