//! What the administration routes and the health checks show.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::adapters::Swapped;
use crate::adapters::{AdapterReport, AdapterState, Difference, LoadedInfo, RecentCall, SwapReport};
use crate::domain::delivery::Adapter;

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

/// A plugin, without where its file lies.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdapterView {
    /// Its section in the configuration.
    #[schema(example = "crm")]
    pub name: String,
    /// `up`, `down` or `quarantined`.
    #[schema(example = "up")]
    pub state: &'static str,
    /// Why it is not up.
    pub reason: Option<String>,
    /// What is loaded.
    pub loaded: Option<LoadedView>,
    /// What each call may use.
    pub limits: LimitsView,
    /// Calls that run now.
    pub in_flight: usize,
    /// Calls that ended.
    pub calls: u64,
    /// Those that did not succeed, by outcome.
    pub failures: BTreeMap<&'static str, u64>,
    /// Calls without an answer of the component, by what happened to it.
    pub faults: BTreeMap<&'static str, u64>,
    /// The newest of them.
    pub last_fault: Option<String>,
    /// How long calls took.
    pub latency: LatencyView,
    /// Its newest calls and what they did, the newest first.
    pub recent: Vec<RecentCall>,
    /// How it stands with other components.
    pub swaps: SwapReport,
}

/// A component that is loaded.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadedView {
    /// Its own version, as it says.
    pub version: String,
    /// Who made it, as it says.
    pub vendor: String,
    /// SHA-256 of the component.
    #[schema(example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub digest: String,
    /// The version of the contract that it was made for.
    #[schema(example = "1.0.0")]
    pub contract: String,
    /// The world that it implements.
    #[schema(example = "crm-adapter")]
    pub world: String,
    /// The id of the key that has signed it; null where no signature is demanded.
    pub signed_by: Option<String>,
    /// Everything that it imports.
    pub imports: Vec<String>,
    /// When it took over.
    #[serde(with = "crate::domain::moment")]
    pub loaded_at: DateTime<Utc>,
}

/// What each call of a plugin may use.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsView {
    /// Memory, MiB.
    pub memory_mib: u32,
    /// Time, milliseconds.
    pub deadline_ms: u32,
    /// Calls at the same time.
    pub concurrency: u32,
}

/// How long calls took, microseconds.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatencyView {
    /// The mean.
    pub mean_us: u64,
    /// The median, at most twice the truth.
    pub p50_us: u64,
    /// The 99th percentile, at most twice the truth.
    pub p99_us: u64,
}

impl From<AdapterReport> for AdapterView {
    fn from(report: AdapterReport) -> Self {
        let (state, reason) = match report.state {
            AdapterState::Up => ("up", None),
            AdapterState::Down { reason } => ("down", Some(reason)),
            AdapterState::Quarantined { reason, .. } => ("quarantined", Some(reason)),
        };
        let (limits, latency) = (report.limits, report.latency);
        Self {
            name: report.name.to_string(),
            state,
            reason,
            loaded: report.loaded.map(Into::into),
            limits: LimitsView {
                memory_mib: limits.memory_mib,
                deadline_ms: limits.deadline_ms,
                concurrency: limits.concurrency,
            },
            in_flight: report.in_flight,
            calls: report.calls,
            failures: report.failures,
            faults: report.faults,
            last_fault: report.last_fault,
            latency: LatencyView { mean_us: latency.mean_us, p50_us: latency.p50_us, p99_us: latency.p99_us },
            recent: report.recent,
            swaps: report.swaps,
        }
    }
}

impl From<LoadedInfo> for LoadedView {
    fn from(info: LoadedInfo) -> Self {
        Self {
            version: info.description.version,
            vendor: info.description.vendor,
            digest: info.digest.to_string(),
            contract: info.contract,
            world: info.world,
            signed_by: info.signed_by,
            imports: info.imports,
            loaded_at: info.loaded_at,
        }
    }
}

/// What became of a component (CX022).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReloadView {
    /// The adapter's section in the configuration.
    #[schema(example = "crm")]
    pub name: Adapter,
    /// Whether it has taken over; else it is asked beside the one that is loaded.
    pub swapped: bool,
    /// The component.
    pub component: LoadedView,
    /// SHA-256 of the one that was loaded before; null where none was.
    pub previous: Option<String>,
    /// What it may do beyond that one.
    pub difference: Difference,
    /// For how many calls it is asked beside; null where it has taken over.
    pub shadow: Option<u32>,
}

impl ReloadView {
    /// Of what became of it.
    #[must_use]
    pub fn new(name: Adapter, swapped: Swapped, shadow: Option<u32>) -> Self {
        let Swapped { info, previous, difference } = swapped;
        let previous = previous.map(|digest| digest.to_string());
        Self { name, swapped: shadow.is_none(), component: info.into(), previous, difference, shadow }
    }
}

/// The policy in force.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    /// SHA-256 over its files.
    pub digest: String,
    /// Since when it is in force.
    #[serde(with = "crate::domain::moment")]
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
