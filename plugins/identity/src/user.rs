//! The user resource: a pure function of the profile.

use adapter_kit::types::{ClientKind, ClientStatus, Details, Profile};
use serde_json::{Map, Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The extension that carries what a user has no attribute for.
pub const CLIENT: &str = "urn:backoffice:params:scim:schemas:extension:2.0:Client";

/// A new user. Attributes without a value are left out.
pub fn create(profile: &Profile) -> Value {
    let mut user = attributes(profile);
    user.retain(|_, value| !(value.is_null() || value.as_array().is_some_and(Vec::is_empty)));
    user.insert("schemas".to_owned(), json!([USER, CLIENT]));
    user.insert("userName".to_owned(), json!(profile.reference));
    user.insert("externalId".to_owned(), json!(profile.reference));
    Value::Object(user)
}

/// What may change. Attributes without a value are null or empty, which unassigns them (RFC 7643, section 2.5).
pub fn update(profile: &Profile) -> Value {
    Value::Object(attributes(profile))
}

fn attributes(profile: &Profile) -> Map<String, Value> {
    let (kind, name) = match &profile.details {
        Details::Individual(person) => {
            let name =
                json!({"givenName": person.given_name, "familyName": person.family_name, "formatted": profile.name});
            (ClientKind::Individual, name)
        }
        Details::Corporate(_) => (ClientKind::Corporate, json!({"formatted": profile.name})),
    };
    let user_type = match kind {
        ClientKind::Individual => "individual",
        ClientKind::Corporate => "corporate",
    };
    let reachable_at = |value: &Option<String>| -> Value {
        value.iter().map(|value| json!({"value": value, "type": "work", "primary": true})).collect()
    };
    let user = json!({
        "displayName": profile.name, "name": name, "emails": reachable_at(&profile.email),
        "phoneNumbers": reachable_at(&profile.phone), "preferredLanguage": profile.language, "userType": user_type,
        "active": profile.status == ClientStatus::Active, CLIENT: {"version": profile.version},
    });
    user.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use adapter_kit::testing::{corporate, individual};

    use super::*;

    #[test]
    fn a_person_is_a_user_under_its_reference() {
        let expected = json!({
            "schemas": [USER, CLIENT], "userName": "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE",
            "externalId": "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE", "displayName": "Jane Doe",
            "name": {"givenName": "Jane", "familyName": "Doe", "formatted": "Jane Doe"},
            "emails": [{"value": "ops@meridian.example", "type": "work", "primary": true}],
            "phoneNumbers": [{"value": "+442079460000", "type": "work", "primary": true}],
            "preferredLanguage": "en", "userType": "individual", "active": true, CLIENT: {"version": 7},
        });
        assert_eq!(create(&individual()), expected);
    }

    #[test]
    fn only_an_active_client_has_an_active_identity() {
        for status in [ClientStatus::Pending, ClientStatus::Suspended, ClientStatus::Rejected, ClientStatus::Archived] {
            assert_eq!(update(&Profile { status, ..corporate() })["active"], json!(false));
        }
    }

    #[test]
    fn what_was_cleared_is_unassigned() {
        let profile = Profile { email: None, language: None, ..individual() };
        let (created, updated) = (create(&profile), update(&profile));
        assert!(created.get("emails").is_none() && created.get("preferredLanguage").is_none());
        assert_eq!((&updated["emails"], updated.get("preferredLanguage")), (&json!([]), Some(&Value::Null)));
    }

    #[test]
    fn no_secret_and_no_national_id_is_sent() {
        let text = create(&individual()).to_string();
        assert!(!text.contains("password") && !text.contains("QQ123456C") && !text.contains("1980"));
    }
}
