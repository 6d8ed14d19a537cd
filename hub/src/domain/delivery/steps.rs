//! What the journal tells of a delivery, step by step. What an operator decides is in `domain::parked`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CallDone, Function};

/// The data of `delivery.attempted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempted {
    /// The delivery's key.
    pub key: String,
    /// What is asked.
    pub function: Function,
    /// The version that is sent.
    pub version: u64,
    /// The entry that owes it.
    pub owing: u64,
    /// 1 for the first.
    pub attempt: u32,
}

/// The data of `delivery.failed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The delivery's key.
    pub key: String,
    /// What was asked.
    pub function: Function,
    /// Whether it may have had an effect.
    pub unknown: bool,
    /// Why, for operators.
    pub error: String,
    /// When it is tried again.
    pub next_at: DateTime<Utc>,
    /// What the adapter did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<CallDone>>,
}

/// The data of `delivery.delivered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// The delivery's key.
    pub key: String,
    /// What was asked.
    pub function: Function,
    /// The version that was sent.
    pub version: u64,
    /// The outside system's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The adapter's remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the adapter did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<CallDone>>,
}

/// The data of `delivery.parked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// The delivery's key.
    pub key: String,
    /// What was asked.
    pub function: Function,
    /// A code: `rejected`, `retries-used-up`, `outcome-unknown`.
    pub reason: String,
    /// Why, for operators.
    pub error: String,
    /// What the adapter did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<CallDone>>,
}
