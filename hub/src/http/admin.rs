//! `/admin`: CX020 and CX021, what an operator sees of the hub itself; below `/admin/adapters` is `adapters`, below
//! `/admin/sync` are `parked` and `jobs`, below `/admin/policies` is `policies`.

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::problem::Problem;
use super::request::{Request, first_of, request, served};
use super::statuses::Admin;
use super::views::{AdapterView, Items};
use super::{adapters as swaps, jobs, parked, policies};
use crate::access::Action;
use crate::actors::TreeReport;

/// CX020.
pub static TREE: Endpoint = Endpoint::json("/admin/tree", "CX020");
/// CX021.
pub static ADAPTERS: Endpoint = Endpoint::json("/admin/adapters", "CX021");

/// The routes below `/admin`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let get = |name: &'static str| warp::path(name).and(warp::path::end()).and(warp::get());
    let tree = get("tree").and(request(hub, &TREE)).then(|request| served(request, tree));
    let adapters = get("adapters").and(request(hub, &ADAPTERS)).then(|request| served(request, adapters));
    let swaps = warp::path("adapters").and(swaps::routes(hub));
    let sync = warp::path("sync").and(first_of!(parked::routes(hub), jobs::routes(hub)));
    let policies = warp::path("policies").and(policies::routes(hub));
    first_of!(tree, adapters, swaps, sync, policies).boxed()
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
