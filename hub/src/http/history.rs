//! `/clients/history`: CX001, who did what, newest first.

use std::sync::Arc;

use http::header::LINK;
use serde::Serialize;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::cursor::Cursor;
use super::listing::{DEFAULT_LIMIT, MAX_LIMIT};
use super::path::Reference;
use super::problem::{Code, Problem};
use super::request::{Request, not_found, request, served};
use super::schema::History;
use super::statuses::HistoryProblems;
use crate::access::Action;

/// CX001.
pub static HISTORY: Endpoint = Endpoint::json("/clients/history/{reference}", "CX001");

/// A page of a client's history.
#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// The route below `/clients/history`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let one = warp::path::param::<Reference>().and(warp::path::end());
    one.and(warp::get()).and(request(hub, &HISTORY)).then(|r, request| served(request, |q| history(q, r))).boxed()
}

/// History of a client
///
/// Changes, deliveries and decisions, newest first.
#[utoipa::path(get, path = "/clients/history/{reference}", operation_id = "CX001", tag = "audit",
    params(super::parameters::ReferenceParameter, super::parameters::PageQueryParameters),
    responses((status = 200, description = "A page of the history", body = History,
        headers(("Link" = String, description = "`<…>; rel=\"next\"`, where there is another page"))), HistoryProblems))]
async fn history(request: Request, reference: Reference) -> Result<Answer, Problem> {
    let query = request.query(&["limit", "cursor"])?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let identity = ["history", reference.0.as_str()];
    let before = query.get("cursor").map(|text| before(text, &identity)).transpose()?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    request.permit_on(Action::CX001, &reference.0, client.as_deref())?;
    client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    let (insight, org, about) = (request.hub.insight.clone(), request.caller.org().to_owned(), reference.0.clone());
    // It reads files.
    let page = tokio::task::spawn_blocking(move || insight.history(&org, &about, before, limit)).await;
    let page = page.unwrap_or_else(|ended| Err(ended.to_string())).map_err(|why| {
        Problem::new(Code::StorageUnavailable, "the history can't be read at the moment").because(why)
    })?;
    let next = page.next.map(|seq| Cursor { value: seq.to_string(), reference: String::new() }.encode(&identity));
    let link =
        next.as_ref().map(|next| format!("<{}?limit={limit}&cursor={next}>; rel=\"next\"", request.call.uri.path()));
    let answer = Answer::of(&Page { items: page.items, next })?;
    Ok(link.iter().fold(answer, |answer, link| answer.header(LINK, link)))
}

fn before(text: &str, identity: &[&str]) -> Result<u64, Problem> {
    let cursor = Cursor::decode(text, identity)?;
    cursor.value.parse().map_err(|_| Problem::new(Code::MalformedCursor, "cursor has to be next of the page before"))
}
