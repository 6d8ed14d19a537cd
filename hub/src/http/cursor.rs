//! Cursors: where a walk through a list stands, as opaque text.
//!
//! A cursor holds the sort value and the reference of the last item, and a digest of the query: with another query it is
//! refused. It is not signed, since it opens nothing: what it names is looked up inside the caller's own organisation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::problem::{Code, Problem};

/// The longest cursor that is read, in bytes; the hub's own are far shorter.
const MAX_LENGTH: usize = 4096;

/// Where a walk stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The sort value of the last item.
    pub value: String,
    /// Its reference.
    pub reference: String,
}

impl Cursor {
    /// As the caller gets it. `query` is what must be the same next time.
    #[must_use]
    pub fn encode(&self, query: &[&str]) -> String {
        let text = serde_json::json!([self.value, self.reference, digest(query)]).to_string();
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads what a caller sends back.
    ///
    /// # Errors
    /// It is no cursor, or one of another query: 400.
    pub fn decode(text: &str, query: &[&str]) -> Result<Self, Problem> {
        let malformed =
            || Problem::new(Code::MalformedCursor, "cursor has to be next of the page before, with the same query");
        if text.len() > MAX_LENGTH {
            return Err(malformed());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
        let (value, reference, made_for): (String, String, String) =
            serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        if made_for == digest(query) { Ok(Self { value, reference }) } else { Err(malformed()) }
    }
}

/// Sixty-four bits are enough to tell a mistake; nobody gains by forging one.
fn digest(query: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in query {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_back_as_it_was(value in ".{0,200}", reference in ".{0,40}", filter in ".{0,40}") {
            let cursor = Cursor { value, reference };
            let text = cursor.encode(&["list", &filter]);
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(Cursor::decode(&text, &["list", &filter]).unwrap(), cursor);
        }

        #[test]
        fn is_refused_with_another_query(a in ".{0,20}", b in ".{0,20}") {
            prop_assume!(a != b);
            let text = Cursor { value: "v".into(), reference: "r".into() }.encode(&[&a]);
            prop_assert_eq!(Cursor::decode(&text, &[&b]).unwrap_err().code(), Code::MalformedCursor);
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in ".{0,300}") {
            let _ = Cursor::decode(&text, &["list"]);
        }
    }

    #[test]
    fn parts_of_the_query_do_not_run_together() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }
}
