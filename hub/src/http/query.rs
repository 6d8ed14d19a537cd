//! Query strings, read strictly: what is unknown, repeated or unreadable is named and refused, never ignored.

use percent_encoding::percent_decode_str;

use super::problem::{Code, Problem};

/// The parameters of a request, decoded, each at most once.
#[derive(Debug)]
pub struct Query<'a> {
    pairs: Vec<(&'a str, String)>,
}

impl<'a> Query<'a> {
    /// Reads `query`, of which only the parameters in `known` are taken.
    ///
    /// # Errors
    /// A parameter that is not known, comes twice, or is not percent-encoded UTF-8: 400.
    pub fn parse(query: Option<&str>, known: &[&'a str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(&'a str, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| malformed(name, "is not percent-encoded UTF-8"))?;
            let Some(name) = known.iter().copied().find(|candidate| *candidate == name) else {
                return Err(malformed(&name, &unknown(known)));
            };
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(malformed(name, "may be given once"));
            }
            pairs.push((name, decode(value).ok_or_else(|| malformed(name, "is not percent-encoded UTF-8"))?));
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(seen, _)| *seen == name).map(|(_, value)| value.as_str())
    }

    /// A number in `range`, or `default`.
    ///
    /// # Errors
    /// It is no number, or out of range: 400.
    pub fn number(&self, name: &str, range: std::ops::RangeInclusive<usize>, default: usize) -> Result<usize, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && range.contains(number)).ok_or_else(|| {
            malformed(name, &format!("has to be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// `true` or `false`, or false where it is left out.
    ///
    /// # Errors
    /// Any other text: 400.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(malformed(name, "has to be true or false")),
        }
    }
}

/// Whether the query has a parameter of this name; it may be malformed otherwise.
#[must_use]
pub fn has(query: Option<&str>, name: &str) -> bool {
    query.unwrap_or_default().split('&').any(|pair| {
        let key = pair.split_once('=').map_or(pair, |(key, _)| key);
        key == name || decode(key).is_some_and(|key| key == name)
    })
}

/// A parameter or header that can't be understood.
#[must_use]
pub fn malformed(name: &str, why: &str) -> Problem {
    let shown: String = name.chars().take(64).collect();
    let detail = format!("{shown} {why}");
    Problem::new(Code::MalformedQuery, detail).with("parameter", shown)
}

fn unknown(known: &[&str]) -> String {
    if known.is_empty() {
        "is not known here; there are no parameters".to_owned()
    } else {
        format!("is not known here; known are {}", known.join(", "))
    }
}

/// Percent-decoding of a form (`+` is a space). `None`: a broken escape, or not UTF-8.
fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let whole = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)));
    if !whole {
        return None;
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KNOWN: &[&str] = &["limit", "filter", "starred"];

    fn refused(query: &str) -> Code {
        Query::parse(Some(query), KNOWN).unwrap_err().code()
    }

    #[test]
    fn decodes_each_parameter() {
        let query = Query::parse(Some("filter=name+eq%20%22M%C3%BCller%22&limit=7&starred=true"), KNOWN).unwrap();
        assert_eq!(query.get("filter"), Some("name eq \"Müller\""));
        assert_eq!(query.number("limit", 1..=200, 50).unwrap(), 7);
        assert!(query.flag("starred").unwrap());
        assert_eq!(Query::parse(None, KNOWN).unwrap().number("limit", 1..=200, 50).unwrap(), 50);
    }

    #[test]
    fn refuses_what_is_unknown_repeated_or_unreadable() {
        for query in ["limt=1", "limit=1&limit=2", "filter=%zz", "filter=%4", "filter=%ff", "%6cimit=1&limit=1"] {
            assert_eq!(refused(query), Code::MalformedQuery, "{query}");
        }
    }

    #[test]
    fn refuses_numbers_out_of_range() {
        for limit in ["0", "201", "-1", "+5", "1.0", "", "99999999999999999999999"] {
            let query = format!("limit={}", limit.replace('+', "%2B"));
            let query = Query::parse(Some(&query), KNOWN).unwrap();
            assert!(query.number("limit", 1..=200, 50).is_err(), "{limit}");
        }
    }

    #[test]
    fn finds_a_parameter_by_name_alone() {
        assert!(has(Some("limit=1&filter=%zz"), "filter"));
        assert!(has(Some("f%69lter"), "filter"));
        assert!(!has(Some("filters=1"), "filter"));
        assert!(!has(None, "filter"));
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(value in ".{0,60}") {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).to_string();
            let text = format!("filter={encoded}");
            let query = Query::parse(Some(&text), KNOWN).unwrap();
            prop_assert_eq!(query.get("filter"), Some(value.as_str()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,100}") {
            let _ = Query::parse(Some(&text), KNOWN);
        }
    }
}
