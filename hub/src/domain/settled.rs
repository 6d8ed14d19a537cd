//! What is looked at again and again, and judged once it has stopped changing: files that somebody may still be writing.

/// What was seen and what was judged.
#[derive(Debug, Clone)]
pub struct Settled<T> {
    seen: Option<T>,
    judged: Option<T>,
}

impl<T> Default for Settled<T> {
    fn default() -> Self {
        Self { seen: None, judged: None }
    }
}

impl<T: Clone + PartialEq> Settled<T> {
    /// Takes what is there as judged already.
    pub fn know(&mut self, now: T) {
        self.judged = Some(now);
    }

    /// Whether nothing was judged yet.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.judged.is_none()
    }

    /// Another look. Answers with what is there when it looks the same twice and was not judged, and then it is judged.
    pub fn look(&mut self, now: T) -> Option<T> {
        let settled = self.seen.as_ref() == Some(&now) && self.judged.as_ref() != Some(&now);
        if settled {
            self.judged = Some(now.clone());
        }
        self.seen = Some(now.clone());
        settled.then_some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::Settled;

    #[test]
    fn what_looks_the_same_twice_is_judged_once() {
        let mut settled = Settled::default();
        let looks = [1, 2, 2, 2, 3, 2, 2, 3, 3].map(|now| settled.look(now));
        assert_eq!(looks, [None, None, Some(2), None, None, None, None, None, Some(3)]);
    }

    #[test]
    fn what_is_known_is_not_judged() {
        let mut settled = Settled::default();
        assert!(settled.is_new());
        settled.know(1);
        assert_eq!([1, 1, 2, 2].map(|now| settled.look(now)), [None, None, None, Some(2)]);
        assert!(!settled.is_new());
    }
}
