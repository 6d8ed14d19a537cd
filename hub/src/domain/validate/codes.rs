//! A list of codes of two letters, in one text.

/// From the beginning of one code to that of the next: two letters and a blank.
const STEP: usize = 3;

/// Codes of two letters, sorted, with a blank between.
pub(super) struct Codes(pub(super) &'static str);

impl Codes {
    /// Whether the code is in the list, as it is written there.
    pub(super) fn holds(&self, code: &str) -> bool {
        let (mut from, mut to) = (0, self.0.len().div_ceil(STEP));
        while from < to {
            let middle = usize::midpoint(from, to);
            match self.at(middle).cmp(code) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        false
    }

    fn at(&self, place: usize) -> &'static str {
        self.0.get(place * STEP..place * STEP + 2).unwrap_or_default()
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = &'static str> {
        self.0.split(' ')
    }
}
