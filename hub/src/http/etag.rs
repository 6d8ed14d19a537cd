//! Versions as entity tags (RFC 9110, section 8.8.3), and what `If-Match` asks for.
//!
//! The hub makes strong tags of the form `"7"` only. A tag that it never made (weak, or not a number) is well-formed
//! and matches nothing; text that is no list of tags is refused.

use http::HeaderMap;
use http::header::IF_MATCH;

use super::problem::{Code, Problem};

/// What the caller expects of the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Nothing.
    Absent,
    /// `*`: any version of a client that exists.
    Any,
    /// One of these; empty where no tag was one of the hub's.
    Versions(Vec<u64>),
}

/// A version that no client has: they begin at 1.
const NEVER: u64 = 0;

impl IfMatch {
    /// Reads the header, all of its lines.
    ///
    /// # Errors
    /// It is not a list of entity tags: 400.
    pub fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut versions = Vec::new();
        let mut lines = headers.get_all(IF_MATCH).iter().peekable();
        if lines.peek().is_none() {
            return Ok(Self::Absent);
        }
        let mut tags = 0_usize;
        for line in lines {
            let line = line.to_str().map_err(|_| malformed())?.trim();
            if line == "*" && headers.get_all(IF_MATCH).iter().count() == 1 {
                return Ok(Self::Any);
            }
            tags += read_list(line, &mut versions)?;
        }
        if tags == 0 { Err(malformed()) } else { Ok(Self::Versions(versions)) }
    }

    /// The one version that the command is to expect, where the newest known one is `current`.
    #[must_use]
    pub fn expected(&self, current: Option<u64>) -> Option<u64> {
        match self {
            Self::Absent | Self::Any => None,
            Self::Versions(versions) => current
                .filter(|version| versions.contains(version))
                .or_else(|| versions.first().copied())
                .or(Some(NEVER)),
        }
    }
}

/// Reads `"1", W/"2", "x"`; gives the number of tags.
fn read_list(line: &str, versions: &mut Vec<u64>) -> Result<usize, Problem> {
    let mut rest = line;
    let mut tags = 0;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Ok(tags);
        }
        let weak = rest.starts_with("W/");
        let opaque = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"').ok_or_else(malformed)?;
        let (tag, after) = opaque.split_once('"').ok_or_else(malformed)?;
        let after = after.trim_start_matches([' ', '\t']);
        if !(after.is_empty() || after.starts_with(',')) || tag.contains([' ', '\t']) {
            return Err(malformed());
        }
        // `"07"` is another tag than `"7"`: tags compare byte by byte.
        versions.extend(tag.parse::<u64>().ok().filter(|version| !weak && version.to_string() == tag));
        tags += 1;
        rest = after;
    }
}

fn malformed() -> Problem {
    Problem::new(Code::MalformedQuery, "If-Match has to be *, or a list of entity tags such as \"7\"")
        .with("parameter", "If-Match")
}

/// The tag of a version.
#[must_use]
pub fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parse(lines: &[&str]) -> Result<IfMatch, Code> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, HeaderValue::from_str(line).unwrap());
        }
        IfMatch::parse(&headers).map_err(|problem| problem.code())
    }

    #[test]
    fn reads_one_tag_a_list_and_the_star() {
        assert_eq!(parse(&[]), Ok(IfMatch::Absent));
        assert_eq!(parse(&["*"]), Ok(IfMatch::Any));
        assert_eq!(parse(&["\"7\""]), Ok(IfMatch::Versions(vec![7])));
        assert_eq!(parse(&["\"7\" , \"8\"", "\"9\""]), Ok(IfMatch::Versions(vec![7, 8, 9])));
    }

    #[test]
    fn tags_that_the_hub_never_made_match_nothing() {
        for line in ["W/\"7\"", "\"abc\"", "\"07\"", "\"\"", "\"99999999999999999999\""] {
            let read = parse(&[line]).unwrap();
            assert_eq!(read, IfMatch::Versions(vec![]), "{line}");
            assert_eq!(read.expected(Some(7)), Some(NEVER));
        }
    }

    #[test]
    fn refuses_what_is_no_list_of_tags() {
        for line in ["7", "\"7", "\"7\"x", "", ",", "*, \"7\"", "w/\"7\"", "\"7\" \"8\""] {
            assert_eq!(parse(&[line]), Err(Code::MalformedQuery), "{line}");
        }
    }

    #[test]
    fn expects_the_current_version_where_it_is_in_the_list() {
        let list = IfMatch::Versions(vec![3, 7]);
        assert_eq!(list.expected(Some(7)), Some(7));
        assert_eq!(list.expected(Some(8)), Some(3));
        assert_eq!(IfMatch::Any.expected(Some(8)), None);
    }
}
