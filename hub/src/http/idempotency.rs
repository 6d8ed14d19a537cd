//! `Idempotency-Key`: read here, claimed in the journal by the command that it comes with.
//!
//! Two digests leave this module and nothing else: one of (organisation, member, key), one of what was asked. The key
//! itself may hold anything a caller thought of and is neither stored nor logged.

use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::query::malformed;
use crate::actors::RequestKey;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Set on an answer that is given again.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in characters.
const LONGEST: usize = 255;

/// The key that the caller sent.
///
/// # Errors
/// It is empty, too long, not visible ASCII, or there are two: 400.
pub fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut lines = headers.get_all(HEADER).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let valid = |text: &&str| (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let only = line.to_str().ok().filter(valid).filter(|_| lines.next().is_none());
    only.map(Some).ok_or_else(|| malformed("Idempotency-Key", "has to be 1 to 255 visible ASCII characters, once"))
}

/// What the journal claims: whose key it is, and what it was used for.
#[must_use]
pub fn request_key((org, member): (&str, &str), key: &str, asked: &[&[u8]]) -> RequestKey {
    RequestKey { key: digest(&[org.as_bytes(), member.as_bytes(), key.as_bytes()]), body: digest(asked) }
}

/// SHA-256 over the parts, each behind its length, as lower-case hexadecimal.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_str(value).unwrap());
        }
        key(&headers).is_ok()
    }

    #[test]
    fn takes_visible_ascii_once() {
        assert!(read(&[]) && read(&["a"]) && read(&["~!{}\"8f14e45f"]) && read(&["k".repeat(255).as_str()]));
        assert!(!read(&[""]) && !read(&["a b"]) && !read(&["k".repeat(256).as_str()]) && !read(&["a", "a"]));
        assert!(!read(&["schlüssel"]));
    }

    #[test]
    fn keys_of_others_and_other_bodies_differ() {
        let asked: &[&[u8]] = &[b"POST /x", b"{}"];
        let one = request_key(("o", "m"), "k", asked);
        assert_eq!(one.key, request_key(("o", "m"), "k", &[b"POST /x", b"[]"]).key);
        assert_ne!(one.body, request_key(("o", "m"), "k", &[b"POST /x", b"[]"]).body);
        assert_ne!(one.key, request_key(("om", ""), "k", asked).key);
        assert_ne!(one.body, request_key(("o", "m"), "k", &[b"POST /", b"x{}"]).body);
    }
}
