//! `/admin/sync/parked`: CX030 and CX031, the deliveries that were set aside and what is decided on them.

use std::sync::Arc;

use http::StatusCode;
use http::header::LINK;
use percent_encoding::utf8_percent_encode;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::cursor::Cursor;
use super::json;
use super::listing::{DEFAULT_LIMIT, MAX_LIMIT, QUERY};
use super::path::Reference;
use super::problem::{Code, Problem};
use super::query::{Query, malformed};
use super::request::{Request, first_of, not_found, request, served};
use super::schema::{DryRun, ParkedPage};
use super::schema_in::{DecisionRequest, DecisionsRequest};
use super::statuses::{Decide, DecideAll, Parked};
use crate::access::Action;
use crate::actors::{JobView, Place, Ruling};
use crate::domain::delivery::Adapter;
use crate::domain::parked::{Decision, ParkedDelivery, ParkedFilter};
use crate::domain::validate::Flaw;
use crate::domain::validate::decision::{self, DecisionBody, DecisionsBody};

/// CX030.
pub static PARKED: Endpoint = Endpoint::json("/admin/sync/parked", "CX030");
/// CX031.
pub static RETRY: Endpoint = Endpoint::json("/admin/sync/parked/{id}/retry", "CX031");
/// CX031.
pub static DISCARD: Endpoint = Endpoint::json("/admin/sync/parked/{id}/discard", "CX031");
/// CX031.
pub static RETRY_ALL: Endpoint = Endpoint::json("/admin/sync/parked/retry", "CX031");
/// CX031.
pub static DISCARD_ALL: Endpoint = Endpoint::json("/admin/sync/parked/discard", "CX031");

/// What a list may be asked for, page by page.
const KNOWN: [&str; 8] = ["adapter", "org", "client", "device", "reason", "function", "limit", "cursor"];

/// The routes below `/admin/sync/parked`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let root = warp::path("parked");
    let all = |name: &'static str| root.and(warp::path(name)).and(warp::path::end()).and(warp::post());
    let one = |name: &'static str| {
        root.and(warp::path::param::<Reference>()).and(warp::path(name)).and(warp::path::end()).and(warp::post())
    };
    let list = root.and(warp::path::end()).and(warp::get()).and(request(hub, &PARKED)).then(|q| served(q, list));
    let retry = one("retry").and(request(hub, &RETRY)).then(|id, q| served(q, |q| retry(q, id)));
    let discard = one("discard").and(request(hub, &DISCARD)).then(|id, q| served(q, |q| discard(q, id)));
    let retry_all = all("retry").and(request(hub, &RETRY_ALL)).then(|q| served(q, retry_all));
    let discard_all = all("discard").and(request(hub, &DISCARD_ALL)).then(|q| served(q, discard_all));
    first_of!(list, retry, discard, retry_all, discard_all).boxed()
}

/// Deliveries that were set aside
#[utoipa::path(get, path = "/admin/sync/parked", operation_id = "CX030", tag = "operations",
    params(super::parameters::ParkedQueryParameters),
    responses((status = 200, description = "What was set aside", body = ParkedPage,
        headers(("Link" = String, description = "`<…>; rel=\"next\"`, where there is another page"))), Parked))]
async fn list(request: Request) -> Result<Answer, Problem> {
    let query = request.query(&KNOWN)?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let filter = filter(&query)?;
    let identity = identity(&filter);
    let after = query.get("cursor").map(|text| place(text, &identity)).transpose()?;
    let permit = request.permit(Action::CX030)?;
    let page = request.hub.commands.parked(&permit, filter.clone(), after, limit).await?;
    let next = page.next.map(|place| cursor(place).encode(&identity));
    let link = next.as_ref().map(|next| link(&filter, limit, next));
    let answer = Answer::of(&ParkedPage { items: page.items, next, total: page.total })?;
    Ok(link.iter().fold(answer, |answer, link| answer.header(LINK, link)))
}

