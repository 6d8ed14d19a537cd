//! Takes an adapter out of use that fails again and again by its own fault.
//!
//! A single payload that crashes it must not take it from everyone: only faults in a row count, any answer in between
//! sets the count back, and whoever delivers parks such a payload long before. When a quarantine is over, the first
//! fault begins the next one, twice as long.

use std::time::{Duration, Instant};

/// Faults in a row, all within [`WINDOW`], that spend the budget.
const BUDGET: u32 = 50;
/// Faults further apart than this are no series.
const WINDOW: Duration = Duration::from_secs(60);
/// The first quarantine.
const FIRST: Duration = Duration::from_secs(15);
/// The longest quarantine.
const LONGEST: Duration = Duration::from_secs(600);

/// The faults of one adapter.
#[derive(Debug)]
pub struct Strikes {
    in_a_row: u32,
    since: Option<Instant>,
    until: Option<Instant>,
    next: Duration,
}

impl Default for Strikes {
    fn default() -> Self {
        Self { in_a_row: 0, since: None, until: None, next: FIRST }
    }
}

impl Strikes {
    /// How long the adapter is still out of use.
    pub fn remaining(&self, now: Instant) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// The component gave an answer, of whatever kind.
    pub fn answered(&mut self) {
        if self.in_a_row > 0 {
            *self = Self::default();
        }
    }

    /// The component failed by its own fault. True where this begins a quarantine.
    pub fn failed(&mut self, now: Instant) -> bool {
        if self.remaining(now).is_some() {
            // A call that had begun before.
            return false;
        }
        let started = *self.since.get_or_insert(now);
        if self.until.is_none() && now.duration_since(started) > WINDOW {
            self.in_a_row = 0;
            self.since = Some(now);
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        let on_probation = self.until.is_some();
        if !on_probation && self.in_a_row < BUDGET {
            return false;
        }
        self.until = Some(now + self.next);
        self.next = (self.next * 2).min(LONGEST);
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn spend(strikes: &mut Strikes, now: Instant) {
        for _ in 1..BUDGET {
            assert!(!strikes.failed(now));
        }
        assert!(strikes.failed(now));
    }

    #[test]
    fn a_budget_of_faults_in_a_row_begins_a_quarantine_that_grows() {
        let now = Instant::now();
        let mut strikes = Strikes::default();
        spend(&mut strikes, now);
        assert_eq!(strikes.remaining(now), Some(FIRST));
        assert!(!strikes.failed(now), "a late fault begins no second one");
        let later = now + FIRST;
        assert_eq!(strikes.remaining(later), None);
        assert!(strikes.failed(later), "on probation the first fault suffices");
        assert_eq!(strikes.remaining(later), Some(FIRST * 2));
        strikes.answered();
        assert_eq!(strikes.remaining(later), None);
    }

    #[test]
    fn an_answer_or_time_between_faults_forgives() {
        let now = Instant::now();
        let mut strikes = Strikes::default();
        for round in 0..BUDGET * 2 {
            assert!(!strikes.failed(now));
            if round % 10 == 0 {
                strikes.answered();
            }
        }
        let mut slow = Strikes::default();
        for round in 0..BUDGET * 2 {
            assert!(!slow.failed(now + WINDOW * round / 10));
        }
    }
}
