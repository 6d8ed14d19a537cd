//! What the administration shows of adapters (CX021, CX022). For people and programs; nothing here decides anything.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::AdapterName;
use super::bindings::types::{Description, RepeatSafety};
use super::config::{AdapterConfig, Digest};
use super::footprint::Footprint;
use super::outcome::{FaultKind, Outcome};
use super::recent::RecentCall;
use super::source::ComponentSource;
use super::stats::Stats;
use super::swap::SwapReport;

/// One adapter, as it is now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdapterReport {
    /// Its name.
    pub name: AdapterName,
    /// Whether it can be called.
    #[serde(flatten)]
    pub state: AdapterState,
    /// Where its component is.
    pub component: ComponentSource,
    /// What is loaded, if anything is.
    pub loaded: Option<LoadedInfo>,
    /// What each of its calls may use.
    pub limits: LimitsReport,
    /// Calls that run now.
    pub in_flight: usize,
    /// Calls that ended.
    pub calls: u64,
    /// Calls that did not succeed, by outcome.
    pub failures: BTreeMap<&'static str, u64>,
    /// Calls without an answer of the component, by what happened to it.
    pub faults: BTreeMap<&'static str, u64>,
    /// Those of them that were the component's own fault.
    pub blamed_on_guest: u64,
    /// The newest of them.
    pub last_fault: Option<String>,
    /// How long calls took.
    pub latency: LatencyReport,
    /// Its newest calls, the newest first.
    pub recent: Vec<RecentCall>,
    /// How it stands with other components.
    pub swaps: SwapReport,
}

/// Whether an adapter can be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum AdapterState {
    /// It can.
    Up,
    /// Its component was not loaded.
    Down {
        /// Why.
        reason: String,
    },
    /// It failed too often, and is out of use for a while.
    #[serde(rename_all = "camelCase")]
    Quarantined {
        /// Why.
        reason: String,
        /// For how long still.
        remaining_ms: u64,
    },
}

/// A component that is loaded.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadedInfo {
    /// SHA-256 of the file.
    pub digest: Digest,
    /// The id of the trusted key that has signed it; nothing where no signature is demanded.
    pub signed_by: Option<String>,
    /// Its size.
    pub bytes: usize,
    /// The version of the contract that it was made for.
    pub contract: String,
    /// The world that it implements.
    pub world: String,
    /// Everything that it imports.
    pub imports: Vec<String>,
    /// What one instance begins with.
    pub footprint: Footprint,
    /// What it says of itself.
    pub description: DescriptionReport,
    /// Likely mistakes in its configuration.
    pub warnings: Vec<String>,
    /// When it took over.
    pub loaded_at: DateTime<Utc>,
}

/// What an adapter says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescriptionReport {
    /// A short name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who made it.
    pub vendor: String,
    /// Whose API it speaks.
    pub product: String,
    /// The endpoints that it calls.
    pub endpoints: Vec<String>,
    /// The settings that it reads.
    pub settings: Vec<String>,
    /// Its functions: `safe`, `look-up` or `unsafe` to repeat.
    pub functions: BTreeMap<String, &'static str>,
}

impl From<&Description> for DescriptionReport {
    fn from(description: &Description) -> Self {
        let repeat = |repeat| match repeat {
            RepeatSafety::Safe => "safe",
            RepeatSafety::LookUp => "look-up",
            RepeatSafety::Unsafe => "unsafe",
        };
        Self {
            name: description.name.clone(),
            version: description.version.clone(),
            vendor: description.vendor.clone(),
            product: description.product.clone(),
            endpoints: description.endpoints.clone(),
            settings: description.settings.clone(),
            functions: description
                .functions
                .iter()
                .map(|function| (function.name.clone(), repeat(function.repeat)))
                .collect(),
        }
    }
}

/// What each call of an adapter may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsReport {
    /// Memory, in MiB.
    pub memory_mib: u32,
    /// Time, in milliseconds.
    pub deadline_ms: u32,
    /// Calls at the same time.
    pub concurrency: u32,
}

impl From<&AdapterConfig> for LimitsReport {
    fn from(config: &AdapterConfig) -> Self {
        Self {
            memory_mib: config.memory_mib.get(),
            deadline_ms: config.deadline_ms.get(),
            concurrency: config.concurrency.get(),
        }
    }
}

/// How long calls took, in µs. Quantiles are the upper ends of buckets: at most twice the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyReport {
    /// The mean.
    pub mean_us: u64,
    /// The median.
    pub p50_us: u64,
    /// The 99th percentile.
    pub p99_us: u64,
}

impl From<&Stats> for LatencyReport {
    fn from(stats: &Stats) -> Self {
        Self { mean_us: stats.mean_us(), p50_us: stats.quantile_us(0.5), p99_us: stats.quantile_us(0.99) }
    }
}

/// The failures by outcome.
pub fn failures(stats: &Stats) -> BTreeMap<&'static str, u64> {
    Outcome::FAILURES.into_iter().map(|outcome| (outcome.as_str(), stats.count(outcome))).collect()
}

/// The faults by kind.
pub fn faults(stats: &Stats) -> BTreeMap<&'static str, u64> {
    FaultKind::ALL.into_iter().map(|kind| (kind.as_str(), stats.faults(kind))).collect()
}

/// RFC 3339 in UTC with milliseconds, as everywhere in the API.
pub fn moment<S: serde::Serializer>(at: &DateTime<Utc>, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}
