//! How much of something each has at once, so that nobody takes all of it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

/// What each has now. Cheap to clone.
#[derive(Clone)]
pub struct Shares<K>(Arc<Mutex<HashMap<K, u32>>>);

impl<K: Eq + Hash + Clone> Shares<K> {
    /// One more for `whose`, until it is dropped; `None` where there are `most` already.
    pub fn take(&self, whose: K, most: u32) -> Option<Share<K>> {
        let mut taken = self.0.lock();
        let count = taken.get(&whose).copied().unwrap_or_default();
        if count >= most {
            return None;
        }
        taken.insert(whose.clone(), count + 1);
        Some(Share { whose, of: self.clone() })
    }
}

impl<K> Default for Shares<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// One that somebody has.
pub struct Share<K: Eq + Hash> {
    whose: K,
    of: Shares<K>,
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut taken = self.of.0.lock();
        if let Some(count) = taken.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_share_and_who_has_none_is_forgotten() {
        let shares = Shares::default();
        let (first, second) = (shares.take("a", 2).unwrap(), shares.take("a", 2).unwrap());
        assert!(shares.take("a", 2).is_none());
        let other = shares.take("b", 2).unwrap();
        drop(first);
        assert!(shares.take("a", 2).is_some());
        drop((second, other));
        assert!(shares.0.lock().is_empty());
    }
}
