//! A circuit breaker for one adapter: after several failures in a short time nothing is sent for a while, then one probe.
//!
//! Pure over the moments that it is told; it knows no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct BreakerPolicy {
    /// So many failures …
    pub failures: usize,
    /// … within this time open it …
    pub window: Duration,
    /// … for this time.
    pub open: Duration,
}

/// Whether calls may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// As many as there is room for.
    Closed,
    /// One, to see how things are.
    Probe,
    /// None before this moment.
    Open(Instant),
}

/// The state of the breaker.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    failures: VecDeque<Instant>,
    open_until: Option<Instant>,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, failures: VecDeque::new(), open_until: None }
    }

    /// Whether calls may be made at `now`.
    #[must_use]
    pub fn gate(&self, now: Instant) -> Gate {
        match self.open_until {
            None => Gate::Closed,
            Some(until) if until <= now => Gate::Probe,
            Some(until) => Gate::Open(until),
        }
    }

    /// A call found the outside system working.
    pub fn succeeded(&mut self) {
        self.failures.clear();
        self.open_until = None;
    }

    /// A call found the outside system not working. A failed probe opens it anew.
    pub fn failed(&mut self, now: Instant) {
        let probing = self.gate(now) == Gate::Probe;
        let window = self.policy.window;
        self.failures.retain(|at| now.duration_since(*at) < window);
        self.failures.push_back(now);
        self.failures.truncate(self.policy.failures.max(1));
        if probing || self.failures.len() >= self.policy.failures {
            self.open_until = now.checked_add(self.policy.open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: BreakerPolicy =
        BreakerPolicy { failures: 3, window: Duration::from_secs(30), open: Duration::from_secs(15) };

    #[test]
    fn opens_after_failures_in_the_window_and_probes_once_it_is_over() {
        let mut breaker = Breaker::new(POLICY);
        let start = Instant::now();
        breaker.failed(start);
        breaker.failed(start);
        assert_eq!(breaker.gate(start), Gate::Closed);
        breaker.failed(start);
        assert_eq!(breaker.gate(start), Gate::Open(start + POLICY.open));
        let later = start + POLICY.open;
        assert_eq!(breaker.gate(later), Gate::Probe);
        breaker.failed(later);
        assert_eq!(breaker.gate(later), Gate::Open(later + POLICY.open));
        breaker.succeeded();
        assert_eq!(breaker.gate(later), Gate::Closed);
    }

    #[test]
    fn failures_far_apart_do_not_add_up() {
        let mut breaker = Breaker::new(POLICY);
        let start = Instant::now();
        for n in 0..9 {
            breaker.failed(start + Duration::from_secs(31 * n));
        }
        assert_eq!(breaker.gate(start + Duration::from_secs(300)), Gate::Closed);
    }
}
