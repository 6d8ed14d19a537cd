//! One request to an outside system, put together.

use serde_json::Value;

use crate::http::{Method, Pair, Request};

/// A request under construction, and whether it can have an effect.
#[derive(Debug, Clone)]
pub struct Call {
    pub(crate) request: Request,
    pub(crate) writes: bool,
    pub(crate) unrepeatable: bool,
}

impl Call {
    /// A request to a path (see [`crate::below`]) of an endpoint. Anything but GET and HEAD counts as a write.
    #[must_use]
    pub fn new(endpoint: &str, method: Method, path: String) -> Self {
        let request = Request {
            endpoint: endpoint.to_owned(),
            method,
            path,
            query: Vec::new(),
            headers: vec![pair("accept", "application/json")],
            body: None,
        };
        Self { request, writes: !matches!(method, Method::Get | Method::Head), unrepeatable: false }
    }

    /// GET.
    #[must_use]
    pub fn get(endpoint: &str, path: String) -> Self {
        Self::new(endpoint, Method::Get, path)
    }

    /// POST.
    #[must_use]
    pub fn post(endpoint: &str, path: String) -> Self {
        Self::new(endpoint, Method::Post, path)
    }

    /// For a POST that only asks, as a search does: losing its answer loses nothing.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.writes = false;
        self
    }

    /// For a write of a function that `describe` calls `unsafe`: done twice it has two effects.
    #[must_use]
    pub fn unrepeatable(mut self) -> Self {
        self.unrepeatable = true;
        self
    }

    /// Adds a query parameter; the hub encodes it.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.request.query.push(pair(name, value));
        self
    }

    /// Sets a header in place of one of that name. A value that no header can carry is the hub's to refuse.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.retain(|header| !header.name.eq_ignore_ascii_case(name));
        self.request.headers.push(pair(name, value));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sets a body of `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let encoded: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", crate::path::form(name), crate::path::form(value)))
            .collect();
        self.body("application/x-www-form-urlencoded", encoded.join("&"))
    }

    /// Sets a body of a media type.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: String) -> Self {
        self.request.body = Some(body.into_bytes());
        self.header("content-type", media_type)
    }
}

fn pair(name: &str, value: &str) -> Pair {
    Pair { name: name.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_byte_by_byte() {
        let call = Call::post("sms", "/m".to_owned()).form(&[("To", "+4479 1"), ("Body", "a&b=c é")]);
        assert_eq!(call.request.body.as_deref(), Some(&b"To=%2B4479%201&Body=a%26b%3Dc%20%C3%A9"[..]));
    }

    #[test]
    fn a_header_replaces_one_of_its_name() {
        let call = Call::get("api", "/".to_owned()).header("Accept", "application/scim+json");
        assert_eq!(call.request.headers.len(), 1);
    }

    #[test]
    fn only_reads_are_free_of_effect() {
        assert!(!Call::get("api", "/".to_owned()).writes);
        assert!(Call::post("api", "/".to_owned()).writes);
        assert!(!Call::post("api", "/".to_owned()).without_effect().writes);
    }
}
