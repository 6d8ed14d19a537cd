//! Moments as the API and the journal write them: RFC 3339, UTC, always three digits of milliseconds.
//!
//! For `#[serde(with = "…")]`; `option` is the same for a moment that may be missing.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serializer};

/// The text of a moment.
#[must_use]
pub fn text(at: &DateTime<Utc>) -> String {
    with_text(at, str::to_owned)
}

/// Lends the text of a moment. Every entry, record and answer has several, so that its digits are written straight away.
fn with_text<T>(at: &DateTime<Utc>, with: impl FnOnce(&str) -> T) -> T {
    let (date, time) = (at.date_naive(), at.time());
    let (year, millis) = (u32::try_from(date.year()).unwrap_or(u32::MAX), time.nanosecond() / 1_000_000);
    if year > 9_999 || millis > 999 {
        // Not our era, or a leap second.
        return with(&at.to_rfc3339_opts(SecondsFormat::Millis, true));
    }
    let tens = |number: u32| [digit(number / 10), digit(number)];
    let ([century, y], [mo, d], [h, mi, s]) = (
        [year / 100, year].map(tens),
        [date.month(), date.day()].map(tens),
        [time.hour(), time.minute(), time.second()].map(tens),
    );
    #[rustfmt::skip]
    let text = [
        century[0], century[1], y[0], y[1], b'-', mo[0], mo[1], b'-', d[0], d[1],
        b'T', h[0], h[1], b':', mi[0], mi[1], b':', s[0], s[1],
        b'.', digit(millis / 100), digit(millis / 10), digit(millis), b'Z',
    ];
    with(std::str::from_utf8(&text).unwrap_or_default())
}

/// The last digit of a number.
const fn digit(number: u32) -> u8 {
    b'0' + (number % 10) as u8
}

/// Writes a moment.
///
/// # Errors
/// The serializer's own.
pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    with_text(at, |text| serializer.serialize_str(text))
}

/// Reads a moment.
///
/// # Errors
/// The text is no RFC 3339 moment.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    DateTime::<Utc>::deserialize(deserializer)
}

/// A moment that may be missing.
pub mod option {
    use super::{DateTime, Deserialize, Deserializer, Serializer, Utc};

    /// Writes a moment, or null.
    ///
    /// # Errors
    /// The serializer's own.
    #[allow(clippy::ref_option, reason = "the signature that serde asks for")]
    pub fn serialize<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a moment, or null.
    ///
    /// # Errors
    /// The text is no RFC 3339 moment.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::<DateTime<Utc>>::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn writes_what_the_library_writes(seconds in -70_000_000_000_i64..300_000_000_000, nanos in 0_u32..2_000_000_000) {
            if let Some(at) = DateTime::from_timestamp(seconds, nanos) {
                prop_assert_eq!(text(&at), at.to_rfc3339_opts(SecondsFormat::Millis, true));
            }
        }
    }
}
