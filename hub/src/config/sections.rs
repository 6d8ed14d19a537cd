//! The sections that belong to no module of their own, validated as they are read.
//!
//! No section has a default in code: `default.toml` says them all.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

pub use crate::http::{ConnectionLimits, Proxies, Rate, TlsConfig};

/// Pauses in a retry schedule.
const MOST_PAUSES: usize = 64;
/// The longest pause: a delivery that waits longer is better parked.
const LONGEST_PAUSE: Duration = Duration::from_secs(7 * 24 * 3600);

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where the hub listens.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The certificate; without one the hub speaks plain HTTP.
    pub tls: Option<TlsConfig>,
    /// The networks whose `X-Forwarded-For` is believed.
    pub proxies: Proxies,
}

fn address<'de, D: Deserializer<'de>>(input: D) -> Result<SocketAddr, D::Error> {
    let expected = "expected an IP address with a port, such as 127.0.0.1:8080 or [::1]:8080";
    String::deserialize(input)?.parse().map_err(|_| de::Error::custom(expected))
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// The folder below which all data lives.
    #[serde(deserialize_with = "folder")]
    pub path: PathBuf,
}

fn folder<'de, D: Deserializer<'de>>(input: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(input)?;
    if path.as_os_str().is_empty() { Err(de::Error::custom("expected the path of a folder")) } else { Ok(path) }
}

/// `[governance]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GovernanceConfig {
    /// Whether a client with money in an account can't be archived.
    pub open_accounts_block_archive: bool,
    /// How long an archived client is kept, in years.
    #[serde(deserialize_with = "years")]
    pub retention_years: u8,
    /// Whether it is put on the record who viewed which client.
    pub record_reads: bool,
}

fn years<'de, D: Deserializer<'de>>(input: D) -> Result<u8, D::Error> {
    let years = i64::deserialize(input)?;
    let known = u8::try_from(years).ok().filter(|years| (1..=100).contains(years));
    known.ok_or_else(|| de::Error::custom(format!("expected 1 to 100 years, found {years}")))
}

/// `[sync]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncConfig {
    /// The pauses between attempts; after the last a delivery is parked. Never empty.
    #[serde(deserialize_with = "schedule")]
    pub retry: Vec<Duration>,
    /// How often the KYC system is asked about a case or a document that it has not decided.
    #[serde(deserialize_with = "pause")]
    pub ask_again: Duration,
    /// When a link to an adapter stops trying for a while.
    pub breaker: BreakerConfig,
}

/// `sync.breaker`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerConfig {
    /// So many failures …
    pub failures: NonZeroU32,
    /// … in so many seconds …
    #[serde(deserialize_with = "seconds")]
    pub window_s: NonZeroU64,
    /// … hold the link for so many seconds.
    #[serde(deserialize_with = "seconds")]
    pub open_s: NonZeroU64,
}

fn seconds<'de, D: Deserializer<'de>>(input: D) -> Result<NonZeroU64, D::Error> {
    let seconds = NonZeroU64::deserialize(input)?;
    let expected = || de::Error::custom(format!("expected at most 7 days ({} seconds)", LONGEST_PAUSE.as_secs()));
    Some(seconds).filter(|seconds| seconds.get() <= LONGEST_PAUSE.as_secs()).ok_or_else(expected)
}

fn schedule<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Duration>, D::Error> {
    let pauses: Vec<Pause> = Vec::deserialize(input)?;
    if pauses.is_empty() || pauses.len() > MOST_PAUSES {
        let found = pauses.len();
        return Err(de::Error::custom(format!("expected 1 to {MOST_PAUSES} pauses, found {found}")));
    }
    Ok(pauses.into_iter().map(|pause| pause.0).collect())
}

fn pause<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    Pause::deserialize(input).map(|pause| pause.0)
}

/// A duration as `1s`, `2m`, `6h`, `250ms` or `1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Pause(Duration);

impl TryFrom<String> for Pause {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let pause = duration(&text).filter(|pause| !pause.is_zero() && *pause <= LONGEST_PAUSE);
        pause.map(Self).ok_or_else(|| "expected a duration of at most 7 days, such as 30s, 2m or 6h".to_owned())
    }
}

/// A whole number with one of the units `ms`, `s`, `m`, `h` and `d`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).map(Duration::from_millis)
}

/// `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// For each member.
    pub member: Rate,
    /// For each address.
    pub address: Rate,
    /// Connections at one time.
    pub connections: ConnectionLimits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(duration("6h"), Some(Duration::from_secs(21_600)));
        for text in ["", "s", "5", "1.5s", "-1s", "1 s", "1w", "٣s", "99999999999999999999s", "18446744073709551615d"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
