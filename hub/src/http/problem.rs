//! What goes wrong, as the caller sees it: a closed list of codes, each with one status and one title (RFC 9457).
//!
//! A problem has two texts. `detail` goes to the caller and never holds an inner error, a path of the server or
//! another's data; `log` goes to the request's one log line. Nothing else in `http` chooses a status code for a failure.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use warp::reply::Response;

use super::views::Part;
use crate::adapters::Difference;
use crate::domain::validate::FieldError;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal;)*) => {
        /// Everything that can be wrong with a request, or with the hub when it comes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it stands in JSON and at the end of `type`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The status that goes with it, always the same.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// A short text that does not change from one occurrence to the next.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// Not JSON, not UTF-8, a member twice, or nested too deeply.
    MalformedJson = "malformed-json", BAD_REQUEST, "The body is not well-formed JSON";
    /// `filter` does not follow the grammar, or names an unknown attribute.
    MalformedFilter = "malformed-filter", BAD_REQUEST, "The filter can't be understood";
    /// Not a cursor of this query.
    MalformedCursor = "malformed-cursor", BAD_REQUEST, "The cursor does not belong to this query";
    /// A query parameter or a request header is unknown, repeated, out of range or unreadable.
    MalformedQuery = "malformed-query", BAD_REQUEST, "A query parameter or a header can't be understood";
    /// No bearer token.
    TokenMissing = "token-missing", UNAUTHORIZED, "A bearer token is needed";
    /// A bearer token that is not accepted.
    TokenInvalid = "token-invalid", UNAUTHORIZED, "The bearer token is not accepted";
    /// A bearer token that was accepted once.
    TokenExpired = "token-expired", UNAUTHORIZED, "The bearer token has expired";
    /// The policy does not allow it.
    Forbidden = "forbidden", FORBIDDEN, "The policy does not allow this";
    /// No such client in the caller's organisation.
    ClientNotFound = "client-not-found", NOT_FOUND, "There is no such client";
    /// No such device in the caller's organisation.
    DeviceNotFound = "device-not-found", NOT_FOUND, "There is no such device";
    /// No such delivery is set aside.
    DeliveryNotFound = "delivery-not-found", NOT_FOUND, "There is no such parked delivery";
    /// No such job is remembered.
    JobNotFound = "job-not-found", NOT_FOUND, "There is no such job";
    /// No such adapter is configured.
    AdapterNotFound = "adapter-not-found", NOT_FOUND, "There is no such adapter";
    /// No such route.
    RouteNotFound = "route-not-found", NOT_FOUND, "There is no such route";
    /// The route has other methods.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The route has no such method";
    /// Nothing that `Accept` names can be made.
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "No accepted media type can be answered with";
    /// The body is over its limit.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body's type is not the route's.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body has a type that the route does not take";
    /// The life cycle has no such step.
    InvalidTransition = "invalid-transition", CONFLICT, "The life cycle has no such step";
    /// Archived clients don't change.
    ClientArchived = "client-archived", CONFLICT, "The client is archived";
    /// The business or person is known already.
    DuplicateClient = "duplicate-client", CONFLICT, "There is such a client already";
    /// The external reference is taken.
    DuplicateReference = "duplicate-reference", CONFLICT, "The external reference is taken";
    /// Accounts with a balance stand against archiving.
    ClientHasOpenAccounts = "client-has-open-accounts", CONFLICT, "The client has open accounts";
    /// Whether there are accounts is not known yet.
    OnboardingInProgress = "onboarding-in-progress", CONFLICT, "The client is being onboarded";
    /// A locked device can't be activated.
    DeviceLocked = "device-locked", CONFLICT, "The device is locked";
    /// `from` is not the owner.
    DeviceNotOwned = "device-not-owned", CONFLICT, "The device belongs to somebody else";
    /// `to` is not active.
    TargetNotActive = "target-not-active", CONFLICT, "The new owner is not active";
    /// The first request with this key still runs.
    RequestInProgress = "request-in-progress", CONFLICT, "The first request with this key is still running";
    /// A component did not pass its checks.
    ComponentRefused = "component-refused", CONFLICT, "The component is refused, and the one that is loaded stays";
    /// A component may do more, or is not the one that was confirmed.
    ConfirmationNeeded = "confirmation-needed", CONFLICT, "The component has to be confirmed first";
    /// No component was loaded before.
    NothingBefore = "nothing-before", CONFLICT, "There is no component to go back to";
    /// `If-Match` names another version.
    VersionMismatch = "version-mismatch", PRECONDITION_FAILED, "The client has another version";
    /// Fields are wrong; `errors` names them all.
    ValidationFailed = "validation-failed", UNPROCESSABLE_ENTITY, "Some fields are not right";
    /// The key was used for another request.
    IdempotencyKeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The key was used for another request";
    /// Too many requests.
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, "Too many requests";
    /// A defect of the hub.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The hub has failed on this request";
    /// An outside system that has the answer can't be asked.
    AdapterUnavailable = "adapter-unavailable", SERVICE_UNAVAILABLE, "An outside system can't be reached";
    /// A mailbox is full.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The hub has too much to do";
    /// The actor that held the request died; nothing was done.
    Restarting = "restarting", SERVICE_UNAVAILABLE, "A part of the hub is restarting";
    /// The journal takes nothing for now.
    StorageUnavailable = "storage-unavailable", SERVICE_UNAVAILABLE, "Nothing can be stored at the moment";
    /// The hub stops.
    ShuttingDown = "shutting-down", SERVICE_UNAVAILABLE, "The hub is shutting down";
}

/// What the log and the metrics learn of a failure, beside the answer.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The code.
    pub code: Code,
    /// What the caller does not learn.
    pub log: Option<String>,
}

