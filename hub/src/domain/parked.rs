//! Deliveries that were set aside: how they are shown, which of them are meant, and what may be decided on them.
//!
//! It knows neither where they are kept nor who decides.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::delivery::{Adapter, Function};

/// Why a delivery may be set aside, as codes.
pub const REASONS: [&str; 3] = ["rejected", "retries-used-up", OUTCOME_UNKNOWN];
/// Set aside because it may have had an effect and nobody can tell: it keeps its key and body.
pub const OUTCOME_UNKNOWN: &str = "outcome-unknown";

/// How a delivery that was set aside stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParkedState {
    /// It waits for a decision.
    #[default]
    Parked,
    /// It is tried again.
    Retrying,
    /// It was given up.
    Discarded,
}

/// One delivery that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParkedDelivery {
    /// The delivery's key.
    #[schema(example = "5d3b0a4c7e9f1b2d6a8c0e4f7a9b1c3d5e7f9a0b")]
    pub id: String,
    /// How it stands. A list has only those that wait for a decision.
    #[serde(default)]
    pub state: ParkedState,
    /// For which adapter.
    pub adapter: Adapter,
    /// The organisation.
    pub org: String,
    /// The client, or the owner of the device.
    pub client: String,
    /// The device that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub device: Option<String>,
    /// What was asked, by its name in the contract for adapters.
    pub function: Function,
    /// The version that was sent.
    pub version: u64,
    /// `rejected`, `retries-used-up` or `outcome-unknown`.
    #[schema(example = "rejected")]
    pub reason: String,
    /// What the outside system said.
    pub error: Option<String>,
    /// Attempts that were begun before it was set aside.
    pub attempts: u32,
    /// The journal entry that owes it.
    pub owing: u64,
    /// Commands that wait behind it.
    pub held: usize,
    /// A newer version is owed already and takes its place.
    pub superseded: bool,
}

impl ParkedDelivery {
    /// The client or device within whose lane it keeps its order.
    #[must_use]
    pub fn lane(&self) -> &str {
        self.device.as_deref().unwrap_or(&self.client)
    }
}

/// What may be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Try again.
    Retry,
    /// Give up.
    Discard,
}

impl Decision {
    /// As it stands in paths and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Discard => "discard",
        }
    }

    /// How a delivery stands after it.
    #[must_use]
    pub const fn leaves(self) -> ParkedState {
        match self {
            Self::Retry => ParkedState::Retrying,
            Self::Discard => ParkedState::Discarded,
        }
    }
}

/// Which deliveries are meant: those that agree with everything that is said; all of them where nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParkedFilter {
    /// Owed to this adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub adapter: Option<Adapter>,
    /// Of this organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub org: Option<String>,
    /// About this client or one of its devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client: Option<String>,
    /// About this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub device: Option<String>,
    /// Set aside for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^(rejected|retries-used-up|outcome-unknown)$", example = "rejected")]
    pub reason: Option<String>,
    /// Asking for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub function: Option<Function>,
}

impl ParkedFilter {
    /// Whether a delivery is meant.
    #[must_use]
    pub fn matches(&self, delivery: &ParkedDelivery) -> bool {
        fn agrees<T: PartialEq + ?Sized>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        agrees(self.adapter.as_ref(), Some(&delivery.adapter))
            && agrees(self.org.as_deref(), Some(delivery.org.as_str()))
            && agrees(self.client.as_deref(), Some(delivery.client.as_str()))
            && agrees(self.device.as_deref(), delivery.device.as_deref())
            && agrees(self.reason.as_deref(), Some(delivery.reason.as_str()))
            && agrees(self.function.as_ref(), Some(&delivery.function))
    }

    /// Its parts in a fixed order, left-out ones empty: what tells one filter from another.
    #[must_use]
    pub fn parts(&self) -> [&str; 6] {
        [
            self.adapter.map_or("", Adapter::as_str),
            self.org.as_deref().unwrap_or(""),
            self.client.as_deref().unwrap_or(""),
            self.device.as_deref().unwrap_or(""),
            self.reason.as_deref().unwrap_or(""),
            self.function.map_or("", Function::as_str),
        ]
    }
}

/// The data of `delivery.retried` and `delivery.discarded`: the delivery as it was when it was decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settled {
    /// What was decided on.
    pub delivery: ParkedDelivery,
    /// Why, as the operator said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Settled {
    /// The delivery as the decision has left it.
    #[must_use]
    pub fn after(self, decision: Decision) -> ParkedDelivery {
        ParkedDelivery { state: decision.leaves(), ..self.delivery }
    }
}

/// The data of `job.started`: a decision on all that match, made behind the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobStarted {
    /// `JB-…`.
    pub id: String,
    /// What is decided.
    pub decision: Decision,
    /// On which deliveries.
    pub filter: ParkedFilter,
    /// Why, as the operator said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many matched when it was started.
    pub matched: usize,
}

/// The data of `job.ended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobEnded {
    /// How.
    pub state: JobState,
    /// Decisions that are in the journal.
    pub decided: usize,
    /// Deliveries left as they are.
    pub passed_over: usize,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It decides.
    Running,
    /// It was told to stop, and ends with the batch that it is at.
    Cancelling,
    /// It has decided on all.
    Done,
    /// It was stopped; what it had not decided on is set aside as before.
    Cancelled,
    /// The journal took no more, or the job broke; what it had not decided on is set aside as before.
    Failed,
    /// The hub ended before the job did; what it had not decided on is set aside as before.
    Interrupted,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery() -> ParkedDelivery {
        ParkedDelivery {
            id: "k".into(),
            state: ParkedState::Parked,
            adapter: Adapter::Identity,
            org: "o".into(),
            client: "CL-1".into(),
            device: Some("DV-1".into()),
            function: Function::ResetPin,
            version: 3,
            reason: OUTCOME_UNKNOWN.into(),
            error: None,
            attempts: 1,
            owing: 7,
            held: 2,
            superseded: false,
        }
    }

    #[test]
    fn a_filter_means_what_agrees_with_all_of_it() {
        let named = |filter: ParkedFilter| filter.matches(&delivery());
        assert!(named(ParkedFilter::default()));
        let right = ParkedFilter {
            adapter: Some(Adapter::Identity),
            org: Some("o".into()),
            client: Some("CL-1".into()),
            device: Some("DV-1".into()),
            reason: Some(OUTCOME_UNKNOWN.into()),
            function: Some(Function::ResetPin),
        };
        assert!(named(right.clone()));
        assert!(!named(ParkedFilter { adapter: Some(Adapter::Crm), ..right.clone() }));
        assert!(!named(ParkedFilter { org: Some("p".into()), ..right.clone() }));
        assert!(!named(ParkedFilter { client: Some("CL-2".into()), ..right.clone() }));
        assert!(!named(ParkedFilter { device: Some("DV-2".into()), ..right.clone() }));
        assert!(!named(ParkedFilter { reason: Some("rejected".into()), ..right.clone() }));
        assert!(!named(ParkedFilter { function: Some(Function::Send), ..right }));
    }
}