/// Retry a delivery that was set aside
///
/// It is tried at once, with the whole schedule before it. One whose outcome is unknown is sent again with its own key and
/// body; any other mirror gives way to a newer version.
#[utoipa::path(post, path = "/admin/sync/parked/{id}/retry", operation_id = "CX031-retry", tag = "operations",
    params(super::parameters::DeliveryParameter, super::parameters::IdempotencyKey), request_body = Option<DecisionRequest>,
    responses((status = 200, description = "The delivery, as the decision has left it", body = ParkedDelivery), Decide))]
async fn retry(request: Request, id: Reference) -> Result<Answer, Problem> {
    decide(request, id, Decision::Retry).await
}

/// Discard a delivery that was set aside
///
/// It is never sent; what waits behind it goes on. A mirror counts as delivered until the client changes again.
#[utoipa::path(post, path = "/admin/sync/parked/{id}/discard", operation_id = "CX031-discard", tag = "operations",
    params(super::parameters::DeliveryParameter, super::parameters::IdempotencyKey), request_body = DecisionRequest,
    responses((status = 200, description = "The delivery, as the decision has left it", body = ParkedDelivery), Decide))]
async fn discard(request: Request, id: Reference) -> Result<Answer, Problem> {
    decide(request, id, Decision::Discard).await
}

async fn decide(request: Request, Reference(id): Reference, decision: Decision) -> Result<Answer, Problem> {
    let body = request.optional_json().await?;
    let json = json::parse_optional(&body)?;
    let meta = request.meta(&body)?;
    let permit = request.permit(Action::CX031)?;
    let commands = &request.hub.commands;
    let reason = match DecisionBody::parse(json.as_ref(), decision) {
        Ok(DecisionBody { reason }) => reason,
        // Existence comes before fields.
        Err(_) if !commands.is_parked(&permit, &id).await? => return Err(not_found(Code::DeliveryNotFound)),
        Err(errors) => return Err(Problem::fields(errors)),
    };
    let done = commands.decide(permit, meta, &id, Ruling { decision, reason }).await?;
    Ok(Answer::of(&done.value)?.replayed(done.replayed))
}

/// Retry all deliveries that match
///
/// A job behind the request, which can be watched and cancelled; a dry run only says what it would meet.
#[utoipa::path(post, path = "/admin/sync/parked/retry", operation_id = "CX031-retry-all", tag = "operations",
    params(super::parameters::IdempotencyKey), request_body = DecisionsRequest,
    responses((status = 202, description = "The job", body = JobView, headers(("Location" = String, description = "Where the job is"))),
        (status = 200, description = "What a dry run has met", body = DryRun), DecideAll))]
async fn retry_all(request: Request) -> Result<Answer, Problem> {
    decide_all(request, Decision::Retry).await
}

/// Discard all deliveries that match
///
/// A job behind the request, which can be watched and cancelled; a dry run only says what it would meet.
#[utoipa::path(post, path = "/admin/sync/parked/discard", operation_id = "CX031-discard-all", tag = "operations",
    params(super::parameters::IdempotencyKey), request_body = DecisionsRequest,
    responses((status = 202, description = "The job", body = JobView, headers(("Location" = String, description = "Where the job is"))),
        (status = 200, description = "What a dry run has met", body = DryRun), DecideAll))]
async fn discard_all(request: Request) -> Result<Answer, Problem> {
    decide_all(request, Decision::Discard).await
}

async fn decide_all(request: Request, decision: Decision) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    let meta = request.meta(&body)?;
    let permit = request.permit(Action::CX031)?;
    let DecisionsBody { filter, reason, dry_run } = DecisionsBody::parse(&json, decision).map_err(Problem::fields)?;
    let commands = &request.hub.commands;
    if dry_run {
        let met = commands.census(&permit, filter, MAX_LIMIT).await?;
        let (matched, superseded) = (met.matched, met.superseded_in_all);
        return Answer::of(&DryRun { dry_run, matched, superseded, items: met.superseded });
    }
    let job = commands.decide_all(permit, meta, filter, Ruling { decision, reason }).await?;
    let answer = Answer::of(&job.value)?.status(StatusCode::ACCEPTED);
    Ok(answer.location(&format!("/admin/sync/jobs/{}", job.value.id)).replayed(job.replayed))
}

