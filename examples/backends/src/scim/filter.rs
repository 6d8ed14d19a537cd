//! The one filter that clients of these routes need: `attribute eq "value"` (RFC 7644, 3.4.2.2).

use super::error::Refusal;

/// An attribute's path in lower case, and the value that it has to have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Equals {
    pub attribute: String,
    pub value: String,
}

/// Reads a filter; anything but one comparison for equality with a text is refused.
pub(super) fn read(filter: &str) -> Result<Equals, Refusal> {
    let refuse = || Refusal::bad("invalidFilter", "Only filters of the form attribute eq \"value\" are supported.");
    let mut parts = filter.trim().splitn(3, ' ');
    let (Some(attribute), Some(operator), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(refuse());
    };
    if !operator.eq_ignore_ascii_case("eq") || attribute.is_empty() {
        return Err(refuse());
    }
    let value = serde_json::from_str(value.trim()).map_err(|_| refuse())?;
    // A schema's URN may stand before the attribute.
    let attribute = attribute.rsplit(':').next().unwrap_or(attribute).to_lowercase();
    Ok(Equals { attribute, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_equality_and_nothing_else() {
        let equals =
            |attribute: &str, value: &str| Some(Equals { attribute: attribute.to_owned(), value: value.to_owned() });
        assert_eq!(read("externalId eq \"CL-1\"").ok(), equals("externalid", "CL-1"));
        assert_eq!(read("owner.value EQ \"a \\\"b\\\"\"").ok(), equals("owner.value", "a \"b\""));
        assert_eq!(
            read("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"x y\"").ok(),
            equals("username", "x y")
        );
        for wrong in ["", "userName", "userName co \"x\"", "userName eq x", "userName eq \"x\" and active eq true"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
