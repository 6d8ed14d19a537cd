//! What the administration routes and the health checks show.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// How a part of the hub is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It works.
    Ok,
    /// It does not, and requests are served all the same.
    Degraded,
    /// It does not, and requests can't be served.
    Down,
}

/// A part of the hub in the readiness report.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// For example `journal`, `adapter/crm` or `nats`.
    #[schema(example = "journal")]
    pub name: String,
    /// How it is.
    pub status: Health,
    /// Why it is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

/// The readiness report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// The worst of the parts.
    pub status: Health,
    /// Each part.
    pub parts: Vec<Part>,
}

/// The liveness report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Liveness {
    /// Always `ok`.
    pub status: Health,
}

/// An actor of the supervisor tree.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActorView {
    /// Where it stands, for example `hub/clients/shard-0`.
    #[schema(example = "hub/clients/shard-0")]
    pub path: String,
    /// For example `running`, `backing-off`, `stopped`.
    #[schema(example = "running")]
    pub state: String,
    /// Messages that wait.
    pub mailbox: u64,
    /// Messages that may wait.
    pub capacity: u64,
    /// How often it was made again.
    pub restarts: u64,
    /// Since when it runs.
    pub since: Option<DateTime<Utc>>,
    /// Why it failed last.
    pub last_failure: Option<String>,
}

/// A plugin.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdapterView {
    /// Its section in the configuration.
    #[schema(example = "crm")]
    pub name: String,
    /// For example `serving`, `unavailable`, `quarantined`.
    #[schema(example = "serving")]
    pub state: String,
    /// Why it does not serve.
    pub detail: Option<String>,
    /// Its own version, as it describes itself.
    pub version: Option<String>,
    /// SHA-256 of the component.
    pub digest: Option<String>,
    /// The version of the contract that it was built for.
    pub contract: Option<String>,
    /// Bytes of memory that it may have.
    pub memory_limit: u64,
    /// Milliseconds that a call may take.
    pub deadline_ms: u64,
    /// Calls that may run at once.
    pub concurrency: u64,
    /// Calls so far.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// The median of the newest calls, milliseconds.
    pub latency_ms: Option<f64>,
}

/// A delivery that was set aside.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParkedView {
    /// Which one, for `retry` and `discard`.
    pub id: String,
    /// To which adapter.
    #[schema(example = "crm")]
    pub adapter: String,
    /// The organisation.
    pub org: String,
    /// The client or device that it is about.
    pub reference: String,
    /// What was to be called.
    #[schema(example = "upsert-contact")]
    pub function: String,
    /// `rejected`, `retries-used-up` or `outcome-unknown`.
    #[schema(example = "retries-used-up")]
    pub reason: String,
    /// What the outside system or the adapter said.
    pub error: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it is set aside.
    pub parked_at: Option<DateTime<Utc>>,
}

/// The policy in force.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    /// SHA-256 over its files.
    pub digest: String,
    /// Since when it is in force.
    pub since: DateTime<Utc>,
    /// Its files.
    pub files: Vec<String>,
    /// What was wrong with a newer one that is not in force.
    pub findings: Vec<FindingView>,
}

/// A mistake in a policy file.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingView {
    /// The file.
    #[schema(example = "policy.csv")]
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What was expected.
    pub detail: String,
}

/// A list that comes whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Items<T> {
    /// The items.
    pub items: Vec<T>,
}
