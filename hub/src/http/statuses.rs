//! The failures of each route, for the contract: which codes it can answer with, told once and shown by status.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::IntoResponses;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Header, Ref, RefOr, Response, ResponseBuilder};

use super::problem::{Code, MEDIA_TYPE};

/// What every route can answer.
const EVERY: &[Code] = &[Code::NotAcceptable, Code::RateLimited, Code::Internal];
/// What every route that asks for a token can answer besides.
const SECURED: &[Code] =
    &[Code::MalformedQuery, Code::TokenMissing, Code::TokenInvalid, Code::TokenExpired, Code::Forbidden];
/// What every route with a JSON body can answer besides.
const BODY: &[Code] = &[Code::MalformedJson, Code::BodyTooLarge, Code::UnsupportedMediaType, Code::ValidationFailed];
/// What every route that changes something can answer besides.
const COMMAND: &[Code] = &[Code::Overloaded, Code::Restarting, Code::StorageUnavailable, Code::ShuttingDown];
/// What every route that takes an idempotency key can answer besides.
const KEYED: &[Code] = &[Code::IdempotencyKeyReused, Code::RequestInProgress];

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $groups:expr, $codes:expr;)*) => {
        $($(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let codes: Vec<Code> = $groups.concat().into_iter().chain($codes).collect();
                by_status(&codes)
            }
        })*
    };
}

problems! {
    /// Of the open routes.
    Open = [EVERY], [];
    /// Of readiness.
    Ready = [EVERY], [Code::StorageUnavailable];
    /// Of CL001 and CL009.
    List = [EVERY, SECURED], [Code::MalformedFilter, Code::MalformedCursor];
    /// Of CL002.
    View = [EVERY, SECURED], [Code::ClientNotFound];
    /// Of CL003.
    Create = [EVERY, SECURED, BODY, COMMAND, KEYED], [Code::DuplicateClient, Code::DuplicateReference];
    /// Of CL004.
    Edit = [EVERY, SECURED, BODY, COMMAND],
        [Code::ClientNotFound, Code::InvalidTransition, Code::ClientArchived, Code::DuplicateClient, Code::VersionMismatch];
    /// Of CL005.
    Archive = [EVERY, SECURED, BODY, COMMAND], [Code::ClientNotFound, Code::ClientHasOpenAccounts,
        Code::OnboardingInProgress, Code::VersionMismatch, Code::AdapterUnavailable];
    /// Of CL006.
    AccountsProblems = [EVERY, SECURED], [Code::ClientNotFound, Code::AdapterUnavailable, Code::Overloaded];
    /// Of CL007.
    DeviceList = [EVERY, SECURED], [Code::ClientNotFound];
    /// Of CL008.
    Star = [EVERY, SECURED, BODY, COMMAND, KEYED], [Code::ClientNotFound];
    /// Of CL010.
    DeviceCommand = [EVERY, SECURED, BODY, COMMAND, KEYED], [Code::DeviceNotFound];
    /// Of CL011.
    Transfer = [EVERY, SECURED, BODY, COMMAND, KEYED],
        [Code::DeviceNotFound, Code::ClientNotFound, Code::DeviceNotOwned, Code::TargetNotActive];
    /// Of CL012.
    Activate = [EVERY, SECURED, BODY, COMMAND, KEYED], [Code::DeviceNotFound, Code::DeviceLocked, Code::ClientArchived];
    /// Of CL013.
    ResetPin = [EVERY, SECURED, BODY, COMMAND, KEYED], [Code::DeviceNotFound, Code::ClientArchived];
    /// Of CX001.
    HistoryProblems = [EVERY, SECURED], [Code::ClientNotFound, Code::MalformedCursor, Code::StorageUnavailable];
    /// Of CX002.
    DocumentList = [EVERY, SECURED], [Code::ClientNotFound];
    /// Of CX003.
    DocumentUpload = [EVERY, SECURED, COMMAND, KEYED], [Code::ClientNotFound, Code::ClientArchived, Code::BodyTooLarge,
        Code::UnsupportedMediaType, Code::ValidationFailed];
    /// Of CX004.
    Review = [EVERY, SECURED, BODY, COMMAND, KEYED],
        [Code::ClientNotFound, Code::InvalidTransition, Code::ClientArchived];
    /// Of the administration routes.
    Admin = [EVERY, SECURED], [];
    /// Of CX022, forth.
    Reload = [EVERY, SECURED, BODY, COMMAND],
        [Code::AdapterNotFound, Code::ComponentRefused, Code::ConfirmationNeeded];
    /// Of CX022, back.
    Rollback = [EVERY, SECURED, COMMAND], [Code::AdapterNotFound, Code::NothingBefore];
    /// Of CX041.
    Explain = [EVERY, SECURED, BODY], [];
    /// Of CX030.
    Parked = [EVERY, SECURED], [Code::MalformedCursor, Code::Restarting];
    /// Of CX031 on one delivery.
    Decide = [EVERY, SECURED, BODY, COMMAND, KEYED], [Code::DeliveryNotFound];
    /// Of CX031 on all that match.
    DecideAll = [EVERY, SECURED, BODY, COMMAND, KEYED], [];
    /// Of one job.
    OneJob = [EVERY, SECURED], [Code::JobNotFound];
}

/// One response for each status, with an example for each code.
fn by_status(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut statuses: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        let same = statuses.entry(code.status().as_u16()).or_default();
        if !same.contains(code) {
            same.push(*code);
        }
    }
    statuses.into_iter().map(|(status, codes)| (status.to_string(), RefOr::T(response(status, &codes)))).collect()
}

fn response(status: u16, codes: &[Code]) -> Response {
    let described: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect();
    let examples = codes.iter().map(|code| {
        let value = json!({
            "type": format!("/problems/{}", code.as_str()), "title": code.title(), "status": status,
            "detail": code.title(), "instance": "0197a3c2-5b1e-7c44-9d6e-2f6f3f0a9c11", "code": code.as_str(),
        });
        (code.as_str(), ExampleBuilder::new().summary(code.title()).value(Some(value)).build())
    });
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
    let response = ResponseBuilder::new().description(described.join("; ")).content(MEDIA_TYPE, content);
    headers(status).iter().fold(response, |response, (name, text)| response.header(*name, header(text))).build()
}

fn headers(status: u16) -> &'static [(&'static str, &'static str)] {
    match status {
        401 => &[("WWW-Authenticate", "How to authenticate (RFC 6750)")],
        429 => &[
            ("Retry-After", "Seconds to wait"),
            ("RateLimit-Policy", "The limit: quota and window"),
            ("RateLimit", "What is left, and when there is more"),
        ],
        503 => &[("Retry-After", "Seconds to wait, where that is known")],
        _ => &[],
    }
}

/// A header of text.
pub fn header(description: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    HeaderBuilder::new().schema(Some(text)).description(Some(description)).build()
}
