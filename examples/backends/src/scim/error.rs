//! SCIM's refusals (RFC 7644, 3.12).

use http::StatusCode;
use serde_json::json;

use crate::call::Answer;

/// A refused request.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub(super) struct Refusal {
    status: StatusCode,
    kind: Option<&'static str>,
    detail: String,
}

impl Refusal {
    /// A malformed request, with its `scimType`.
    pub fn bad(kind: &'static str, detail: &str) -> Self {
        Refusal { status: StatusCode::BAD_REQUEST, kind: Some(kind), detail: detail.to_owned() }
    }

    /// An attribute whose value another resource has.
    pub fn taken(attribute: &str) -> Self {
        Refusal {
            status: StatusCode::CONFLICT,
            kind: Some("uniqueness"),
            detail: format!("Another resource has this value of {attribute}."),
        }
    }

    /// No such resource.
    pub fn not_found(kind: &str, id: &str) -> Self {
        Refusal { status: StatusCode::NOT_FOUND, kind: None, detail: format!("{kind} {id} not found") }
    }

    /// A method that the endpoint lacks.
    pub fn method_not_allowed() -> Self {
        Refusal { status: StatusCode::METHOD_NOT_ALLOWED, kind: None, detail: "Method not allowed here.".to_owned() }
    }

    /// No bearer token.
    pub fn unauthenticated() -> Self {
        let detail = "Authorization failure. The authorization header is invalid or missing.".to_owned();
        Refusal { status: StatusCode::UNAUTHORIZED, kind: None, detail }
    }

    /// As an answer.
    pub fn answer(&self) -> Answer {
        let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                              "status": self.status.as_str(), "detail": self.detail});
        if let (Some(kind), Some(body)) = (self.kind, body.as_object_mut()) {
            body.insert("scimType".to_owned(), json!(kind));
        }
        let answer = super::scim(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            return answer.with("www-authenticate", "Bearer realm=\"scim\"");
        }
        answer
    }
}
