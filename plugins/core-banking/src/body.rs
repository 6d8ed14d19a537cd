//! The bodies that Fineract takes: pure functions of the profile and the settings, so that a repeat sends the same bytes.

use adapter_kit::date_of;
use adapter_kit::types::{ClientStatus, Details, Profile};
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::fineract::Tenant;

const PERSON: u8 = 1;
const ENTITY: u8 = 2;

/// Java's pattern for the ISO dates that the contract has.
const DATE_FORMAT: &str = "yyyy-MM-dd";

/// Whether the client is to be active there. Fineract has no suspension.
pub fn wants_active(profile: &Profile) -> bool {
    matches!(profile.status, ClientStatus::Active | ClientStatus::Suspended)
}

/// A new client. Members without a value are left out.
pub fn create(profile: &Profile, tenant: &Tenant) -> Value {
    let mut body = common(profile, tenant);
    body.retain(|_, value| !value.is_null());
    body.insert("externalId".to_owned(), json!(profile.reference));
    body.insert("officeId".to_owned(), json!(tenant.office_id));
    body.insert("active".to_owned(), json!(wants_active(profile)));
    if let Some(date) = date_of(&profile.created_at, tenant.utc_offset_minutes) {
        body.insert("submittedOnDate".to_owned(), json!(date.to_string()));
    }
    if wants_active(profile) {
        body.insert("activationDate".to_owned(), json!(activation_date(profile, tenant, None)));
    }
    Value::Object(body)
}

/// What may change. Members without a value are null, which clears them.
pub fn update(profile: &Profile, tenant: &Tenant) -> Value {
    Value::Object(common(profile, tenant))
}

/// The command `activate`, for a client that was submitted on a date.
pub fn activate(profile: &Profile, tenant: &Tenant, submitted_on: Option<NaiveDate>) -> Value {
    let date = activation_date(profile, tenant, submitted_on);
    json!({"activationDate": date, "dateFormat": DATE_FORMAT, "locale": tenant.locale})
}

/// The command `close`.
pub fn close(on: NaiveDate, tenant: &Tenant) -> Value {
    json!({"closureDate": on.to_string(), "closureReasonId": tenant.closure_reason_id,
           "dateFormat": DATE_FORMAT, "locale": tenant.locale})
}

/// The day of this version of the profile: the same however often it is sent. Never before the submission.
fn activation_date(profile: &Profile, tenant: &Tenant, submitted_on: Option<NaiveDate>) -> Option<String> {
    let updated = date_of(&profile.updated_at, tenant.utc_offset_minutes);
    updated.max(submitted_on).map(|date| date.to_string())
}

fn common(profile: &Profile, tenant: &Tenant) -> Map<String, Value> {
    let own = match &profile.details {
        Details::Individual(person) => json!({
            "legalFormId": PERSON, "firstname": person.given_name, "lastname": person.family_name,
            "dateOfBirth": person.date_of_birth,
        }),
        Details::Corporate(company) => json!({
            "legalFormId": ENTITY, "fullname": profile.name, "dateOfBirth": company.incorporated_on,
            "clientNonPersonDetails": tenant.constitution_id.map(|constitution| json!({
                "incorpNumber": company.registration_number, "constitutionId": constitution,
                "dateFormat": DATE_FORMAT, "locale": tenant.locale,
            })),
        }),
    };
    let shared = json!({"emailAddress": profile.email, "mobileNo": profile.phone,
                        "dateFormat": DATE_FORMAT, "locale": tenant.locale});
    let mut body: Map<String, Value> =
        [own, shared].into_iter().filter_map(|part| part.as_object().cloned()).flatten().collect();
    if body.get("clientNonPersonDetails").is_some_and(Value::is_null) {
        body.remove("clientNonPersonDetails");
    }
    body
}

#[cfg(test)]
mod tests {
    use adapter_kit::testing::{corporate, individual};

    use super::*;

    fn tenant() -> Tenant {
        Tenant {
            name: "default".to_owned(),
            office_id: 3,
            locale: "en".to_owned(),
            utc_offset_minutes: 0,
            closure_reason_id: 9,
            constitution_id: None,
        }
    }

    #[test]
    fn a_person_is_created_active() {
        let expected = json!({
            "externalId": "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE", "officeId": 3, "active": true, "legalFormId": 1,
            "firstname": "Jane", "lastname": "Doe", "dateOfBirth": "1980-02-29", "emailAddress": "ops@meridian.example",
            "mobileNo": "+442079460000", "submittedOnDate": "2026-03-01", "activationDate": "2026-03-02",
            "dateFormat": "yyyy-MM-dd", "locale": "en",
        });
        assert_eq!(create(&individual(), &tenant()), expected);
    }

    #[test]
    fn an_entity_has_a_full_name_and_where_it_can_its_number() {
        let body = create(&corporate(), &tenant());
        assert_eq!((&body["fullname"], &body["legalFormId"]), (&json!("Meridian Freight Ltd"), &json!(2)));
        assert_eq!(body["dateOfBirth"], json!("2012-04-03"));
        assert!(body.get("firstname").is_none() && body.get("clientNonPersonDetails").is_none());
        let body = create(&corporate(), &Tenant { constitution_id: Some(4), ..tenant() });
        assert_eq!(body["clientNonPersonDetails"]["incorpNumber"], json!("08123456"));
    }

    #[test]
    fn a_pending_client_is_created_without_an_activation() {
        let body = create(&Profile { status: ClientStatus::Pending, ..individual() }, &tenant());
        assert_eq!(body["active"], json!(false));
        assert!(body.get("activationDate").is_none());
    }

    #[test]
    fn what_was_cleared_is_cleared_there() {
        let profile = Profile { email: None, ..individual() };
        assert_eq!(update(&profile, &tenant())["emailAddress"], Value::Null);
        assert!(update(&profile, &tenant()).get("emailAddress").is_some());
        assert!(create(&profile, &tenant()).get("emailAddress").is_none());
    }

    #[test]
    fn an_activation_is_never_before_the_submission() {
        let submitted = NaiveDate::from_ymd_opt(2026, 4, 1);
        assert_eq!(activate(&individual(), &tenant(), submitted)["activationDate"], json!("2026-04-01"));
        assert_eq!(activate(&individual(), &tenant(), None)["activationDate"], json!("2026-03-02"));
    }

    #[test]
    fn dates_are_the_tenants_own() {
        let tenant = Tenant { utc_offset_minutes: -12 * 60, ..tenant() };
        assert_eq!(create(&individual(), &tenant)["submittedOnDate"], json!("2026-02-28"));
    }
}