fn filter(query: &Query<'_>) -> Result<ParkedFilter, Problem> {
    let text = |name| query.get(name).map(str::to_owned);
    Ok(ParkedFilter {
        adapter: known(query, "adapter", decision::adapter)?,
        org: text("org"),
        client: text("client"),
        device: text("device"),
        reason: known(query, "reason", decision::reason_code)?,
        function: known(query, "function", decision::function)?,
    })
}

/// A parameter of which only some values are known.
fn known<T>(query: &Query<'_>, name: &str, read: fn(&str) -> Result<T, Flaw>) -> Result<Option<T>, Problem> {
    let value = query.get(name).map(read).transpose();
    value.map_err(|flaw| malformed(name, &format!("is not known here; {}", flaw.detail)))
}

fn identity(filter: &ParkedFilter) -> Vec<&str> {
    std::iter::once("parked").chain(filter.parts()).collect()
}

const MIRROR: &str = "m/";
const COMMAND: &str = "c/";

fn cursor(place: Place) -> Cursor {
    let mark = if place.command { COMMAND } else { MIRROR };
    Cursor { value: place.adapter.as_str().to_owned(), reference: format!("{mark}{}", place.lane) }
}

fn place(text: &str, identity: &[&str]) -> Result<Place, Problem> {
    let Cursor { value, reference } = Cursor::decode(text, identity)?;
    let command = reference.starts_with(COMMAND);
    let lane = reference.strip_prefix(if command { COMMAND } else { MIRROR });
    let place = Adapter::parse(&value).zip(lane);
    place.map(|(adapter, lane)| Place { adapter, lane: lane.to_owned(), command }).ok_or_else(|| {
        Problem::new(Code::MalformedCursor, "cursor has to be next of the page before, with the same query")
    })
}

fn link(filter: &ParkedFilter, limit: usize, next: &str) -> String {
    let given = KNOWN.iter().zip(filter.parts()).filter(|(_, value)| !value.is_empty());
    let given = given.map(|(name, value)| format!("{name}={}&", utf8_percent_encode(value, QUERY)));
    format!("</admin/sync/parked?{}limit={limit}&cursor={next}>; rel=\"next\"", given.collect::<String>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(ParkedFilter, Option<Place>), Code> {
        let read = || {
            let query = Query::parse(Some(query), &KNOWN)?;
            let filter = filter(&query)?;
            let after = query.get("cursor").map(|text| place(text, &identity(&filter))).transpose()?;
            Ok((filter, after))
        };
        read().map_err(|problem: Problem| problem.code())
    }

    #[test]
    fn the_way_to_the_next_page_leads_there() {
        let (filter, _) = read("adapter=messaging&org=o+%26&reason=outcome-unknown&function=send").unwrap();
        let stood = Place { adapter: Adapter::Messaging, lane: "CL-1".into(), command: true };
        let link = link(&filter, 7, &cursor(stood.clone()).encode(&identity(&filter)));
        let query = link.strip_prefix("</admin/sync/parked?").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert_eq!(read(query).unwrap(), (filter, Some(stood)));
    }

    #[test]
    fn a_cursor_belongs_to_its_filter() {
        let (filter, _) = read("adapter=crm").unwrap();
        let stood = Place { adapter: Adapter::Crm, lane: "CL-1".into(), command: false };
        let cursor = cursor(stood).encode(&identity(&filter));
        assert!(read(&format!("adapter=crm&cursor={cursor}")).is_ok());
        assert_eq!(read(&format!("cursor={cursor}")).unwrap_err(), Code::MalformedCursor);
        assert_eq!(read(&format!("adapter=crm&org=o&cursor={cursor}")).unwrap_err(), Code::MalformedCursor);
        for unknown in ["adapter=ledger", "reason=because", "function=fly", "colour=red"] {
            assert_eq!(read(unknown).unwrap_err(), Code::MalformedQuery, "{unknown}");
        }
    }
}
