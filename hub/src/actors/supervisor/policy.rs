//! When a failed child is made again, and when it is not any more. Pure: time and chance are handed in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How a child is restarted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestartPolicy {
    /// The wait before the first restart; it doubles with each further one.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// The part of a wait, 0 to 1, that chance may take off, so that children that fell together don't rise together.
    pub jitter: f64,
    /// Restarts allowed in a window; one more escalates to the parent.
    pub budget: usize,
    /// The length of that window.
    pub window: Duration,
    /// Uptime after which earlier failures are forgotten.
    pub healthy_after: Duration,
    /// How long a child may leave waiting messages untouched.
    pub stuck_after: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(50),
            max: Duration::from_secs(5),
            jitter: 0.2,
            budget: 5,
            window: Duration::from_secs(60),
            healthy_after: Duration::from_secs(30),
            stuck_after: Duration::from_secs(10),
        }
    }
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Make it again after this wait.
    Retry(Duration),
    /// The budget is spent.
    Exhausted,
}

/// The failures of one child. Holds at most `budget` of them.
#[derive(Debug, Default)]
pub(super) struct Record {
    recent: VecDeque<Instant>,
    streak: u32,
}

impl Record {
    /// Counts a failure at `now` after `uptime`. `chance` is uniform in 0..1.
    pub(super) fn failed(&mut self, policy: &RestartPolicy, now: Instant, uptime: Duration, chance: f64) -> Verdict {
        if uptime >= policy.healthy_after {
            self.forget();
        }
        self.recent.retain(|at| now.saturating_duration_since(*at) < policy.window);
        if self.recent.len() >= policy.budget {
            return Verdict::Exhausted;
        }
        self.recent.push_back(now);
        let wait = policy.initial.saturating_mul(2_u32.saturating_pow(self.streak)).min(policy.max);
        self.streak = self.streak.saturating_add(1);
        Verdict::Retry(wait.mul_f64((1.0 - policy.jitter * chance).clamp(0.0, 1.0)))
    }

    /// A fresh start.
    pub(super) fn forget(&mut self) {
        self.recent.clear();
        self.streak = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn policy() -> RestartPolicy {
        RestartPolicy {
            initial: 10 * MS,
            max: 60 * MS,
            jitter: 0.5,
            budget: 4,
            window: 1000 * MS,
            healthy_after: 500 * MS,
            stuck_after: 100 * MS,
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_then_the_budget_is_spent() {
        let (mut record, now) = (Record::default(), Instant::now());
        let verdicts: Vec<Verdict> = (0..5).map(|_| record.failed(&policy(), now, MS, 0.0)).collect();
        let waits = [10, 20, 40, 60].map(|ms| Verdict::Retry(ms * MS));
        assert_eq!(verdicts, [waits.as_slice(), &[Verdict::Exhausted]].concat());
    }

    #[test]
    fn a_healthy_life_resets_waits_and_budget() {
        let (mut record, now) = (Record::default(), Instant::now());
        (0..4).for_each(|_| {
            record.failed(&policy(), now, MS, 0.0);
        });
        assert_eq!(record.failed(&policy(), now, 500 * MS, 0.0), Verdict::Retry(10 * MS));
    }

    #[test]
    fn failures_older_than_the_window_cost_nothing() {
        let (mut record, now) = (Record::default(), Instant::now());
        (0..4).for_each(|_| {
            record.failed(&policy(), now, MS, 0.0);
        });
        assert_eq!(record.failed(&policy(), now + 999 * MS, MS, 0.0), Verdict::Exhausted);
        assert_eq!(record.failed(&policy(), now + 1000 * MS, MS, 0.0), Verdict::Retry(60 * MS));
    }

    proptest! {
        #[test]
        fn chance_only_shortens_and_by_no_more_than_the_jitter(chance in 0.0..1.0_f64, jitter in 0.0..=1.0_f64) {
            let policy = RestartPolicy { jitter, ..policy() };
            let Verdict::Retry(wait) = Record::default().failed(&policy, Instant::now(), MS, chance) else {
                return Err(TestCaseError::fail("exhausted at once"));
            };
            prop_assert!(wait <= policy.initial);
            prop_assert!(wait + Duration::from_nanos(10) >= policy.initial.mul_f64(1.0 - jitter));
        }

        #[test]
        fn no_window_holds_more_restarts_than_the_budget(steps in proptest::collection::vec(0_u64..400, 1..60)) {
            let (policy, start) = (policy(), Instant::now());
            let (mut record, mut at, mut restarts) = (Record::default(), 0, Vec::new());
            for step in steps {
                at += step;
                let now = start + Duration::from_millis(at);
                if matches!(record.failed(&policy, now, MS, 0.3), Verdict::Retry(_)) {
                    restarts.push(at);
                }
                let within = restarts.iter().filter(|past| at - **past < 1000).count();
                prop_assert!(within <= policy.budget);
            }
        }
    }
}
