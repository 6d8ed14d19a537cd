//! Parameters and headers of the routes, for the contract. They are read by `query`, `etag` and `idempotency`.
#![allow(dead_code, reason = "they are described, never made")]

use utoipa::IntoParams;

use crate::domain::delivery::{Adapter, Function};

/// The client.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReferenceParameter {
    /// The client's reference, opaque text.
    #[param(example = "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE", min_length = 1)]
    reference: String,
}

/// How CL001 and CL009 are asked.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQueryParameters {
    /// Items on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next` of the page before, with the same query.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// `name`, `createdAt`, `updatedAt` or `status`; a leading `-` reverses.
    #[param(pattern = "^-?(name|createdAt|updatedAt|status)$", default = "name")]
    sort: Option<String>,
    /// Only the caller's favourites.
    starred: Option<bool>,
    /// A SCIM filter (RFC 7644, section 3.4.2.2), 4 KiB at most.
    #[param(max_length = 4096, example = "status eq \"active\" and address.country eq \"GB\"")]
    filter: Option<String>,
}

/// How a list is walked.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQueryParameters {
    /// Items on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// The delivery.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeliveryParameter {
    /// The delivery's id, opaque text.
    #[param(example = "5d3b0a4c7e9f1b2d6a8c0e4f7a9b1c3d5e7f9a0b", min_length = 1)]
    id: String,
}

/// The job.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JobParameter {
    /// The job's id, opaque text.
    #[param(example = "JB-01JD3Z8M5Q4T7N2V9XKB6R0WYE", min_length = 1)]
    id: String,
}

/// Which adapter.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AdapterParameter {
    /// Its section in the configuration.
    #[param(example = "crm", min_length = 1)]
    name: String,
}

/// How CX030 is asked.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ParkedQueryParameters {
    /// Owed to this adapter.
    #[param(inline, example = "crm")]
    adapter: Option<Adapter>,
    /// Of this organisation.
    org: Option<String>,
    /// About this client or one of its devices.
    client: Option<String>,
    /// About this device.
    device: Option<String>,
    /// Set aside for this reason.
    #[param(pattern = "^(rejected|retries-used-up|outcome-unknown)$", example = "rejected")]
    reason: Option<String>,
    /// Asking for this.
    #[param(inline, example = "upsert-contact")]
    function: Option<Function>,
    /// Items on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `next` of the page before, with the same query.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// The version that is expected.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatchParameter {
    /// Entity tags as `ETag` gave them, or `*`. None of them is the newest: 412.
    #[param(
        rename = "If-Match",
        nullable = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#,
        example = "\"7\""
    )]
    if_match: Option<String>,
}

/// What makes a repeat safe.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// A repeat with the same key within 24 hours is answered as the first request was.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]{1,255}$"
    )]
    idempotency_key: Option<String>,
}
