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
    /// Adds a secret, and the forms that it may have inside a JSON string, a URL or a page.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < MIN_SECRET_BYTES {
            return;
        }
        // A quote at either end is escaped, so trimming takes off the two that JSON adds and no other.
        let json = serde_json::to_string(secret).unwrap_or_default();
        let json = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let forms = [secret, json.unwrap_or(secret)];
        let slashed = forms.map(|form| form.replace('/', "\\/"));
        let others = [in_url(secret, true), in_url(secret, false), in_script(secret, true), in_script(secret, false)];
        let others = others.into_iter().chain([in_page(secret)]).chain(slashed);
        for form in forms.map(str::to_owned).into_iter().chain(others) {
            if !self.needles.iter().any(|needle| needle == form.as_bytes()) {
                self.needles.push(form.into_bytes());
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

/// As in a URL (RFC 3986, section 2.1), whose digits may be of either case.
fn in_url(secret: &str, upper: bool) -> String {
    escaped(secret, |byte| match (byte, upper) {
        (b'-' | b'.' | b'_' | b'~', _) => None,
        (_, true) => Some(format!("%{byte:02X}")),
        (_, false) => Some(format!("%{byte:02x}")),
    })
}

/// As in JSON that is made to be put into a page.
fn in_script(secret: &str, upper: bool) -> String {
    escaped(secret, |byte| match (byte, upper) {
        (b'+' | b'&' | b'<' | b'>' | b'\'' | b'"' | b'=', true) => Some(format!("\\u{byte:04X}")),
        (b'+' | b'&' | b'<' | b'>' | b'\'' | b'"' | b'=', false) => Some(format!("\\u{byte:04x}")),
        (b'\\', _) => Some("\\\\".to_owned()),
        _ => None,
    })
}

/// As in a page.
fn in_page(secret: &str) -> String {
    escaped(secret, |byte| {
        let name = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => return None,
        };
        Some(name.to_owned())
    })
}

/// The text with an escape in the place of each byte of ASCII that has one; letters and digits have none.
fn escaped(text: &str, escape: impl Fn(u8) -> Option<String>) -> String {
    let of = |char: char| {
        let byte = u8::try_from(char).ok().filter(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric());
        byte.and_then(&escape).unwrap_or_else(|| char.to_string())
    };
    text.chars().map(of).collect()
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
    fn what_a_url_or_a_page_makes_of_a_secret_goes_too() {
        let mut scrubber = Scrubber::default();
        scrubber.add("aB+/c&1==");
        for echo in ["aB%2B%2Fc%261%3D%3D", "aB%2b%2fc%261%3d%3d", "aB\\u002B/c\\u00261\\u003D\\u003D", "aB+/c&amp;1=="]
        {
            let clean = scrubber.text(format!("<{echo}>"));
            assert!(clean.starts_with("<**") && clean.ends_with("**>"), "{clean}");
        }
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
