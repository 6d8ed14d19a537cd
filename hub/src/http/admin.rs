//! `/admin`: CX020, CX021 and CX030, what an operator sees of the hub itself; the policies are in `policies`.

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::listing::{DEFAULT_LIMIT, MAX_LIMIT};
use super::policies;
use super::problem::Problem;
use super::query::malformed;
use super::request::{Request, request, served};
use super::statuses::{Admin, Parked};
use super::views::{AdapterView, Items};
use crate::access::Action;
use crate::actors::{ParkedView, TreeReport};
use crate::domain::delivery::Adapter;

/// CX020.
pub static TREE: Endpoint = Endpoint::json("/admin/tree", "CX020");
/// CX021.
pub static ADAPTERS: Endpoint = Endpoint::json("/admin/adapters", "CX021");
/// CX030.
pub static PARKED: Endpoint = Endpoint::json("/admin/sync/parked", "CX030");

/// The routes below `/admin`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let get = |name: &'static str| warp::path(name).and(warp::path::end()).and(warp::get());
    let tree = get("tree").and(request(hub, &TREE)).then(|request| served(request, tree));
    let adapters = get("adapters").and(request(hub, &ADAPTERS)).then(|request| served(request, adapters));
    let parked =
        warp::path("sync").and(get("parked")).and(request(hub, &PARKED)).then(|request| served(request, parked));
    let policies = warp::path("policies").and(policies::routes(hub));
    tree.or(adapters).unify().or(parked).unify().or(policies).unify().boxed()
}

/// The supervisor tree
#[utoipa::path(get, path = "/admin/tree", operation_id = "CX020", tag = "operations",
    responses((status = 200, description = "Every actor", body = TreeReport), Admin))]
async fn tree(request: Request) -> Result<Answer, Problem> {
    request.query(&[])?;
    request.permit(Action::CX020)?;
    Answer::of(&request.hub.tree.report())
}

/// The plugins
#[utoipa::path(get, path = "/admin/adapters", operation_id = "CX021", tag = "operations",
    responses((status = 200, description = "Every configured adapter", body = Items<AdapterView>), Admin))]
async fn adapters(request: Request) -> Result<Answer, Problem> {
    request.query(&[])?;
    request.permit(Action::CX021)?;
    let reports = request.hub.adapters.report();
    Answer::of(&Items { items: reports.into_iter().map(AdapterView::from).collect() })
}

/// Deliveries that were set aside
#[utoipa::path(get, path = "/admin/sync/parked", operation_id = "CX030", tag = "operations",
    params(super::parameters::ParkedQueryParameters),
    responses((status = 200, description = "What was set aside", body = Items<ParkedView>), Parked))]
async fn parked(request: Request) -> Result<Answer, Problem> {
    let query = request.query(&["adapter", "limit"])?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let adapter = query.get("adapter").map(adapter).transpose()?;
    request.permit(Action::CX030)?;
    let mut items = request.hub.insight.parked(adapter);
    items.truncate(limit);
    Answer::of(&Items { items })
}

fn adapter(name: &str) -> Result<Adapter, Problem> {
    Adapter::parse(name).ok_or_else(|| malformed("adapter", "has to be core-banking, crm, kyc, identity or messaging"))
}
