//! `/clients/kyc`: CX004, the decision on a client in review.

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::json;
use super::path::Reference;
use super::problem::{Code, Problem};
use super::profile::shown;
use super::request::{Request, not_found, request, served};
use super::schema_in::ReviewRequest;
use super::statuses::Review;
use crate::access::Action;
use crate::domain::validate::body::ReviewBody;
use crate::state::view::ClientView;

/// CX004.
pub static REVIEW: Endpoint = Endpoint::json("/clients/kyc/{reference}", "CX004");

/// The route below `/clients/kyc`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let one = warp::path::param::<Reference>().and(warp::path::end());
    one.and(warp::post()).and(request(hub, &REVIEW)).then(|r, request| served(request, |q| review(q, r))).boxed()
}

/// Decide on a client in review
#[utoipa::path(post, path = "/clients/kyc/{reference}", operation_id = "CX004", tag = "kyc",
    params(super::parameters::ReferenceParameter, super::parameters::IdempotencyKey), request_body = ReviewRequest,
    responses((status = 200, description = "The client", body = ClientView, headers(("ETag" = String, description = "The version"))), Review))]
async fn review(request: Request, reference: Reference) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    let meta = request.meta(&body)?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    let permit = request.permit_on(Action::CX004, &reference.0, client.as_deref())?;
    client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    let decision = ReviewBody::parse(&json).map_err(Problem::fields)?;
    let done = request.hub.commands.review(permit, meta, &reference.0, decision).await?;
    Ok(shown(&request, &done.value).replayed(done.replayed))
}
