//! A bucket for each caller, in bounded memory.
//!
//! Buckets that are full again say nothing and are dropped by `sweep`. Where more callers come than there may be
//! buckets, they share a fixed number of them, told apart by a hash that nobody outside can foresee, until enough have
//! paused: a million addresses cost as much as a hundred thousand, and none of them gets more than its limit.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Callers with a bucket of their own.
const MOST: usize = 1 << 17;
/// Buckets that the others share.
const SHARED: u64 = 1 << 16;
/// After so many requests the number of buckets is looked at, which takes all of their locks.
const LOOK: usize = 1 << 12;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key<K> {
    Own(K),
    Shared(u64),
}

/// The buckets of one limit.
pub struct Buckets<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<Key<K>>,
    clock: DefaultClock,
    hasher: RandomState,
    /// Requests since the last look.
    seen: AtomicUsize,
    crowded: AtomicBool,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// No bucket yet; each holds `quota`.
    pub fn new(quota: Quota) -> Self {
        Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            hasher: RandomState::new(),
            seen: AtomicUsize::new(0),
            crowded: AtomicBool::new(false),
        }
    }

    /// Takes one out of the bucket of `key`.
    ///
    /// # Errors
    /// It is empty; how long until there is one again.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        if self.seen.fetch_add(1, Ordering::Relaxed) % LOOK == LOOK - 1 && self.limiter.len() >= MOST {
            self.sweep();
        }
        let key = match self.crowded.load(Ordering::Relaxed) {
            true => Key::Shared(self.hasher.hash_one(&key) % SHARED),
            false => Key::Own(key),
        };
        self.limiter.check_key(&key).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Forgets everybody whose bucket is full again.
    pub fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.crowded.store(self.limiter.len() >= MOST, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.limiter.len()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::num::NonZeroU32;

    use super::*;

    const MILLION: u32 = 1_000_000;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(number))
    }

    #[test]
    fn a_million_addresses_cost_bounded_memory_and_none_gets_more_than_its_limit() {
        // One request an hour: no bucket is full again while this runs.
        let hour = Quota::with_period(Duration::from_secs(3600)).unwrap();
        let buckets = Buckets::new(hour);
        for number in 0..MILLION {
            let _ = buckets.take(address(number));
        }
        let most = MOST + LOOK + usize::try_from(SHARED).unwrap();
        assert!(buckets.len() <= most, "{} of {most}", buckets.len());
        // Whoever came last is counted all the same, also a second time.
        assert!((MILLION - 1000..MILLION).all(|number| buckets.take(address(number)).is_err()));
    }

    #[test]
    fn when_the_crowd_has_paused_everybody_has_a_bucket_again() {
        let quick = Quota::per_second(NonZeroU32::new(1_000_000).unwrap());
        let buckets = Buckets::new(quick);
        buckets.crowded.store(true, Ordering::Relaxed);
        assert!((0..1000).all(|number| buckets.take(address(number)).is_ok()));
        while buckets.len() > 0 {
            buckets.sweep();
        }
        assert!(!buckets.crowded.load(Ordering::Relaxed));
        buckets.take(address(1)).unwrap();
        assert_eq!(buckets.len(), 1);
    }
}
