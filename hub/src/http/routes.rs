//! The table of contents: every route, by its first segments, and what answers where there is none.
//!
//! A rejection of warp means "not my route" and nothing else; whoever gets to an endpoint leaves it with a reply.

use std::sync::Arc;

use utoipa::openapi::OpenApi;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::call::{Call, Endpoint};
use super::context::HttpContext;
use super::openapi::Methods;
use super::problem::{Code, Problem};
use super::request::first_of;
use super::{
    accounts, adapters, admin, devices, docs, documents, health, history, jobs, kyc, parked, policies, profile, starred,
};

/// Every endpoint.
pub static ENDPOINTS: &[&Endpoint] = &[
    &profile::LIST,
    &profile::SEARCH,
    &profile::CREATE,
    &profile::VIEW,
    &profile::EDIT,
    &profile::ARCHIVE,
    &accounts::ACCOUNTS,
    &devices::LIST,
    &devices::LOCK,
    &devices::TRANSFER,
    &devices::ACTIVATE,
    &devices::RESET_PIN,
    &starred::STAR,
    &history::HISTORY,
    &documents::LIST,
    &documents::SUBMIT,
    &kyc::REVIEW,
    &admin::TREE,
    &admin::ADAPTERS,
    &adapters::RELOAD,
    &adapters::ROLLBACK,
    &parked::PARKED,
    &parked::RETRY,
    &parked::DISCARD,
    &parked::RETRY_ALL,
    &parked::DISCARD_ALL,
    &jobs::LIST,
    &jobs::ONE,
    &jobs::CANCEL,
    &policies::POLICIES,
    &policies::EXPLAIN,
    &health::LIVE,
    &health::READY,
    &health::METRICS,
    &docs::CONTRACT,
    &docs::PAGE,
    &docs::FILES,
];

/// All routes as one filter that always answers.
pub fn routes(hub: &Arc<HttpContext>, document: &OpenApi) -> BoxedFilter<(Response,)> {
    let clients = first_of!(
        warp::path("profile").and(profile::routes(hub)),
        warp::path("device").and(devices::routes(hub)),
        warp::path("accounts").and(accounts::routes(hub)),
        warp::path("starred").and(starred::routes(hub)),
        warp::path("history").and(history::routes(hub)),
        warp::path("documents").and(documents::routes(hub)),
        warp::path("kyc").and(kyc::routes(hub)),
    );
    let (clients, admin) = (warp::path("clients").and(clients), warp::path("admin").and(admin::routes(hub)));
    let known = exact().and(first_of!(clients, admin, health::routes(hub), docs::routes(hub, document)));
    first_of!(known, nowhere(Methods::of(document))).boxed()
}

/// A path with a slash at its end is another path, though warp's own `end` lets it pass.
fn exact() -> impl Filter<Extract = (), Error = Rejection> + Clone {
    let check = |path: warp::path::FullPath| {
        let exact = !path.as_str().ends_with('/');
        std::future::ready(if exact { Ok(()) } else { Err(warp::reject::not_found()) })
    };
    warp::path::full().and_then(check).untuple_one()
}

/// What is asked where no route is, or a route without that method.
fn nowhere(methods: Methods) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let methods = Arc::new(methods);
    warp::ext::get::<Arc<Call>>().map(move |call: Arc<Call>| {
        let problem = match methods.allowed(call.uri.path()) {
            Some(allowed) => {
                let detail = format!("the route has {allowed}");
                Problem::new(Code::MethodNotAllowed, detail).allow(&allowed)
            }
            None => Problem::new(Code::RouteNotFound, "see /openapi.json for the routes that there are"),
        };
        problem.reply(&call.request_id)
    })
}
