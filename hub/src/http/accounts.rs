//! `/clients/accounts`: CL006, live from core banking.

use std::sync::Arc;

use http::header::WARNING;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::path::Reference;
use super::problem::{Code, Problem};
use super::request::{Request, not_found, request, served};
use super::statuses::AccountsProblems;
use crate::access::Action;
use crate::actors::AccountsView;

/// CL006.
pub static ACCOUNTS: Endpoint = Endpoint::json("/clients/accounts/{reference}", "CL006");

/// The route below `/clients/accounts`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let one = warp::path::param::<Reference>().and(warp::path::end());
    one.and(warp::get()).and(request(hub, &ACCOUNTS)).then(|r, request| served(request, |q| accounts(q, r))).boxed()
}

/// List client accounts
///
/// When core banking is down: the last answer kept, with `stale` true, or 503 where none is kept.
#[utoipa::path(get, path = "/clients/accounts/{reference}", operation_id = "CL006", tag = "accounts",
    params(super::parameters::ReferenceParameter),
    responses((status = 200, description = "The accounts", body = AccountsView,
        headers(("Warning" = String, description = "110, where the answer is an old one"))), AccountsProblems))]
async fn accounts(request: Request, reference: Reference) -> Result<Answer, Problem> {
    request.query(&[])?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    let permit = request.permit_on(Action::CL006, &reference.0, client.as_deref())?;
    client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    let view = request.hub.commands.accounts(&permit, &reference.0).await?;
    request.looked(&permit, &reference.0);
    let answer = Answer::of(view.as_ref())?;
    Ok(if view.stale { answer.header(WARNING, "110 - \"Response is Stale\"") } else { answer })
}
