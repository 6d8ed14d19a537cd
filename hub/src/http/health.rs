//! `/health` and `/metrics`: open to probes, so they say how the parts are and nothing of what they hold.

use std::sync::Arc;

use serde_json::json;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::media;
use super::problem::{Code, Problem};
use super::request::{Visit, first_of, opened, visit};
use super::statuses::{Open, Ready};
use super::views::{Health, Liveness, Readiness};
use crate::telemetry::metrics::CONTENT_TYPE;

/// Prometheus' own text format.
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What a scraper of OpenMetrics asks for.
const OPEN_METRICS: &str = "application/openmetrics-text";

/// `GET /health/live`.
pub static LIVE: Endpoint = Endpoint::json("/health/live", "-");
/// `GET /health/ready`.
pub static READY: Endpoint = Endpoint::json("/health/ready", "-");
/// `GET /metrics`.
pub static METRICS: Endpoint = Endpoint { template: "/metrics", action: "-", offers: &["text/plain", OPEN_METRICS] };

/// The routes for probes.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let health =
        |name: &'static str| warp::path("health").and(warp::path(name)).and(warp::path::end()).and(warp::get());
    let live = health("live").and(visit(hub, &LIVE)).then(|visit| opened(visit, live));
    let ready = health("ready").and(visit(hub, &READY)).then(|visit| opened(visit, ready));
    let metrics = warp::path("metrics").and(warp::path::end()).and(warp::get());
    let metrics = metrics.and(visit(hub, &METRICS)).then(|visit| opened(visit, scrape));
    first_of!(live, ready, metrics).boxed()
}

/// Liveness
#[utoipa::path(get, path = "/health/live", operation_id = "live", tag = "health", security(),
    responses((status = 200, description = "The process answers", body = Liveness), Open))]
async fn live(_: Visit) -> Result<Answer, Problem> {
    Answer::of(&Liveness { status: Health::Ok })
}

/// Readiness
///
/// 503 only where requests can't be served; `parts` is in the problem then too.
#[utoipa::path(get, path = "/health/ready", operation_id = "ready", tag = "health", security(),
    responses((status = 200, description = "Requests are served", body = Readiness), Ready))]
async fn ready(visit: Visit) -> Result<Answer, Problem> {
    let parts = visit.hub.insight.readiness();
    let status = parts.iter().map(|part| part.status).max().unwrap_or(Health::Ok);
    if status == Health::Down {
        return Err(Problem::new(Code::StorageUnavailable, "requests can't be served").with("parts", json!(parts)));
    }
    Answer::of(&Readiness { status, parts })
}

/// Metrics
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "health", security(),
    responses((status = 200, description = "Prometheus text, or OpenMetrics where `Accept` names it",
        content((String = "text/plain"), (String = "application/openmetrics-text"))), Open))]
async fn scrape(visit: Visit) -> Result<Answer, Problem> {
    let open = media::names(&visit.call.headers, OPEN_METRICS);
    Ok(Answer::bytes(if open { CONTENT_TYPE } else { PLAIN }, visit.hub.metrics.render()))
}
