//! `/clients/profile`: CL001 to CL005 and CL009.

use std::sync::Arc;

use chrono::Utc;
use http::StatusCode;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::etag::IfMatch;
use super::listing::{KNOWN, ListParams};
use super::path::Reference;
use super::problem::{Code, Problem};
use super::request::{Request, first_of, not_found, request, request_by, served};
use super::schema::ClientPage;
use super::schema_in::{ArchiveRequest, ClientInput};
use super::statuses::{Archive, Create, Edit, List, View};
use super::{json, query};
use crate::access::Action;
use crate::domain::filter::{Attribute, Attributes};
use crate::domain::validate::body::ArchiveBody;
use crate::domain::validate::{Mode, draft};
use crate::state::ClientRecord;
use crate::state::view::ClientView;

/// CL001.
pub static LIST: Endpoint = Endpoint::json("/clients/profile", "CL001");
/// CL009.
pub static SEARCH: Endpoint = Endpoint::json("/clients/profile", "CL009");
/// CL003.
pub static CREATE: Endpoint = Endpoint::json("/clients/profile", "CL003");
/// CL002.
pub static VIEW: Endpoint = Endpoint::json("/clients/profile/{reference}", "CL002");
/// CL004.
pub static EDIT: Endpoint = Endpoint::json("/clients/profile/{reference}", "CL004");
/// CL005.
pub static ARCHIVE: Endpoint = Endpoint::json("/clients/profile/{reference}", "CL005");

/// The routes below `/clients/profile`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let all = warp::path::end();
    let one = warp::path::param::<Reference>().and(warp::path::end());
    let list_or_search = request_by(hub, |call| if query::has(call.uri.query(), "filter") { &SEARCH } else { &LIST });

    let view = one.and(warp::get()).and(request(hub, &VIEW)).then(|r, request| served(request, |q| view(q, r)));
    let list = all.and(warp::get()).and(list_or_search).then(|request| served(request, list));
    let create = all.and(warp::post()).and(request(hub, &CREATE)).then(|request| served(request, create));
    let edit = one.and(warp::put()).and(request(hub, &EDIT)).then(|r, request| served(request, |q| edit(q, r)));
    let archive =
        one.and(warp::delete()).and(request(hub, &ARCHIVE)).then(|r, request| served(request, |q| archive(q, r)));
    first_of!(view, list, create, edit, archive).boxed()
}

/// List or search clients
///
/// Without `filter` this is CL001, with it CL009. Archived and erased clients are left out unless the filter names
/// `status`. A client that does not change during a walk along `next` appears exactly once.
#[utoipa::path(get, path = "/clients/profile", operation_id = "CL001-CL009", tag = "clients",
    params(super::parameters::ListQueryParameters),
    responses((status = 200, description = "A page of clients", body = ClientPage,
        headers(("Link" = String, description = "`<…>; rel=\"next\"`, where there is another page"))), List))]
async fn list(request: Request) -> Result<Answer, Problem> {
    let params = ListParams::read(&request.query(KNOWN)?)?;
    let searches = query::has(request.call.uri.query(), "filter");
    let permit = request.permit(if searches { Action::CL009 } else { Action::CL001 })?;
    let state = request.hub.state.clone();
    // It runs over all rows of the organisation: not on a thread that has connections to serve.
    let listing = tokio::task::spawn_blocking(move || {
        let (org, member, rows) = (permit.org(), permit.member(), permit.rows());
        let visible = |row: &dyn Attributes<Attribute>| rows.is_none_or(|rows| rows.allows(row));
        let page = state.list(org, &params.for_member(member, rows.is_some().then_some(&visible)));
        params.answer(&page, |reference| state.is_starred(org, member, reference))
    });
    listing.await.map_err(|error| Problem::internal(error.to_string()))
}

/// View client details
#[utoipa::path(get, path = "/clients/profile/{reference}", operation_id = "CL002", tag = "clients",
    params(super::parameters::ReferenceParameter),
    responses((status = 200, description = "The client", body = ClientView, headers(("ETag" = String, description = "The version"))), View))]
