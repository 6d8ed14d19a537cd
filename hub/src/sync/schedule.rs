//! When a failed attempt is repeated: the configured delays in turn, with jitter, and then no more.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The longest wait that an outside system may ask for with `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3600);
/// The share of a delay that chance may take off or put on, in per cent.
const JITTER_PERCENT: u64 = 20;

/// The delays between the attempts of one delivery.
#[derive(Debug, Clone)]
pub struct Schedule {
    delays: Vec<Duration>,
    ask_again: Duration,
}

impl Schedule {
    /// These delays, one after each failed attempt; `ask_again` while an outside system has not decided.
    #[must_use]
    pub const fn new(delays: Vec<Duration>, ask_again: Duration) -> Self {
        Self { delays, ask_again }
    }

    /// When an outside system that had not decided at `now` is asked again.
    #[must_use]
    pub fn ask_again(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.ask_again
    }

    /// When to try again after the `attempt`th attempt (1 for the first) has failed at `now`; `None` when the delays are used up.
    /// `asked` is what the outside system wants to be given; `chance` is between 0 and 1.
    #[must_use]
    pub fn next(
        &self,
        attempt: u32,
        now: DateTime<Utc>,
        asked: Option<Duration>,
        chance: f64,
    ) -> Option<DateTime<Utc>> {
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let delay = self.delays.get(index)?;
        let wait = jittered(*delay, chance).max(asked.unwrap_or_default().min(LONGEST_WAIT));
        now.checked_add_signed(TimeDelta::from_std(wait).ok()?)
    }
}

fn jittered(delay: Duration, chance: f64) -> Duration {
    let spread = delay.as_millis() as f64 * JITTER_PERCENT as f64 / 100.0;
    let offset = (chance.clamp(0.0, 1.0) * 2.0 - 1.0) * spread;
    Duration::from_millis((delay.as_millis() as f64 + offset).max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule::new(vec![Duration::from_secs(1), Duration::from_secs(5)], Duration::from_secs(60))
    }

    #[test]
    fn each_attempt_waits_longer_and_then_there_is_none() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(schedule().next(1, now, None, 0.5), Some(now + TimeDelta::seconds(1)));
        assert_eq!(schedule().next(2, now, None, 0.5), Some(now + TimeDelta::seconds(5)));
        assert_eq!(schedule().next(3, now, None, 0.5), None);
    }

    #[test]
    fn the_outside_system_may_ask_for_more_but_not_for_ever() {
        let now = DateTime::UNIX_EPOCH;
        let minute = Some(Duration::from_secs(60));
        assert_eq!(schedule().next(1, now, minute, 0.0), Some(now + TimeDelta::seconds(60)));
        let year = Some(Duration::from_secs(365 * 24 * 3600));
        assert_eq!(schedule().next(1, now, year, 0.0), Some(now + TimeDelta::hours(6)));
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        assert_eq!(jittered(Duration::from_secs(10), 0.0), Duration::from_secs(8));
        assert_eq!(jittered(Duration::from_secs(10), 1.0), Duration::from_secs(12));
    }
}
