//! The outermost routes: which system a path belongs to. What lies below is the system's own table.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use warp::filters::path::Tail;
use warp::reply::Response;
use warp::{Filter, Rejection};

use crate::call::{Answer, Call};
use crate::{Backends, System};

/// All routes as one warp filter.
#[must_use]
pub fn all(
    backends: &Arc<Backends>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<> {
    let health = routed("healthz", Arc::clone(backends), |backends, call| backends.matching.health(call))
        .or(routed("readyz", Arc::clone(backends), |backends, call| backends.matching.health(call)))
        .unify();
    let control = routed("control", Arc::clone(backends), Backends::answer_test);
    System::ALL.into_iter().fold(control.or(health).unify().boxed(), |routes, system| {
        let route = routed(system.name(), Arc::clone(backends), move |backends, call| backends.answer(system, call));
        route.or(routes).unify().boxed()
    })
}

fn routed(
    base: &'static str,
    backends: Arc<Backends>,
    decide: impl Fn(&Backends, &Call) -> Answer + Clone + Send + Sync + 'static,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let raw_query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::path(base)
        .and(warp::method())
        .and(warp::path::tail())
        .and(raw_query)
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .map(move |method: Method, tail: Tail, query: String, headers: HeaderMap, body: Bytes| {
            let call = Call::new(method, tail.as_str(), &query, headers, body);
            reply(decide(&backends, &call))
        })
}

fn reply(answer: Answer) -> Response {
    let mut response = Response::new(answer.body.into());
    *response.status_mut() = answer.status;
    response.headers_mut().extend(answer.headers);
    response
}
