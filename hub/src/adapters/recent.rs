//! The newest calls of an adapter and what they did, for the administration. What a delivery did is in the journal too;
//! here are also calls that only read.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::delivery::CallDone;

/// Calls that are kept.
const KEPT: usize = 10;

/// One call.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RecentAdapterCall)]
pub struct RecentCall {
    /// When it ended.
    #[serde(serialize_with = "super::report::moment")]
    pub at: DateTime<Utc>,
    /// What was asked, by its name in the contract for adapters.
    #[schema(value_type = String, example = "upsert-contact")]
    pub function: &'static str,
    /// `ok`, or in what way it did not succeed.
    #[schema(value_type = String, example = "ok")]
    pub outcome: &'static str,
    /// What it did.
    #[serde(flatten)]
    pub done: CallDone,
}

/// The newest calls.
#[derive(Debug, Default)]
pub struct Recent(Mutex<VecDeque<RecentCall>>);

impl Recent {
    /// A call has ended.
    pub fn ended(&self, call: RecentCall) {
        let mut calls = self.0.lock();
        calls.truncate(KEPT - 1);
        calls.push_front(call);
    }

    /// The newest first.
    pub fn newest(&self) -> Vec<RecentCall> {
        self.0.lock().iter().cloned().collect()
    }
}
