//! Media types: what a body is (415) and what an answer may be (406). RFC 9110, sections 8.3 and 12.5.1.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};

use super::problem::{Code, Problem};

/// The type of nearly every body and answer.
pub const JSON: &str = "application/json";

/// Whether one of the types in `Accept` is `offered`; no `Accept` takes anything. A route that offers nothing by name
/// has one representation of each file and does not negotiate.
///
/// # Errors
/// None of them is: 406.
pub fn acceptable(headers: &HeaderMap, offered: &[&str]) -> Result<(), Problem> {
    let mut lines = headers.get_all(ACCEPT).iter().peekable();
    if lines.peek().is_none() || offered.is_empty() {
        return Ok(());
    }
    let accepted: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    if accepted.iter().all(|line| line.trim().is_empty()) || offered.iter().any(|media| is_wanted(&accepted, media)) {
        return Ok(());
    }
    let detail = format!("Accept leaves out what this route answers with: {}", offered.join(", "));
    Err(Problem::new(Code::NotAcceptable, detail))
}

/// Whether `Accept` names the type itself, not by a wildcard.
#[must_use]
pub fn names(headers: &HeaderMap, media: &str) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|range| essence(range).eq_ignore_ascii_case(media))
}

/// Whether the most specific range that holds `media` has a quality above zero.
fn is_wanted(accepted: &[&str], media: &str) -> bool {
    let ranges = accepted.iter().flat_map(|line| line.split(','));
    let matching = ranges.filter_map(|range| specificity(essence(range), media).map(|rank| (rank, has_quality(range))));
    matching.max().is_some_and(|(_, wanted)| wanted)
}

fn specificity(range: &str, media: &str) -> Option<u8> {
    let family = media.split('/').next().unwrap_or_default();
    if range.eq_ignore_ascii_case(media) {
        Some(2)
    } else if range.strip_suffix("/*").is_some_and(|wild| wild.eq_ignore_ascii_case(family)) {
        Some(1)
    } else {
        (range == "*/*").then_some(0)
    }
}

fn has_quality(range: &str) -> bool {
    let mut parameters = range.split(';').skip(1).map(str::trim);
    let given = parameters.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
    given.is_none_or(|text| text.trim().parse::<f32>().is_ok_and(|quality| quality > 0.0))
}

/// The type without its parameters.
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Whether the body is of the type `expected`.
///
/// # Errors
/// It is of another, of none, in another charset than UTF-8, or compressed: 415.
pub fn expect(headers: &HeaderMap, expected: &str) -> Result<(), Problem> {
    let unsupported = |detail: String| Err(Problem::new(Code::UnsupportedMediaType, detail));
    let Some(sent) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return unsupported(format!("Content-Type has to be {expected}"));
    };
    let charset = sent.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"'))
    });
    if !essence(sent).eq_ignore_ascii_case(expected) || headers.get_all(CONTENT_TYPE).iter().count() > 1 {
        return unsupported(format!("Content-Type has to be {expected}"));
    }
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return unsupported("charset has to be utf-8".to_owned());
    }
    match headers.get(CONTENT_ENCODING).map(http::HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(()),
        Some(_) => unsupported("the body may not be compressed: no Content-Encoding is taken".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(name: http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn accepts_by_name_family_and_wildcard() {
        let good = [
            "application/json",
            "APPLICATION/JSON",
            "application/*",
            "*/*",
            "text/html, */*;q=0.1",
            "",
            "application/json;charset=utf-8",
            "*/*;q=0, application/json",
        ];
        for accept in good {
            assert!(acceptable(&with(ACCEPT, accept), &[JSON]).is_ok(), "{accept}");
        }
        assert!(acceptable(&HeaderMap::new(), &[JSON]).is_ok());
        assert!(acceptable(&with(ACCEPT, "text/css"), &[]).is_ok());
    }

    #[test]
    fn refuses_what_leaves_it_out() {
        for accept in
            ["text/html", "application/xml", "application/json;q=0", "application/json;q=0, */*", "text/*", "json"]
        {
            let refused = acceptable(&with(ACCEPT, accept), &[JSON]).unwrap_err();
            assert_eq!(refused.code(), Code::NotAcceptable, "{accept}");
        }
    }

    #[test]
    fn a_body_has_the_type_that_the_route_takes() {
        for value in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
            assert!(expect(&with(CONTENT_TYPE, value), JSON).is_ok(), "{value}");
        }
        for value in
            ["text/plain", "application/jsonx", "application/json; charset=latin1", "", "application/merge-patch+json"]
        {
            assert!(expect(&with(CONTENT_TYPE, value), JSON).is_err(), "{value}");
        }
        assert!(expect(&HeaderMap::new(), JSON).is_err());
        let mut zipped = with(CONTENT_TYPE, JSON);
        zipped.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(expect(&zipped, JSON).is_err());
    }
}