async fn view(request: Request, reference: Reference) -> Result<Answer, Problem> {
    request.query(&[])?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    let permit = request.permit_on(Action::CL002, &reference.0, client.as_deref())?;
    let client = client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    request.looked(&permit, &reference.0);
    request.hub.insight.viewed(&client);
    Ok(shown(&request, &client))
}

/// Create client
///
/// The client is accepted as `pending` and answered at once; onboarding runs behind it.
#[utoipa::path(post, path = "/clients/profile", operation_id = "CL003", tag = "clients",
    params(super::parameters::IdempotencyKey), request_body = ClientInput,
    responses((status = 201, description = "The client, accepted", body = ClientView, headers(
        ("Location" = String, description = "Where the client is"), ("ETag" = String, description = "The version"))), Create))]
async fn create(request: Request) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    let meta = request.meta(&body)?;
    let permit = request.permit(Action::CL003)?;
    let draft = draft(&json, Utc::now().date_naive(), Mode::Create).map_err(Problem::fields)?;
    let done = request.hub.commands.create(permit, meta, draft).await?;
    let location = format!("/clients/profile/{}", done.value.client.reference);
    // Nobody's favourite when it was made, which is what a replay answers too.
    let created = Answer::json(done.value.body(false)).version(done.value.client.version);
    Ok(created.status(StatusCode::CREATED).location(&location).replayed(done.replayed))
}

/// Update client profile
///
/// The whole editable profile: what is left out is cleared, but `status` and, for all but RP001, `assignedTo` stay.
#[utoipa::path(put, path = "/clients/profile/{reference}", operation_id = "CL004", tag = "clients",
    params(super::parameters::ReferenceParameter, super::parameters::IfMatchParameter), request_body = ClientInput,
    responses((status = 200, description = "The client", body = ClientView, headers(("ETag" = String, description = "The version"))), Edit))]
async fn edit(request: Request, reference: Reference) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    let if_match = IfMatch::parse(&request.call.headers)?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    let permit = request.permit_on(Action::CL004, &reference.0, client.as_deref())?;
    let client = client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    let draft = draft(&json, Utc::now().date_naive(), Mode::Edit).map_err(Problem::fields)?;
    let expected = if_match.expected(Some(client.client.version));
    let meta = request.meta_without_key();
    let done = request.hub.commands.edit((permit, meta), &reference.0, expected, draft).await?;
    Ok(shown(&request, &done.value))
}

/// Archive client
///
/// An archived client again is 200, with nothing written. The client's devices are deactivated.
#[utoipa::path(delete, path = "/clients/profile/{reference}", operation_id = "CL005", tag = "clients",
    params(super::parameters::ReferenceParameter, super::parameters::IfMatchParameter), request_body = Option<ArchiveRequest>,
    responses((status = 200, description = "The archived client", body = ClientView, headers(("ETag" = String, description = "The version"))), Archive))]
async fn archive(request: Request, reference: Reference) -> Result<Answer, Problem> {
    let body = request.optional_json().await?;
    let json = json::parse_optional(&body)?;
    let if_match = IfMatch::parse(&request.call.headers)?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    let permit = request.permit_on(Action::CL005, &reference.0, client.as_deref())?;
    let client = client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    let ArchiveBody { reason } = ArchiveBody::parse(json.as_ref()).map_err(Problem::fields)?;
    let expected = if_match.expected(Some(client.client.version));
    let meta = request.meta_without_key();
    let done = request.hub.commands.archive((permit, meta), &reference.0, expected, reason).await?;
    Ok(shown(&request, &done.value))
}

/// A client as this member sees it.
pub fn shown(request: &Request, record: &ClientRecord) -> Answer {
    let (org, member) = (request.caller.org(), request.caller.member());
    let starred = request.hub.state.is_starred(org, member, &record.client.reference);
    Answer::json(record.body(starred)).version(record.client.version)
}
