//! Clients in Fineract: found by reference, created, brought up to date, activated, closed.

use adapter_kit::http::Method;
use adapter_kit::types::{Disposition, Profile, Receipt, Retry};
use adapter_kit::{Answer, Call, Session, below};
use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;

use crate::body;
use crate::fineract::{Tenant, code, command, success};

const PENDING: u32 = 100;
/// Closed, rejected and withdrawn: the states without a way on.
const ENDED: [u32; 3] = [600, 700, 800];

const DUPLICATE: &str = "error.msg.client.duplicate.externalId";
const ALREADY_ACTIVE: &str = "error.msg.clients.already.active";
const ALREADY_CLOSED: &str = "error.msg.client.close.is.already.closed";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_items: Vec<Customer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    id: u64,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    timeline: Timeline,
}

#[derive(Default, Deserialize)]
struct Status {
    id: u32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Timeline {
    submitted_on_date: Option<(i32, u32, u32)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    resource_id: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    resource_id: u64,
    resource_external_id: Option<String>,
}

/// Creates the client, or brings it up to this version.
pub fn upsert(session: &Session<'_>, profile: &Profile, key: &str) -> Result<Receipt, Disposition> {
    let tenant = Tenant::read(session.settings())?;
    match look_up(session, &tenant, &profile.reference)? {
        Some(customer) => bring_up_to_date(session, &tenant, profile, (customer, key)),
        None => create(session, &tenant, profile, key),
    }
}

fn look_up(session: &Session<'_>, tenant: &Tenant, reference: &str) -> Result<Option<Customer>, Disposition> {
    let call = tenant.get(below(&["clients"])?).query("externalId", reference).query("limit", "2");
    let page: Page = success(session.send(call)?)?.json()?;
    Ok(page.page_items.into_iter().find(|customer| customer.external_id.as_deref() == Some(reference)))
}

fn create(session: &Session<'_>, tenant: &Tenant, profile: &Profile, key: &str) -> Result<Receipt, Disposition> {
    let call = tenant.write(Call::post("api", below(&["clients"])?), &body::create(profile, tenant));
    let answer = command(session, call, key)?;
    if !answer.is_success() && code(&answer) == DUPLICATE {
        let why = "another delivery has created the client since it was looked for".to_owned();
        return Err(Disposition::Retry(Retry { after_ms: None, why }));
    }
    let answer = success(answer)?;
    let created: Created = answer.json()?;
    if created.resource_external_id.is_some_and(|external_id| external_id != profile.reference) {
        return Err(answer.nonsense("it is about another client, as if the idempotency key had been used before"));
    }
    Ok(receipt(created.resource_id, None))
}

fn bring_up_to_date(
    session: &Session<'_>,
    tenant: &Tenant,
    profile: &Profile,
    (customer, key): (Customer, &str),
) -> Result<Receipt, Disposition> {
    let id = customer.id.to_string();
    let path = below(&["clients", &id])?;
    let update = tenant.write(Call::new("api", Method::Put, path.clone()), &body::update(profile, tenant));
    done(command(session, update, key)?, customer.id)?;
    if customer.status.id == PENDING && body::wants_active(profile) {
        let submitted_on = customer.timeline.submitted_on_date.and_then(|(y, m, d)| NaiveDate::from_ymd_opt(y, m, d));
        let activate = Call::post("api", path).query("command", "activate");
        let answer = command(session, tenant.write(activate, &body::activate(profile, tenant, submitted_on)), key)?;
        if answer.is_success() || code(&answer) != ALREADY_ACTIVE {
            done(answer, customer.id)?;
        }
    }
    Ok(receipt(customer.id, profile.external_id.is_none().then_some("existed already")))
}

/// Closes the client on the day that Fineract's own clock says.
pub fn close(session: &Session<'_>, external_id: &str, key: &str) -> Result<Receipt, Disposition> {
    let tenant = Tenant::read(session.settings())?;
    let path = below(&["clients", external_id])?;
    let answer = success(session.send(tenant.get(path.clone()))?)?;
    let customer: Customer = answer.json()?;
    if ENDED.contains(&customer.status.id) {
        return Ok(receipt(customer.id, Some("was closed already")));
    }
    let offset = TimeDelta::try_minutes(tenant.utc_offset_minutes).unwrap_or_default();
    let today = answer.date().and_then(|now| now.checked_add_signed(offset)).map(|now| now.date_naive());
    let Some(today) = today else {
        return Err(answer.nonsense("it has no Date header, so there is no date to close the client on"));
    };
    let call = tenant.write(Call::post("api", path).query("command", "close"), &body::close(today, &tenant));
    let answer = command(session, call, key)?;
    if !answer.is_success() && code(&answer) == ALREADY_CLOSED {
        return Ok(receipt(customer.id, Some("was closed already")));
    }
    done(answer, customer.id).map(|()| receipt(customer.id, None))
}

/// A command on a client was carried out where the answer names it.
fn done(answer: Answer, id: u64) -> Result<(), Disposition> {
    let answer = success(answer)?;
    let Done { resource_id } = answer.json()?;
    if resource_id == id { Ok(()) } else { Err(answer.nonsense("it is about another client")) }
}

fn receipt(id: u64, note: Option<&str>) -> Receipt {
    Receipt { external_id: id.to_string(), note: note.map(str::to_owned) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::http::HttpFailure;
    use adapter_kit::testing::{Script, individual};
    use serde_json::{Value, json};

    use super::*;

    const LOOK_UP: &str = "GET api /clients?externalId=CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE&limit=2";
    const DATE: (&str, &str) = ("Date", "Tue, 03 Mar 2026 23:30:00 GMT");

    fn page(status: u32) -> Value {
        json!({"totalFilteredRecords": 1, "pageItems": [{
            "id": 4711, "externalId": individual().reference, "status": {"id": status, "code": "…", "value": "…"},
            "timeline": {"submittedOnDate": [2026, 3, 1]}}]})
    }

    fn refusal(code: &str) -> Value {
        json!({"userMessageGlobalisationCode": "validation.msg.domain.rule.violation",
               "errors": [{"userMessageGlobalisationCode": code, "parameterName": "id"}]})
    }

    fn upsert_by(script: &Script) -> Result<Receipt, Disposition> {
        upsert(&Session::new(script), &individual(), "key-1")
    }

    #[test]
    fn an_absent_client_is_created_under_the_key() {
        let script = Script::new()
            .answer(200, json!({"totalFilteredRecords": 0, "pageItems": []}))
            .answer(200, json!({"officeId": 1, "clientId": 4711, "resourceId": 4711}));
        assert_eq!(upsert_by(&script).unwrap(), receipt(4711, None));
        assert_eq!(script.lines(), [LOOK_UP, "POST api /clients"]);
        assert_eq!(script.header_sent(1, "idempotency-key").as_deref(), Some("key-1"));
        assert_eq!(script.header_sent(0, "fineract-platform-tenantid").as_deref(), Some("default"));
    }

    #[test]
    fn a_client_that_is_there_is_updated_and_activated() {
        let script = Script::new()
            .answer(200, page(PENDING))
            .answer(200, json!({"resourceId": 4711}))
            .answer(200, json!({"resourceId": 4711}));
        assert_eq!(upsert_by(&script).unwrap(), receipt(4711, Some("existed already")));
        assert_eq!(script.lines(), [LOOK_UP, "PUT api /clients/4711", "POST api /clients/4711?command=activate"]);
        assert_eq!(script.sent(2), json!({"activationDate": "2026-03-02", "dateFormat": "yyyy-MM-dd", "locale": "en"}));
    }

    #[test]
    fn an_active_client_is_only_updated() {
        let script = Script::new().answer(200, page(300)).answer(200, json!({"resourceId": 4711}));
        assert!(upsert_by(&script).is_ok());
        assert_eq!(script.lines(), [LOOK_UP, "PUT api /clients/4711"]);
    }

    #[test]
    fn an_activation_that_another_has_done_is_fine() {
        let already = refusal(ALREADY_ACTIVE);
        let script =
            Script::new().answer(200, page(PENDING)).answer(200, json!({"resourceId": 4711})).answer(400, already);
        assert!(upsert_by(&script).is_ok());
    }

    #[test]
    fn a_lost_creation_is_unknown_and_found_by_the_repeat() {
        let script = Script::new()
            .answer(200, json!({"pageItems": []}))
            .fail(HttpFailure::TimedOut)
            .answer(200, page(300))
            .answer(200, json!({"resourceId": 4711}));
        assert!(matches!(upsert_by(&script), Err(Disposition::Unknown(_))));
        assert_eq!(upsert_by(&script).unwrap().external_id, "4711");
    }

    #[test]
    fn only_an_answer_that_names_the_client_shows_that_it_was_changed() {
        for other in [json!({"resourceId": 1}), json!({"unexpected": [1, "two", null]})] {
            let script = Script::new().answer(200, page(300)).answer(200, other);
            assert!(matches!(upsert_by(&script), Err(Disposition::Unknown(_))));
        }
        let script = Script::new().answer(200, page(300)).answer_text(200, "<html>");
        assert!(matches!(upsert_by(&script), Err(Disposition::Unknown(_))));
    }

    #[test]
    fn an_answer_about_another_client_is_no_receipt() {
        let other = json!({"resourceId": 1, "resourceExternalId": "CL-OTHER"});
        let script = Script::new().answer(200, json!({"pageItems": []})).answer(200, other);
        assert!(matches!(upsert_by(&script), Err(Disposition::Unknown(_))));
    }

    #[test]
    fn a_race_for_the_reference_is_tried_again() {
        let script = Script::new().answer(200, json!({"pageItems": []})).answer(403, refusal(DUPLICATE));
        assert!(matches!(upsert_by(&script), Err(Disposition::Retry(_))));
    }

    #[test]
    fn another_clients_page_is_no_match() {
        let other = json!({"pageItems": [{"id": 1, "externalId": "CL-OTHER", "status": {"id": 300}}]});
        let script = Script::new().answer(200, other).answer(200, json!({"resourceId": 2}));
        assert_eq!(upsert_by(&script).unwrap().external_id, "2");
    }

    #[test]
    fn nonsense_from_the_look_up_is_tried_again() {
        let script = Script::new().answer_text(200, "<html>");
        assert!(matches!(upsert_by(&script), Err(Disposition::Retry(_))));
    }

    #[test]
    fn a_client_is_closed_on_fineracts_day() {
        let script = Script::new()
            .setting("utc-offset-minutes", "60")
            .setting("closure-reason-id", "17")
            .answer_with(200, &[DATE], json!({"id": 4711, "status": {"id": 300}}))
            .answer(200, json!({"resourceId": 4711}));
        assert_eq!(close(&Session::new(&script), "4711", "k").unwrap(), receipt(4711, None));
        assert_eq!(script.lines(), ["GET api /clients/4711", "POST api /clients/4711?command=close"]);
        let expected =
            json!({"closureDate": "2026-03-04", "closureReasonId": 17, "dateFormat": "yyyy-MM-dd", "locale": "en"});
        assert_eq!(script.sent(1), expected);
    }

    #[test]
    fn closing_a_closed_client_succeeds() {
        for status in ENDED {
            let script = Script::new().answer_with(200, &[DATE], json!({"id": 4711, "status": {"id": status}}));
            assert!(close(&Session::new(&script), "4711", "k").is_ok());
            assert_eq!(script.lines().len(), 1);
        }
        let script = Script::new()
            .answer_with(200, &[DATE], json!({"id": 4711, "status": {"id": 300}}))
            .answer(403, refusal(ALREADY_CLOSED));
        assert!(close(&Session::new(&script), "4711", "k").is_ok());
    }

    #[test]
    fn an_open_account_keeps_a_client_open() {
        let script = Script::new()
            .answer_with(200, &[DATE], json!({"id": 4711, "status": {"id": 300}}))
            .answer(403, refusal("error.msg.client.close.non-closed.savings.account"));
        assert!(matches!(close(&Session::new(&script), "4711", "k"), Err(Disposition::Reject(_))));
    }
}
