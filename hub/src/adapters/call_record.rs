//! What one call has done so far, shared between the call and whoever waits for it.
//!
//! It outlives the call: a call that is stopped in the middle can't be asked what it had sent. It errs on the side of
//! "it may have had an effect".

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::domain::delivery::{CallDone, Outbound};

/// Requests that are kept, of one call.
const KEPT: usize = 16;
/// Characters of a path that are kept.
const LONGEST_PATH: usize = 200;

/// The record of one call.
#[derive(Debug)]
pub struct CallRecord {
    /// Requests that may have had an effect: sent, or about to be.
    effects: AtomicU32,
    /// When the call began.
    began: Instant,
    /// How long it has waited for the outside rather than computed.
    outside: Mutex<Outside>,
    /// Whether the call may change nothing, neither outside nor in the adapter's store.
    reads_only: bool,
    /// Its memory at the end, in bytes, which is the most that it had; 0 while it runs.
    memory: AtomicU64,
    requests: Mutex<Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    kept: Vec<Outbound>,
    more: u64,
}

#[derive(Debug, Default)]
struct Outside {
    before: Duration,
    since: Option<Instant>,
}

impl Outside {
    fn until(&self, now: Instant) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

impl Default for CallRecord {
    fn default() -> Self {
        Self {
            effects: AtomicU32::new(0),
            began: Instant::now(),
            outside: Mutex::default(),
            reads_only: false,
            memory: AtomicU64::new(0),
            requests: Mutex::default(),
        }
    }
}

impl CallRecord {
    /// Of a call that may change nothing.
    pub fn reading() -> Self {
        Self { reads_only: true, ..Self::default() }
    }

    /// Whether the call may change nothing.
    pub fn reads_only(&self) -> bool {
        self.reads_only
    }

    /// Whether the call may have changed anything outside.
    pub fn may_have_effect(&self) -> bool {
        self.effects.load(Ordering::Acquire) > 0
    }

    /// Whether the call has waited for the outside for more than half of its time.
    pub fn was_mostly_outside(&self) -> bool {
        self.was_mostly_outside_at(Instant::now())
    }

    fn was_mostly_outside_at(&self, now: Instant) -> bool {
        self.outside.lock().until(now) * 2 > now.saturating_duration_since(self.began)
    }

    /// The component has so much memory now, which never shrinks.
    pub fn grown_to(&self, bytes: usize) {
        self.memory.store(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// A request begins; its place among those that are kept, if it is.
    pub fn requested(&self, mut request: Outbound) -> Option<usize> {
        request.path = request.path.chars().take_while(|char| *char != '?').take(LONGEST_PATH).collect();
        let mut requests = self.requests.lock();
        if requests.kept.len() == KEPT {
            requests.more += 1;
            return None;
        }
        requests.kept.push(request);
        Some(requests.kept.len() - 1)
    }

    /// More is known of a request.
    pub fn amend(&self, place: Option<usize>, more: impl FnOnce(&mut Outbound)) {
        let mut requests = self.requests.lock();
        if let Some(request) = place.and_then(|place| requests.kept.get_mut(place)) {
            more(request);
        }
    }

    /// What was done so far.
    pub fn done(&self) -> CallDone {
        let (requests, memory) = (self.requests.lock(), self.memory.load(Ordering::Acquire));
        let peak_kib = (memory > 0).then_some(memory / 1024);
        CallDone { peak_kib, requests: requests.kept.clone(), more: requests.more, ..CallDone::default() }
    }

    /// The call leaves the component to wait for the outside, until the guard is dropped.
    pub fn leave(&self) -> OutsideGuard<'_> {
        self.outside.lock().since = Some(Instant::now());
        OutsideGuard(self)
    }

    /// A request is about to be sent. To be called before anything leaves.
    pub fn begin_request(&self, unsafe_method: bool) -> Effect<'_> {
        if unsafe_method {
            self.effects.fetch_add(1, Ordering::AcqRel);
        }
        Effect { record: self, counted: unsafe_method }
    }
}

/// While it lives, the call waits for the outside.
#[derive(Debug)]
pub struct OutsideGuard<'a>(&'a CallRecord);

impl Drop for OutsideGuard<'_> {
    fn drop(&mut self) {
        let mut outside = self.0.outside.lock();
        let before = outside.until(Instant::now());
        *outside = Outside { before, since: None };
    }
}

/// The possible effect of one request.
#[derive(Debug)]
pub struct Effect<'a> {
    record: &'a CallRecord,
    counted: bool,
}

impl Effect<'_> {
    /// It turned out that nothing was sent.
    pub fn never_left(self) {
        if self.counted {
            self.record.effects.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_that_left_and_may_change_something_count() {
        let record = CallRecord::default();
        let _read = record.begin_request(false);
        assert!(!record.may_have_effect());
        record.begin_request(true).never_left();
        assert!(!record.may_have_effect());
        let _sent = record.begin_request(true);
        record.begin_request(true).never_left();
        assert!(record.may_have_effect());
    }

    #[test]
    fn requests_are_kept_within_a_bound_and_without_a_query() {
        let record = CallRecord::default();
        let path = format!("/clients/{}?name=Ada", "x".repeat(300));
        let places: Vec<_> =
            (0..20).map(|_| record.requested(Outbound { path: path.clone(), ..Outbound::default() })).collect();
        record.amend(places[0], |request| request.status = Some(204));
        record.amend(places[19], |request| request.status = Some(500));
        let done = record.done();
        assert_eq!((done.requests.len(), done.more, done.peak_kib), (16, 4, None));
        assert_eq!((done.requests[0].path.len(), done.requests[0].status), (200, Some(204)));
        let short = CallRecord::default();
        short.requested(Outbound { path: "/clients?name=Ada".to_owned(), ..Outbound::default() });
        assert_eq!(short.done().requests[0].path, "/clients");
    }

    #[test]
    fn where_most_of_the_time_went_is_where_the_call_was() {
        let record = CallRecord::default();
        let guard = record.leave();
        let left = Instant::now();
        let soon = left + Duration::from_secs(1);
        assert!(record.was_mostly_outside_at(soon));
        drop(guard);
        assert!(!record.was_mostly_outside_at(soon), "what came after was its own");
        let began = left.checked_sub(Duration::from_secs(5)).unwrap();
        let computed = CallRecord { began, ..CallRecord::default() };
        let _at_the_end = computed.leave();
        assert!(!computed.was_mostly_outside_at(soon));
    }
}
