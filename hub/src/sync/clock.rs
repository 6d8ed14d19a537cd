//! The time that deliveries are due by: never behind what was seen before, and never standing still.
//!
//! The wall clock may jump. Where it jumps back, what was due an hour ago would be due in hours again, and so this clock goes on
//! from the latest moment it knows at the pace of the monotonic clock, until the wall clock has caught up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

/// A clock. Cheap to clone; clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<(DateTime<Utc>, Instant)>>);

impl Clock {
    /// A clock that is never before `newest`, the time of the journal's newest entry.
    #[must_use]
    pub fn not_before(newest: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new((newest, Instant::now()))))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let mut latest = self.0.lock();
        let now = Instant::now();
        *latest = (later(latest.0, now.saturating_duration_since(latest.1), Utc::now()), now);
        latest.0
    }
}

/// The latest moment known, `passed` later, or the wall clock where that is later still.
fn later(latest: DateTime<Utc>, passed: Duration, wall: DateTime<Utc>) -> DateTime<Utc> {
    latest.checked_add_signed(chrono::TimeDelta::from_std(passed).unwrap_or_default()).map_or(wall, |on| on.max(wall))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_wall_clock_forward_and_goes_on_by_itself_when_that_jumps_back() {
        let at = |second| DateTime::<Utc>::from_timestamp(second, 0).unwrap_or_default();
        let second = Duration::from_secs(1);
        assert_eq!(later(at(100), second, at(101)), at(101));
        assert_eq!(later(at(100), second, at(5_000)), at(5_000));
        assert_eq!(later(at(5_000), second, at(102)), at(5_001));
    }
}
