//! What one call has done so far, shared between the call and whoever waits for it.
//!
//! It outlives the call: a call that is stopped in the middle can't be asked what it had sent. It errs on the side of
//! "it may have had an effect".

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The record of one call.
#[derive(Debug, Default)]
pub struct CallRecord {
    /// Requests that may have had an effect: sent, or about to be.
    effects: AtomicU32,
    /// Whether the call waits for the outside rather than computes.
    outside: AtomicBool,
    /// Whether the call may change nothing, neither outside nor in the adapter's store.
    reads_only: bool,
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

    /// Whether the call waits for the outside now.
    pub fn is_outside(&self) -> bool {
        self.outside.load(Ordering::Acquire)
    }

    /// The call leaves the component to wait for the outside, until the guard is dropped.
    pub fn leave(&self) -> OutsideGuard<'_> {
        self.outside.store(true, Ordering::Release);
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
        self.0.outside.store(false, Ordering::Release);
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
    fn outside_ends_with_its_guard() {
        let record = CallRecord::default();
        let guard = record.leave();
        assert!(record.is_outside());
        drop(guard);
        assert!(!record.is_outside());
    }
}
