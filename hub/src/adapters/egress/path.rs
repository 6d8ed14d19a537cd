//! The check of a request's path and query, so that a URL made of them stays below the endpoint's base URL.
//!
//! Two fences: the text is refused where a server could read it as something else than it says (dot segments in every
//! spelling, encoded slashes, what some servers decode twice or thrice, overlong UTF-8, path parameters that hide
//! dots), and the URL that comes
//! out is compared with base and path, character by character.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;

/// The longest path, in bytes.
const MAX_PATH_BYTES: usize = 8 * 1024;
/// The most query parameters.
const MAX_QUERY_PAIRS: usize = 128;
/// The longest query before it is encoded, in bytes.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// How often a careless chain of servers may decode a path.
const MOST_DECODINGS: u32 = 3;

/// RFC 3986, section 2.3: everything but the unreserved characters is encoded in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The URL of a request: the base, the path below it and the query encoded.
///
/// # Errors
/// What is wrong with which part, as the adapter reads it.
pub fn join(base: &Url, path: &str, query: &[(&str, &str)]) -> Result<Url, String> {
    check_path(path)?;
    check_query(query)?;
    let below = format!("{}{path}", base.path().trim_end_matches('/'));
    let mut url = base.clone();
    url.set_path(&below);
    let expected = if below.is_empty() { "/" } else { &below };
    if url.path() != expected {
        return Err("path: it would not reach the endpoint as it is written".to_owned());
    }
    if !query.is_empty() {
        url.set_query(Some(&encode(query)));
    }
    Ok(url)
}

fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Ok(());
    }
    if path.len() > MAX_PATH_BYTES {
        return Err(format!("path: longer than {MAX_PATH_BYTES} bytes"));
    }
    if !path.starts_with('/') || path.starts_with("//") {
        return Err("path: it must begin with one `/`; an absolute form is refused".to_owned());
    }
    if let Some(byte) = path.bytes().find(|byte| !allowed(*byte)) {
        return Err(format!("path: the character {:?} is refused; percent-encode it", char::from(byte)));
    }
    check_escapes(path)?;
    path.split('/').try_for_each(check_segment)
}

/// `pchar` and `/` of RFC 3986, section 3.3.
fn allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte)
}

fn check_escapes(path: &str) -> Result<(), String> {
    for (at, _) in path.match_indices('%') {
        let digits = path.get(at + 1..at + 3).unwrap_or_default();
        let Ok(byte) = u8::from_str_radix(digits, 16) else {
            return Err("path: `%` without two hexadecimal digits".to_owned());
        };
        // 0xC0 and 0xC1 are in no valid UTF-8; a lax reader makes ASCII of them and what follows.
        if byte.is_ascii_control() || matches!(byte, b'/' | b'\\' | 0xC0 | 0xC1) {
            return Err(format!("path: the escape `%{digits}` is refused"));
        }
    }
    Ok(())
}

fn check_segment(segment: &str) -> Result<(), String> {
    let mut read = segment.to_owned();
    for decoded_before in 0..MOST_DECODINGS {
        read = percent_decode_str(&read).decode_utf8_lossy().into_owned();
        // Some servers cut path parameters off before they look for dots: `..;x`.
        let name = read.split(';').next().unwrap_or_default();
        if name == "." || name == ".." {
            return Err("path: the segments `.` and `..` are refused in every spelling".to_owned());
        }
        let separates = |char: char| char.is_control() || matches!(char, '/' | '\\');
        if decoded_before > 0 && read.contains(separates) {
            return Err("path: it has a separator or a control character for a reader who decodes twice".to_owned());
        }
    }
    Ok(())
}

fn check_query(query: &[(&str, &str)]) -> Result<(), String> {
    if query.len() > MAX_QUERY_PAIRS {
        return Err(format!("query: more than {MAX_QUERY_PAIRS} parameters"));
    }
    let bytes: usize = query.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_QUERY_BYTES {
        return Err(format!("query: longer than {MAX_QUERY_BYTES} bytes"));
    }
    if query.iter().any(|(name, _)| name.is_empty()) {
        return Err("query: a parameter has no name".to_owned());
    }
    Ok(())
}

fn encode(query: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| {
        format!("{}={}", utf8_percent_encode(name, QUERY), utf8_percent_encode(value, QUERY))
    };
    query.iter().map(pair).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn base() -> Url {
        Url::parse("https://crm.example/api/v1").unwrap()
    }

    #[test]
    fn ordinary_paths_and_queries_pass() {
        let url = |path: &str, query: &[(&str, &str)]| join(&base(), path, query).unwrap().to_string();
        assert_eq!(url("/clients/4711", &[]), "https://crm.example/api/v1/clients/4711");
        assert_eq!(url("", &[]), "https://crm.example/api/v1");
        assert_eq!(url("/100%25/50%2525", &[]), "https://crm.example/api/v1/100%25/50%2525");
        assert_eq!(url("/a%20b/c:d@e", &[]), "https://crm.example/api/v1/a%20b/c:d@e");
        assert_eq!(
            url("/x", &[("filter", "name eq \"a&b\""), ("q", "+/?#ü")]),
            "https://crm.example/api/v1/x?filter=name%20eq%20%22a%26b%22&q=%2B%2F%3F%23%C3%BC"
        );
        let root = Url::parse("https://crm.example/").unwrap();
        assert_eq!(join(&root, "/a", &[]).unwrap().as_str(), "https://crm.example/a");
    }

    #[test]
    fn what_could_leave_the_base_is_refused() {
        for path in [
            "/..",
            "/../x",
            "/a/../b",
            "/a/./b",
            "/%2e%2e/x",
            "/.%2E/x",
            "/..;x/y",
            "/%2e%2e;p=1/x",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a?b",
            "/a#b",
            "/a b",
            "/a\nb",
            "/a%0d%0aHost:%20x",
            "/a%00",
            "//evil.example/x",
            "x",
            "https://evil.example/",
            "/%252e%252e/x",
            "/a%252fb",
            "/%25%32%65%25%32%65/x",
            "/%25252e%25252e/x",
            "/a%25%32%66b",
            "/%c0%ae%c0%ae/x",
            "/..%3bx/y",
            "/a%",
            "/a%zz",
            "/ü",
            "/a%7f",
            "/a\u{0}",
        ] {
            assert!(join(&base(), path, &[]).is_err(), "{path:?} passed");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        assert!(join(&base(), &format!("/{}", "a".repeat(MAX_PATH_BYTES)), &[]).is_err());
        let long = "a".repeat(MAX_QUERY_BYTES);
        assert!(join(&base(), "/a", &[("q", &long)]).is_err());
        assert!(join(&base(), "/a", &vec![("q", "1"); MAX_QUERY_PAIRS + 1]).is_err());
        assert!(join(&base(), "/a", &[("", "1")]).is_err());
    }

    proptest! {
        #[test]
        fn an_accepted_url_keeps_host_and_base(path in "\\PC{0,40}|/[./%2eEfF5cC;a]{0,20}", value in "\\PC{0,20}") {
            if let Ok(url) = join(&base(), &path, &[("q", &value)]) {
                prop_assert_eq!(url.host_str(), Some("crm.example"));
                prop_assert_eq!(url.path(), format!("/api/v1{path}"));
                let read: Vec<_> = url.query_pairs().into_owned().collect();
                prop_assert_eq!(read, vec![("q".to_owned(), value)]);
            }
        }
    }
}
