//! A request as the systems see it, and what they answer: no warp, no connection, nothing to wait for.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

/// A whole request, its path below the system's base already split and decoded.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The decoded segments below the system's base; an encoded slash stays inside its segment.
    pub path: Vec<String>,
    /// The query's pairs in their order, decoded.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// Takes apart what the router has matched: the path below the base as it came, and the raw query.
    #[must_use]
    pub fn new(method: Method, tail: &str, query: &str, headers: HeaderMap, body: Bytes) -> Self {
        let path = tail
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        Call { method, path, query: pairs(query.as_bytes()), headers, body }
    }

    /// Method and segments, ready to be matched as a table of routes.
    #[must_use]
    pub fn route(&self) -> (&str, Vec<&str>) {
        (self.method.as_str(), self.path.iter().map(String::as_str).collect())
    }

    /// A header's value, where it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter as a number; `default` where it is missing or isn't one.
    #[must_use]
    pub fn number(&self, name: &str, default: usize) -> usize {
        self.param(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    /// The body as a JSON object; nothing where it is anything else.
    #[must_use]
    pub fn object(&self) -> Option<serde_json::Map<String, Value>> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as a form's pairs, decoded.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// The credential that follows the scheme's name in `Authorization`; schemes compare without case (RFC 9110).
    #[must_use]
    pub fn credential(&self, scheme: &str) -> Option<&str> {
        let (given, credential) = self.header(AUTHORIZATION.as_str())?.split_once(' ')?;
        let credential = credential.trim();
        (given.eq_ignore_ascii_case(scheme) && !credential.is_empty()).then_some(credential)
    }
}

fn pairs(raw: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(raw).into_owned().collect()
}

/// What a system answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Headers beside those that the connection adds (`Date`, `Content-Length`).
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: StatusCode, body: &(impl Serialize + ?Sized)) -> Self {
        // Nothing that is answered here has a map with other keys than text, all that JSON could refuse.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Answer::typed(status, "application/json", body.into())
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Answer { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// An answer of another media type.
    #[must_use]
    pub fn typed(status: StatusCode, media_type: &'static str, body: Bytes) -> Self {
        Answer { status, headers: vec![(CONTENT_TYPE, HeaderValue::from_static(media_type))], body }
    }

    /// The same with one more header; a value that no header may hold is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }
}
