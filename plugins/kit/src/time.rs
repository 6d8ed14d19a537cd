//! Times as HTTP and the contract write them. There is no clock here: "now" is what an answer's `Date` says.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

/// An HTTP date (RFC 9110, section 5.6.7), for example `Sun, 06 Nov 1994 08:49:37 GMT`. The two obsolete forms are not read.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|date| date.to_utc())
}

/// How long `Retry-After` (RFC 9110, section 10.2.3) asks to wait, in milliseconds; `now` is needed where it names a moment.
#[must_use]
pub fn retry_after_ms(value: &str, now: Option<DateTime<Utc>>) -> Option<u64> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        return Some(value.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    let wait = parse_http_date(value)?.signed_duration_since(now?);
    Some(u64::try_from(wait.num_milliseconds()).unwrap_or(0))
}

/// RFC 3339 in UTC with milliseconds, as the contract wants it.
#[must_use]
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The UTC date of an RFC 3339 time, shifted by an offset in minutes from UTC.
#[must_use]
pub fn date_of(rfc3339: &str, offset_minutes: i64) -> Option<NaiveDate> {
    let time = DateTime::parse_from_rfc3339(rfc3339).ok()?.to_utc();
    let shift = chrono::TimeDelta::try_minutes(offset_minutes)?;
    Some(time.checked_add_signed(shift)?.date_naive())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = parse_http_date(DATE);
        assert_eq!(retry_after_ms("120", None), Some(120_000));
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:50:07 GMT", now), Some(30_000));
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(0));
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
        assert_eq!(retry_after_ms("99999999999999999999999", None), Some(u64::MAX));
    }

    #[test]
    fn a_malformed_retry_after_says_nothing() {
        for value in ["", "-1", "soon", "1.5", "12 s"] {
            assert_eq!(retry_after_ms(value, parse_http_date(DATE)), None);
        }
    }

    #[test]
    fn times_are_written_with_milliseconds() {
        assert_eq!(rfc3339(parse_http_date(DATE).unwrap()), "1994-11-06T08:49:37.000Z");
    }

    #[test]
    fn a_date_depends_on_the_offset() {
        let day = |offset| date_of("2026-03-01T01:30:00.000Z", offset).unwrap().to_string();
        assert_eq!((day(0), day(-300)), ("2026-03-01".to_owned(), "2026-02-28".to_owned()));
        assert_eq!(date_of("yesterday", 0), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".*", offset in any::<i64>()) {
            let _ = (parse_http_date(&text), retry_after_ms(&text, parse_http_date(DATE)), date_of(&text, offset));
            let _ = date_of("9999-12-31T23:59:59Z", offset);
        }
    }
}
