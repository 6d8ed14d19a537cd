//! Paths below an endpoint's base, segment by segment.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::disposition::reject;
use crate::types::Disposition;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of these segments, each percent-encoded: `["clients", "a b"]` → `/clients/a%20b`.
///
/// # Errors
/// Rejects a segment that would name another resource than was meant: an empty one, `.` and `..`.
pub fn below(segments: &[&str]) -> Result<String, Disposition> {
    let mut path = String::new();
    for segment in segments {
        if matches!(*segment, "" | "." | "..") {
            return Err(reject(format!(
                "an id is `{segment}`, which no path can carry; expected the outside system's own id"
            )));
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, RESERVED));
    }
    Ok(path)
}

/// One name or value of a form. A space as `%20` is read as one by every form parser, as `+` is.
pub(crate) fn form(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn segments_are_encoded() {
        assert_eq!(below(&["clients", "a b/c?d#e%é"]).unwrap(), "/clients/a%20b%2Fc%3Fd%23e%25%C3%A9");
        assert_eq!(below(&["Users", "2819c223-7f76_~.x"]).unwrap(), "/Users/2819c223-7f76_~.x");
    }

    #[test]
    fn a_segment_that_climbs_or_vanishes_is_rejected() {
        for segment in ["", ".", ".."] {
            assert!(matches!(below(&["clients", segment]), Err(Disposition::Reject(_))));
        }
    }

    proptest! {
        #[test]
        fn a_segment_stays_one_segment(segment in ".+") {
            if let Ok(path) = below(&["x", &segment]) {
                prop_assert_eq!(path.matches('/').count(), 2);
                prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\')));
            }
        }
    }
}
