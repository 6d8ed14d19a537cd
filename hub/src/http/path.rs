//! What stands in a path.

use std::convert::Infallible;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

/// A reference: opaque text, of which an unknown one is not found rather than wrong.
#[derive(Debug, Clone)]
pub struct Reference(pub String);

impl FromStr for Reference {
    type Err = Infallible;

    /// Undoes percent-encoding; text that is not encoded UTF-8 stays as it is and names nothing.
    fn from_str(segment: &str) -> Result<Self, Infallible> {
        let decoded = percent_decode_str(segment).decode_utf8().map(std::borrow::Cow::into_owned);
        Ok(Self(decoded.unwrap_or_else(|_| segment.to_owned())))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_nothing_is_refused() {
        for (segment, text) in
            [("CL-1", "CL-1"), ("CL%2D1", "CL-1"), ("a%2Fb", "a/b"), ("%ff", "%ff"), ("%", "%"), ("+", "+")]
        {
            assert_eq!(Reference::from_str(segment).unwrap().0, text);
        }
    }
}
