//! Takes an endpoint's secrets out of what comes back from it and out of what is logged.
//!
//! A secret is replaced by as many stars, so that lengths that an answer announces stay true.

use memchr::memmem;

/// The shortest text that is looked for; a shorter one would be found everywhere.
pub const MIN_SECRET_BYTES: usize = 4;

/// The texts to take out.
#[derive(Clone, Default)]
pub struct Scrubber {
    needles: Vec<Vec<u8>>,
}

impl Scrubber {
    /// Adds a secret, and the forms that it may have inside a JSON string.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < MIN_SECRET_BYTES {
            return;
        }
        // A quote at either end is escaped, so trimming takes off the two that JSON adds and no other.
        let json = serde_json::to_string(secret).unwrap_or_default();
        let json = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let forms = [secret, json.unwrap_or(secret)];
        let slashed = forms.map(|form| form.replace('/', "\\/"));
        for form in forms.into_iter().chain(slashed.iter().map(String::as_str)) {
            if !self.needles.iter().any(|needle| needle == form.as_bytes()) {
                self.needles.push(form.as_bytes().to_vec());
            }
        }
        // The longest first, so that a secret that holds another one goes as a whole.
        self.needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }

    /// Takes the secrets out of bytes, in place.
    pub fn bytes(&self, text: &mut [u8]) {
        for needle in &self.needles {
            let mut from = 0;
            while let Some(at) = text.get(from..).and_then(|rest| memmem::find(rest, needle)) {
                let start = from + at;
                let end = start + needle.len();
                if let Some(found) = text.get_mut(start..end) {
                    found.fill(b'*');
                }
                from = end;
            }
        }
    }

    /// Takes the secrets out of text.
    pub fn text(&self, text: String) -> String {
        let mut bytes = text.into_bytes();
        self.bytes(&mut bytes);
        // Stars in place of whole characters leave valid UTF-8; lossy costs nothing then.
        String::from_utf8(bytes).unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_go_and_lengths_stay() {
        let mut scrubber = Scrubber::default();
        scrubber.add("to/ken\"1");
        scrubber.add("to/k");
        assert_eq!(scrubber.text("a to/ken\"1 b".to_owned()), "a ******** b");
        assert!(!scrubber.text(r#"{"echo":"to\/ken\"1"}"#.to_owned()).contains("ken"));
        assert_eq!(scrubber.text(r#"{"echo":"to/ken\"1"}"#.to_owned()), r#"{"echo":"*********"}"#);
        assert_eq!(scrubber.text("nothing".to_owned()), "nothing");
    }

    #[test]
    fn texts_too_short_to_be_secrets_are_left() {
        let mut scrubber = Scrubber::default();
        scrubber.add("abc");
        assert_eq!(scrubber.text("abc".to_owned()), "abc");
    }

    proptest! {
        #[test]
        fn no_secret_survives(secret in "[a-zA-Z0-9+/=]{4,24}", before in "\\PC{0,30}", after in "\\PC{0,30}") {
            let mut scrubber = Scrubber::default();
            scrubber.add(&secret);
            let text = format!("{before}{secret}{after}{secret}");
            let clean = scrubber.text(text.clone());
            prop_assert!(!clean.contains(&secret));
            prop_assert_eq!(clean.len(), text.len());
        }
    }
}
