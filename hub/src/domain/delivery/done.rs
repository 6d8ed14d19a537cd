//! What an adapter did in one call, as the outcome of an attempt keeps it: which component, what it asked of whom, how
//! long, with how much memory. Paths are kept, since they say what was touched; queries, headers and bodies never are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One call of an adapter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdapterCall)]
pub struct CallDone {
    /// The first 16 hexadecimal digits of the component's SHA-256.
    pub component: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// The most memory that it had, in KiB; none where the call was broken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub peak_kib: Option<u64>,
    /// Its requests, in order: the first 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Outbound>,
    /// Those beyond.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// One request to an outside system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboundRequest)]
pub struct Outbound {
    /// The endpoint, by its name in the configuration.
    pub endpoint: String,
    /// The method.
    pub method: String,
    /// The path below the endpoint's URL, without a query; the first 200 characters.
    pub path: String,
    /// The address that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub address: Option<String>,
    /// The answer's status; none where there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<u16>,
    /// Why there was none, as the contract names it; nothing either where the call ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failure: Option<String>,
    /// Bytes of the request's body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sent: u64,
    /// Bytes of the answer's body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub received: u64,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// The credential that was added, by where it is kept: `bearer env:CRM_KEY`. A file is named without its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub credential: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}
