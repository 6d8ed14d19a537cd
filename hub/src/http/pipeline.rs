//! What happens to every request, in the fixed order of checks: rate limit by address, token, rate limit by member,
//! route. Behind it: the request id on the answer, one line in the log, one count in the metrics.
//!
//! No request leaves without an answer: a panic becomes a 500. What a caller still sends when its answer is known is
//! read and dropped within a bound, so that the answer arrives.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::FutureExt as _;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, EXPECT, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Version};
use http_body_util::{BodyExt as _, Empty};
use tower::Service as _;
use tracing::Instrument as _;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::body;
use super::call::{Call, REQUEST_ID};
use super::context::HttpContext;
use super::failures::token_missing;
use super::problem::{Code, Failure, Problem};
use super::{openapi, routes};
use crate::telemetry::{self, TraceContext};

/// Browsers that came over TLS once do not come without it for a year.
const ONLY_TLS: &str = "max-age=31536000";
/// What stands in the log and the metrics where there is no action.
const NO_ACTION: &str = "-";

/// Everything between a connection and the endpoints.
pub struct Front {
    hub: Arc<HttpContext>,
    routes: BoxedFilter<(Response,)>,
    answered: HashMap<&'static str, telemetry::Http>,
}

impl Front {
    /// The front of this hub.
    #[must_use]
    pub fn new(hub: Arc<HttpContext>) -> Self {
        let routes = routes::routes(&hub, &openapi::document());
        let actions = routes::ENDPOINTS.iter().map(|endpoint| endpoint.action).chain([NO_ACTION]);
        let answered = actions.map(|action| (action, hub.metrics.http(action))).collect();
        Self { hub, routes, answered }
    }

    /// The hub behind it.
    #[must_use]
    pub fn hub(&self) -> &HttpContext {
        &self.hub
    }

    /// Answers one request of a connection from `peer`.
    pub async fn answer<B>(&self, request: http::Request<B>, peer: IpAddr) -> Response
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let started = Instant::now();
        let (head, unread) = request.into_parts();
        let version = head.version;
        let address = self.hub.proxies.caller(peer, &head.headers);
        let call = Arc::new(Call::new(head, unread.map_err(Into::into).boxed_unsync(), address));
        let span = tracing::info_span!("request", request_id = call.request_id, trace_id = call.trace_id);
        let deciding = TraceContext::scope(Some(call.trace), self.decide(&call)).instrument(span);
        let deciding = AssertUnwindSafe(deciding).catch_unwind();
        let mut response = deciding.await.unwrap_or_else(|panic| crashed(panic.as_ref()).reply(&call.request_id));
        if !drained(&call).await {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        finish(&call, version, &mut response);
        if self.hub.secure {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_TLS));
        }
        self.record(&call, &mut response, started);
        response
    }

    async fn decide(&self, call: &Arc<Call>) -> Response {
        match self.admit(call).await {
            Ok(()) => self.route(call).await,
            Err(problem) => problem.reply(&call.request_id),
        }
    }

    /// The checks before the route.
    async fn admit(&self, call: &Call) -> Result<(), Problem> {
        let hub = &self.hub;
        hub.limits.address(call.address).inspect_err(|_| self.refused("address"))?;
        if is_open(call.uri.path()) {
            return Ok(());
        }
        let caller = hub.tokens.verify(bearer(&call.headers)?).await?;
        call.identify(caller.clone());
        let member = hub.limits.member(caller.org(), caller.member());
        member.inspect_err(|_| self.refused("member"))
    }

    fn refused(&self, by: &'static str) {
        self.hub.metrics.rate_limited(by).inc();
    }

    async fn route(&self, call: &Arc<Call>) -> Response {
        let mut request = http::Request::new(Empty::<Bytes>::new());
        // HEAD is GET without the body (RFC 9110, section 9.3.2); `finish` takes the body away.
        let is_head = call.method == Method::HEAD;
        *request.method_mut() = if is_head { Method::GET } else { call.method.clone() };
        *request.uri_mut() = call.uri.clone();
        request.extensions_mut().insert(call.clone());
        match warp::service(self.routes.clone()).call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// The one line in the log.
    fn record(&self, call: &Call, response: &mut Response, started: Instant) {
        let took = started.elapsed();
        let status = response.status().as_u16();
        let endpoint = call.endpoint();
        let action = endpoint.map_or(NO_ACTION, |endpoint| endpoint.action);
        if let Some(handle) = self.answered.get(action) {
            handle.answered(status, took);
        }
        let failure = response.extensions_mut().remove::<Failure>();
        let line = Line {
            action,
            route: endpoint.map_or("-", |endpoint| endpoint.template),
            status,
            code: failure.as_ref().map(|failure| failure.code.as_str()),
            why: failure.as_ref().and_then(|failure| failure.log.as_deref()),
            bytes: hyper::body::Body::size_hint(response.body()).lower(),
            ms: took.as_secs_f64() * 1000.0,
        };
        line.write(call);
    }
}

