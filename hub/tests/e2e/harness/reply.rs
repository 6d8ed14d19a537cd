//! An answer, and what every one of them has to keep to.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer of the hub.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// Reads a whole answer.
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let reply = Self { status: StatusCode::as_u16(&status), headers, text };
        assert!(reply.header("x-request-id").is_some(), "an answer without X-Request-Id: {reply:?}");
        reply
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON of a success with this status.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        self.json()
    }

    /// The problem document of a failure with this status and code, checked against RFC 9457 and the contract.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["type"], format!("/problems/{code}"), "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(body["instance"], self.header("x-request-id").unwrap(), "{body}");
        for name in ["title", "detail"] {
            assert!(body[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {body}");
        }
        for leak in [".rs:", "panicked", "/tmp/", "sled", "wasmtime", "serde"] {
            assert!(!self.text.contains(leak), "an answer with the inside of the hub ({leak}): {body}");
        }
        body
    }

    /// The problem of a denial: which action, and where the decision is written.
    #[track_caller]
    pub fn denied(&self, action: &str) -> Value {
        let body = self.problem(403, "forbidden");
        assert_eq!(body["action"], action, "{body}");
        assert!(body["decisionId"].as_str().is_some_and(|id| !id.is_empty()), "{body}");
        body
    }

    /// The pointers and codes of a validation failure, sorted.
    #[track_caller]
    pub fn fields(&self) -> Vec<(String, String)> {
        let body = self.problem(422, "validation-failed");
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {body}"));
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("not a text: {body}")).to_owned();
        let mut fields: Vec<_> = errors
            .iter()
            .map(|error| {
                assert!(!text(&error["detail"]).is_empty());
                (text(&error["pointer"]), text(&error["code"]))
            })
            .collect();
        fields.sort();
        fields
    }
}

/// The text of a member that has to be one.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}
