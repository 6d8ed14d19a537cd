//! One request as the hub sees it: who asks, under which id, for what, and the body that has not been read yet.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, Method, Uri};
use parking_lot::Mutex;
use uuid::Uuid;

use super::body::Unread;
use super::media::JSON;
use crate::access::Caller;
use crate::telemetry::TraceContext;

/// The request id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// W3C trace context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The longest request id that is taken over, in characters.
const LONGEST_ID: usize = 128;

/// What a route is, for the log, the metrics and the answers.
#[derive(Debug)]
pub struct Endpoint {
    /// The path as the contract writes it.
    pub template: &'static str,
    /// The action's code; `-` where there is none.
    pub action: &'static str,
    /// The media types that it may answer with.
    pub offers: &'static [&'static str],
}

impl Endpoint {
    /// A route that answers with JSON.
    #[must_use]
    pub const fn json(template: &'static str, action: &'static str) -> Self {
        Self { template, action, offers: &[JSON] }
    }
}

/// A request after its head was read.
pub struct Call {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// All headers.
    pub headers: HeaderMap,
    /// The caller's, or made.
    pub request_id: String,
    /// The trace that it belongs to.
    pub trace: TraceContext,
    /// That trace's id, for log lines.
    pub trace_id: String,
    /// Where it came from.
    pub address: IpAddr,
    /// Who asks; unknown until the token was read, and on open routes.
    caller: OnceLock<Arc<Caller>>,
    route: OnceLock<&'static Endpoint>,
    body: Mutex<Option<Unread>>,
}

impl Call {
    /// Takes a request apart.
    #[must_use]
    pub fn new(head: http::request::Parts, body: Unread, address: IpAddr) -> Self {
        let request_id = request_id(&head.headers);
        let trace = text(&head.headers, &TRACEPARENT)
            .and_then(TraceContext::parse)
            .map_or_else(TraceContext::new, |trace| trace.child());
        Self {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            request_id,
            trace_id: trace.trace_id_hex(),
            trace,
            address,
            caller: OnceLock::new(),
            route: OnceLock::new(),
            body: Mutex::new(Some(body)),
        }
    }

    /// The body, for the first who asks.
    #[must_use]
    pub fn take_body(&self) -> Option<Unread> {
        self.body.lock().take()
    }

    /// Notes who asks.
    pub fn identify(&self, caller: Arc<Caller>) {
        let _ = self.caller.set(caller);
    }

    /// Who asks.
    #[must_use]
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        self.caller.get()
    }

    /// Notes which route it is. The first one counts.
    pub fn arrive(&self, endpoint: &'static Endpoint) {
        let _ = self.route.set(endpoint);
    }

    /// Which route it is, once that is known.
    #[must_use]
    pub fn endpoint(&self) -> Option<&'static Endpoint> {
        self.route.get().copied()
    }
}

/// The only line of a header, where it is ASCII.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What the caller sent, where it is 1 to 128 visible ASCII characters, else a new UUIDv7.
fn request_id(headers: &HeaderMap) -> String {
    let sent = text(headers, &REQUEST_ID)
        .filter(|id| (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
    sent.map_or_else(|| Uuid::now_v7().to_string(), ToOwned::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn id_for(value: &[u8]) -> String {
        request_id(&HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_bytes(value).unwrap())]))
    }

    #[test]
    fn an_id_is_taken_over_where_it_can_be_echoed() {
        assert_eq!(id_for(b"r-1/2:{x}"), "r-1/2:{x}");
        assert_eq!(id_for(&[b'x'; 128]).len(), 128);
        for odd in [&b"a b"[..], b"", &[b'x'; 129], b"\xc3\xa4"] {
            assert!(Uuid::parse_str(&id_for(odd)).is_ok());
        }
        assert!(Uuid::parse_str(&request_id(&HeaderMap::new())).is_ok());
    }
}