/// What one line of the log says beside the request itself.
struct Line<'a> {
    action: &'static str,
    route: &'static str,
    status: u16,
    code: Option<&'static str>,
    why: Option<&'a str>,
    bytes: u64,
    ms: f64,
}

macro_rules! log_line {
    ($level:ident, $call:ident, $line:ident, $who:ident) => {
        tracing::$level!(target: "hub::request", method = $call.method.as_str(), route = $line.route, action = $line.action,
            status = $line.status, code = $line.code, member = $who.map(|c| c.member()),
            org = $who.map(|c| c.org()), request_id = $call.request_id, trace_id = $call.trace_id,
            ms = $line.ms, bytes = $line.bytes, why = $line.why)
    };
}

impl Line<'_> {
    /// Failures of the hub itself are errors; what callers do wrong is not.
    fn write(&self, call: &Call) {
        let (line, who) = (self, call.caller());
        if line.status == 500 {
            log_line!(error, call, line, who);
        } else {
            log_line!(info, call, line, who);
        }
    }
}

/// Routes that ask for no token.
fn is_open(path: &str) -> bool {
    matches!(path, "/metrics" | "/openapi.json" | "/docs") || path.starts_with("/docs/") || path.starts_with("/health/")
}

/// The token of the only `Authorization` header, of the scheme `Bearer`.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let line = lines.next().ok_or_else(token_missing)?;
    let invalid = |why: &str| {
        Problem::new(Code::TokenInvalid, "the token is not accepted here")
            .challenge("invalid_token", "the token is not accepted")
            .because(why)
    };
    if lines.next().is_some() {
        return Err(invalid("two Authorization headers"));
    }
    let text = line.to_str().map_err(|_| invalid("the header is not ASCII"))?.trim();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(token_missing());
    }
    let token = token.trim();
    if token.is_empty() { Err(invalid("no token after Bearer")) } else { Ok(token) }
}

/// Reads and drops what the endpoint has left of the body; tells whether the connection can go on.
async fn drained(call: &Call) -> bool {
    match call.take_body() {
        // Who waits for 100 Continue has sent nothing and is answered at once.
        Some(_) if call.headers.contains_key(EXPECT) => false,
        Some(unread) if !body::is_empty(&unread) => body::discard(unread, body::DROP_LIMIT).await,
        _ => true,
    }
}

fn crashed(panic: &(dyn std::any::Any + Send)) -> Problem {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::internal(format!("a panic: {}", text.unwrap_or("of an unknown kind")))
}

/// The headers that every answer has.
fn finish(call: &Call, version: Version, response: &mut Response) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&call.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Personal data has no place in anybody's cache.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if version >= Version::HTTP_2 {
        headers.remove(CONNECTION);
    }
    if call.method == Method::HEAD {
        // Over HTTP/2 nobody else does: a body that followed would be an error of the protocol.
        let length = hyper::body::Body::size_hint(response.body()).exact();
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        *response.body_mut() = Bytes::new().into();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<String, Code> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, HeaderValue::from_str(line).unwrap());
        }
        bearer(&headers).map(ToOwned::to_owned).map_err(|problem| problem.code())
    }

    #[test]
    fn a_token_comes_behind_bearer_once() {
        assert_eq!(read(&["Bearer a.b.c"]), Ok("a.b.c".into()));
        assert_eq!(read(&["bearer  a.b.c "]), Ok("a.b.c".into()));
        assert_eq!(read(&[]), Err(Code::TokenMissing));
        assert_eq!(read(&["Basic eDp5"]), Err(Code::TokenMissing));
        assert_eq!(read(&["Bearer"]), Err(Code::TokenInvalid));
        assert_eq!(read(&["Bearer "]), Err(Code::TokenInvalid));
        assert_eq!(read(&["Bearer a", "Bearer b"]), Err(Code::TokenInvalid));
    }

    #[test]
    fn probes_and_the_contract_are_open_and_nothing_else() {
        for path in ["/health/live", "/health/x", "/metrics", "/openapi.json", "/docs", "/docs/index.css"] {
            assert!(is_open(path), "{path}");
        }
        for path in ["/", "/health", "/metricsx", "/docsx", "/clients/profile", "/admin/tree", "/clients/../metrics"] {
            assert!(!is_open(path), "{path}");
        }
    }
}