/// A failure on its way to the caller.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    log: Option<String>,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The media type of every failure.
pub const MEDIA_TYPE: &str = "application/problem+json";

impl Problem {
    /// A problem of this kind; `detail` is for the caller.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            log: None,
            errors: Vec::new(),
            members: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// Fields that are not right, all of them.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", if only.pointer.is_empty() { "the body" } else { &only.pointer }, only.detail),
            many => format!("{} fields are not right; errors names each", many.len()),
        };
        let mut problem = Self::new(Code::ValidationFailed, detail);
        problem.0.errors = errors;
        problem
    }

    /// A defect: the caller learns the request id alone.
    #[must_use]
    pub fn internal(log: impl Into<String>) -> Self {
        Self::new(Code::Internal, "nothing is known to have been done; quote instance when you report this")
            .because(log)
    }

    /// What the log is to say beside the code.
    #[must_use]
    pub fn because(mut self, log: impl Into<String>) -> Self {
        self.0.log = Some(log.into());
        self
    }

    /// Another member of the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Another header of the answer. A value that is not one is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// When to come again, in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.header(RETRY_AFTER, &ceiling(wait).to_string())
    }

    /// The methods that the route has.
    #[must_use]
    pub fn allow(self, methods: &str) -> Self {
        self.header(ALLOW, methods)
    }

    /// How to authenticate (RFC 6750, section 3).
    #[must_use]
    pub fn challenge(self, error: &str, description: &str) -> Self {
        self.header(WWW_AUTHENTICATE, &format!("Bearer error=\"{error}\", error_description=\"{description}\""))
    }

    /// Ends the connection after the answer: what the caller still sends is not read.
    #[must_use]
    pub fn closing(self) -> Self {
        self.header(CONNECTION, "close")
    }

    /// Which of the list it is.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The answer. `request_id` becomes `instance`.
    #[must_use]
    pub fn reply(self, request_id: &str) -> Response {
        let body = self.document(request_id).to_string();
        let Inner { code, log, headers, .. } = *self.0;
        let mut response = Response::new(body.into());
        *response.status_mut() = code.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response.headers_mut().extend(headers.into_iter().map(|(name, value)| (Some(name), value)).collect::<Vec<_>>());
        response.extensions_mut().insert(Failure { code, log });
        response
    }

    fn document(&self, request_id: &str) -> Value {
        let inner = &self.0;
        let mut document = json!({
            "type": format!("/problems/{}", inner.code.as_str()),
            "title": inner.code.title(),
            "status": inner.code.status().as_u16(),
            "detail": inner.detail,
            "instance": request_id,
            "code": inner.code.as_str(),
        });
        if let Some(members) = document.as_object_mut() {
            members.extend(inner.members.clone());
            if !inner.errors.is_empty() {
                members.insert("errors".to_owned(), json!(inner.errors));
            }
        }
        document
    }
}

/// Whole seconds, rounded up, at least one.
#[must_use]
pub fn ceiling(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// The document, as the contract shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem, example = json!({
    "type": "/problems/validation-failed", "title": "Some fields are not right", "status": 422,
    "detail": "/email: not an e-mail address", "instance": "0197a3c2-5b1e-7c44-9d6e-2f6f3f0a9c11", "code": "validation-failed",
    "errors": [{"pointer": "/email", "code": "invalid-email", "detail": "not an e-mail address"}]
}))]
pub struct ProblemDocument {
    /// `/problems/<code>`.
    #[schema(format = "uri-reference")]
    pub r#type: String,
    /// The same for every occurrence of the code.
    pub title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// The request id.
    pub instance: String,
    /// What kind of problem, for programs.
    #[schema(pattern = "^[a-z]+(-[a-z]+)*$")]
    pub code: String,
    /// The fields that are not right, all of them (`validation-failed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub errors: Option<Vec<FieldError>>,
    /// What was asked for (`forbidden`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "CL004")]
    pub action: Option<String>,
    /// Where the decision stands in the log (`forbidden`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decision_id: Option<String>,
    /// The policy that denied it, where one did (`forbidden`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "P_BO_002")]
    pub policy: Option<String>,
    /// Where in the filter, in bytes (`malformed-filter`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub position: Option<u64>,
    /// Which outside system (`adapter-unavailable`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "core-banking")]
    pub adapter: Option<String>,
    /// Which parameter or header (`malformed-query`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "limit")]
    pub parameter: Option<String>,
    /// The component that waits to be confirmed (`confirmation-needed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub digest: Option<String>,
    /// The component that is loaded (`confirmation-needed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub previous: Option<String>,
    /// What the one may do that the other may not (`confirmation-needed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub difference: Option<Difference>,
    /// How each part of the hub is (readiness, `storage-unavailable`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parts: Option<Vec<Part>>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_kebab_case_and_mean_a_failure() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{text}");
            assert!(code.status().as_u16() >= 400, "{text}");
            assert!(!code.title().is_empty());
        }
    }

    #[test]
    fn the_document_has_every_member_and_the_log_stays_inside() {
        let problem = Problem::new(Code::Forbidden, "no").because("secret").with("action", "CL004");
        let document = problem.document("r-1");
        assert_eq!(document["type"], "/problems/forbidden");
        assert_eq!(document["status"], 403);
        assert_eq!(document["instance"], "r-1");
        assert_eq!(document["action"], "CL004");
        assert!(!document.to_string().contains("secret"));
        assert!(document.get("errors").is_none());
    }

    #[test]
    fn waits_are_whole_seconds_rounded_up() {
        assert_eq!(ceiling(Duration::ZERO), 1);
        assert_eq!(ceiling(Duration::from_millis(1_001)), 2);
        assert_eq!(ceiling(Duration::from_secs(3)), 3);
    }
}
