//! Handles to single series, resolved once and then recorded without a look-up.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// The statuses that the REST contract names. Others are counted too, at the cost of a look-up.
const STATUSES: [u16; 17] = [200, 201, 202, 400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429, 500, 503];

/// The labels of `hub_http_requests_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub action: &'static str,
    pub status: u16,
}

/// Requests of one action.
#[derive(Debug)]
pub struct Http {
    action: &'static str,
    requests: Family<RequestLabels, Counter>,
    by_status: [OnceLock<Counter>; STATUSES.len()],
    duration: Histogram,
}

impl Http {
    pub(super) fn new(action: &'static str, requests: Family<RequestLabels, Counter>, duration: Histogram) -> Self {
        Self { action, requests, by_status: [const { OnceLock::new() }; STATUSES.len()], duration }
    }

    /// A request was answered.
    pub fn answered(&self, status: u16, took: Duration) {
        let find = || self.requests.get_or_create_owned(&RequestLabels { action: self.action, status });
        let slot = STATUSES.iter().position(|known| *known == status).and_then(|place| self.by_status.get(place));
        match slot {
            Some(slot) => slot.get_or_init(find).inc(),
            None => find().inc(),
        };
        self.duration.observe(took.as_secs_f64());
    }
}

/// The journal's writer.
#[derive(Debug, Clone)]
pub struct JournalWriter {
    pub(super) flush_seconds: Histogram,
    pub(super) entries: Counter,
    pub(super) group_entries: Histogram,
}

impl JournalWriter {
    /// A group of `entries` was made durable.
    pub fn flushed(&self, entries: usize, took: Duration) {
        self.flush_seconds.observe(took.as_secs_f64());
        self.entries.inc_by(entries as u64);
        self.group_entries.observe(entries as f64);
    }
}
