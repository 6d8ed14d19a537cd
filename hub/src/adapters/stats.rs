//! Counts of one adapter's calls, for the report: how they ended, how long they took. Counters only, no locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::outcome::{Blame, FaultKind, Outcome};

/// Buckets of the latencies: the n-th counts calls of less than 2^n µs, the last one all others.
const BUCKETS: usize = 32;

/// The counters.
#[derive(Debug)]
pub struct Stats {
    ended: [AtomicU64; 8],
    faults: [AtomicU64; 4],
    blamed_on_guest: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
    total_us: AtomicU64,
}

impl Default for Stats {
    fn default() -> Self {
        let zero = |_| AtomicU64::new(0);
        Self {
            ended: std::array::from_fn(zero),
            faults: std::array::from_fn(zero),
            blamed_on_guest: AtomicU64::new(0),
            buckets: std::array::from_fn(zero),
            total_us: AtomicU64::new(0),
        }
    }
}

fn bump(counters: &[AtomicU64], index: usize) {
    if let Some(counter) = counters.get(index) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn read(counters: &[AtomicU64], index: usize) -> u64 {
    counters.get(index).map_or(0, |counter| counter.load(Ordering::Relaxed))
}

fn bucket(us: u64) -> usize {
    let bits = u64::BITS - us.leading_zeros();
    usize::try_from(bits).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

impl Stats {
    /// A call ended.
    pub fn ended(&self, outcome: Outcome, elapsed: Duration) {
        let us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        bump(&self.ended, outcome as usize);
        bump(&self.buckets, bucket(us));
        self.total_us.fetch_add(us, Ordering::Relaxed);
    }

    /// The component gave no answer.
    pub fn fault(&self, kind: FaultKind, blame: Blame) {
        bump(&self.faults, kind as usize);
        if blame == Blame::Guest {
            self.blamed_on_guest.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Calls that ended in this way.
    pub fn count(&self, outcome: Outcome) -> u64 {
        read(&self.ended, outcome as usize)
    }

    /// Faults of this kind.
    pub fn faults(&self, kind: FaultKind) -> u64 {
        read(&self.faults, kind as usize)
    }

    /// Faults that were the component's own.
    pub fn blamed_on_guest(&self) -> u64 {
        self.blamed_on_guest.load(Ordering::Relaxed)
    }

    /// All calls.
    pub fn calls(&self) -> u64 {
        self.ended.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }

    /// The mean of all calls, in µs.
    pub fn mean_us(&self) -> u64 {
        self.total_us.load(Ordering::Relaxed).checked_div(self.calls()).unwrap_or(0)
    }

    /// A time in µs that this share of all calls did not pass: the upper end of a bucket, so at most twice the truth.
    pub fn quantile_us(&self, share: f64) -> u64 {
        let counts: Vec<u64> = (0..BUCKETS).map(|index| read(&self.buckets, index)).collect();
        let total: u64 = counts.iter().sum();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let wanted = (total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && total > 0 {
                return 1u64 << index;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_end_and_time() {
        let stats = Stats::default();
        assert_eq!((stats.calls(), stats.mean_us(), stats.quantile_us(0.5)), (0, 0, 0));
        for _ in 0..99 {
            stats.ended(Outcome::Ok, Duration::from_micros(100));
        }
        stats.ended(Outcome::Retry, Duration::from_millis(100));
        stats.fault(FaultKind::Trap, Blame::Guest);
        assert_eq!((stats.calls(), stats.count(Outcome::Retry), stats.faults(FaultKind::Trap)), (100, 1, 1));
        assert_eq!(stats.blamed_on_guest(), 1);
        assert_eq!(stats.quantile_us(0.5), 128);
        assert_eq!(stats.quantile_us(0.99), 128);
        assert_eq!(stats.quantile_us(1.0), 131_072);
        assert_eq!(stats.mean_us(), 1_099);
    }

    #[test]
    fn every_outcome_and_fault_has_a_counter() {
        let stats = Stats::default();
        for outcome in Outcome::FAILURES {
            stats.ended(outcome, Duration::MAX);
            assert_eq!(stats.count(outcome), 1);
        }
        for kind in FaultKind::ALL {
            stats.fault(kind, Blame::Host);
            assert_eq!(stats.faults(kind), 1);
        }
    }
}
