//! `/openapi.json` and `/docs`: the contract, and a page to read and try it. The page needs no other host.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderName;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::media::JSON;
use super::problem::{Code, Problem};
use super::request::{Visit, first_of, opened, visit};
use super::statuses::Open;

/// `GET /openapi.json`.
pub static CONTRACT: Endpoint = Endpoint::json("/openapi.json", "-");
/// `GET /docs`.
pub static PAGE: Endpoint = Endpoint { template: "/docs", action: "-", offers: &["text/html"] };
/// What the page loads.
pub static FILES: Endpoint = Endpoint { template: "/docs/{file}", action: "-", offers: &[] };

/// The page runs its own scripts and asks this host only.
const CSP: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
                   base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What browsers are told about the page and its files. That nothing may be guessed of a file's type, every answer says.
const GUARDS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, CSP),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The routes of the contract.
pub fn routes(hub: &Arc<HttpContext>, document: &OpenApi) -> BoxedFilter<(Response,)> {
    let text = Bytes::from(serde_json::to_vec(document).unwrap_or_default());
    // Without `none` the page would send the contract to a validator on another host.
    let ui = Arc::new(Config::from("/openapi.json").validator_url("none"));
    let get = |name: &'static str| warp::path(name).and(warp::path::end()).and(warp::get());

    let contract = get("openapi.json").and(visit(hub, &CONTRACT)).then(move |visit| {
        let text = text.clone();
        opened(visit, move |visit| contract(visit, text))
    });
    let shown = ui.clone();
    let page = get("docs").and(visit(hub, &PAGE)).then(move |visit| {
        let ui = shown.clone();
        opened(visit, move |visit| page(visit, ui))
    });
    let files = warp::path("docs").and(warp::path::param::<String>()).and(warp::path::end()).and(warp::get());
    let files = files.and(visit(hub, &FILES)).then(move |name: String, visit| {
        let ui = ui.clone();
        opened(visit, move |_| async move { file(&name, &ui) })
    });
    first_of!(contract, page, files).boxed()
}

/// This document
#[utoipa::path(get, path = "/openapi.json", operation_id = "contract", tag = "health", security(),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value), Open))]
async fn contract(_: Visit, text: Bytes) -> Result<Answer, Problem> {
    Ok(Answer::bytes(JSON, text))
}

/// A page to read and try the contract
#[utoipa::path(get, path = "/docs", operation_id = "docs", tag = "health", security(),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), Open))]
async fn page(_: Visit, ui: Arc<Config<'static>>) -> Result<Answer, Problem> {
    file("index.html", &ui)
}

fn file(name: &str, ui: &Arc<Config<'static>>) -> Result<Answer, Problem> {
    let file = utoipa_swagger_ui::serve(name, ui.clone()).map_err(|error| Problem::internal(error.to_string()))?;
    let file = file.ok_or_else(|| Problem::new(Code::RouteNotFound, "there is no such file"))?;
    let mut bytes = file.bytes.into_owned();
    if name == "index.html" {
        // The page lies at /docs, not at /docs/: its files are named from the root.
        bytes = String::from_utf8_lossy(&bytes)
            .replace("=\"./", "=\"/docs/")
            .replace("=\"index.css", "=\"/docs/index.css")
            .into_bytes();
    }
    let answer = Answer::bytes(media_type(name), bytes);
    Ok(GUARDS.into_iter().fold(answer, |answer, (name, text)| answer.header(name, text)))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("png") => "image/png",
        Some("map" | "json") => JSON,
        _ => "application/octet-stream",
    }
}
