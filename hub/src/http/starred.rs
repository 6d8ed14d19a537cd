//! `/clients/starred`: CL008. The favourite belongs to the member, not to the client.

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::json;
use super::path::Reference;
use super::problem::{Code, Problem};
use super::request::{Request, not_found, request, served};
use super::schema::Starred;
use super::schema_in::StarRequest;
use super::statuses::Star;
use crate::access::Action;
use crate::domain::validate::body::StarBody;

/// CL008.
pub static STAR: Endpoint = Endpoint::json("/clients/starred/{reference}", "CL008");

/// The route below `/clients/starred`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let one = warp::path::param::<Reference>().and(warp::path::end());
    one.and(warp::post()).and(request(hub, &STAR)).then(|r, request| served(request, |q| star(q, r))).boxed()
}

/// Toggle client favourites
///
/// Without a body the favourite toggles; with `starred` it is set.
#[utoipa::path(post, path = "/clients/starred/{reference}", operation_id = "CL008", tag = "clients",
    params(super::parameters::ReferenceParameter, super::parameters::IdempotencyKey), request_body = Option<StarRequest>,
    responses((status = 200, description = "How it stands", body = Starred), Star))]
async fn star(request: Request, reference: Reference) -> Result<Answer, Problem> {
    let body = request.optional_json().await?;
    let json = json::parse_optional(&body)?;
    let meta = request.meta(&body)?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    let permit = request.permit_on(Action::CL008, &reference.0, client.as_deref())?;
    client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    let StarBody { starred } = StarBody::parse(json.as_ref()).map_err(Problem::fields)?;
    let done = request.hub.commands.star(permit, meta, &reference.0, starred).await?;
    Ok(Answer::of(&Starred { reference: reference.0, starred: done.value })?.replayed(done.replayed))
}
