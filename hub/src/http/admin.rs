//! `/admin`: CX020, CX021 and CX040, what an operator sees of the hub itself; below `/admin/sync` are `parked` and `jobs`.

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::problem::Problem;
use super::request::{Request, request, served};
use super::statuses::Admin;
use super::views::{AdapterView, Items, PolicyView};
use super::{jobs, parked};
use crate::access::Action;
use crate::actors::TreeReport;

/// CX020.
pub static TREE: Endpoint = Endpoint::json("/admin/tree", "CX020");
/// CX021.
pub static ADAPTERS: Endpoint = Endpoint::json("/admin/adapters", "CX021");
/// CX040.
pub static POLICIES: Endpoint = Endpoint::json("/admin/policies", "CX040");

/// The routes below `/admin`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let get = |name: &'static str| warp::path(name).and(warp::path::end()).and(warp::get());
    let tree = get("tree").and(request(hub, &TREE)).then(|request| served(request, tree));
    let adapters = get("adapters").and(request(hub, &ADAPTERS)).then(|request| served(request, adapters));
    let sync = warp::path("sync").and(parked::routes(hub).or(jobs::routes(hub)).unify());
    let policies = get("policies").and(request(hub, &POLICIES)).then(|request| served(request, policies));
    tree.or(adapters).unify().or(sync).unify().or(policies).unify().boxed()
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

/// The policy in force
#[utoipa::path(get, path = "/admin/policies", operation_id = "CX040", tag = "operations",
    responses((status = 200, description = "What is in force, and what is wrong with what is not", body = PolicyView), Admin))]
async fn policies(request: Request) -> Result<Answer, Problem> {
    request.query(&[])?;
    request.permit(Action::CX040)?;
    Answer::of(&request.hub.insight.policies())
}
