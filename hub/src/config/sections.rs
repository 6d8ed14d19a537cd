//! The sections that belong to no module of their own, validated as they are read.
//!
//! No section has a default in code: `default.toml` says them all.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// Pauses in a retry schedule.
const MOST_PAUSES: usize = 64;
/// The longest pause: a delivery that waits longer is better parked.
const LONGEST_PAUSE: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is wrong with a section as a whole: the key below it, and why.
pub type Finding = (&'static str, String);

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where the hub listens.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The certificate; without one the hub speaks plain HTTP.
    pub tls: Option<TlsConfig>,
}

/// `http.tls`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
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
    pub path: PathBuf,
}

/// `[journal]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalConfig {
    /// Where the entries are kept.
    pub kind: JournalKind,
    /// Of the NATS servers, for jetstream.
    pub url: Option<String>,
    /// The stream's name, for jetstream.
    pub stream: Option<String>,
    /// Copies of each entry, for jetstream.
    pub replicas: Option<NonZeroU32>,
}

/// `journal.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalKind {
    /// Segment files below `store.path`.
    File,
    /// A replicated stream.
    Jetstream,
}

impl JournalConfig {
    /// What fits together.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        if self.kind == JournalKind::Jetstream {
            return vec![("kind", "`jetstream` is not available yet; use `file`".to_owned())];
        }
        let given =
            [("url", self.url.is_some()), ("stream", self.stream.is_some()), ("replicas", self.replicas.is_some())];
        let meant = |(key, _): (&'static str, bool)| (key, "only a journal of kind `jetstream` has it".to_owned());
        given.into_iter().filter(|(_, given)| *given).map(meant).collect()
    }
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
    pub window_s: NonZeroU64,
    /// … hold the link for so many seconds.
    pub open_s: NonZeroU64,
}

fn schedule<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Duration>, D::Error> {
    let pauses: Vec<Pause> = Vec::deserialize(input)?;
    if pauses.is_empty() || pauses.len() > MOST_PAUSES {
        let found = pauses.len();
        return Err(de::Error::custom(format!("expected 1 to {MOST_PAUSES} pauses, found {found}")));
    }
    Ok(pauses.into_iter().map(|pause| pause.0).collect())
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
}

/// How many requests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// On average.
    pub per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

/// `[nats]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsConfig {
    /// The server.
    #[serde(deserialize_with = "server")]
    pub url: String,
    /// The first part of every subject.
    pub subject: String,
    /// The JetStream stream.
    pub stream: String,
}

fn server<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let url = String::deserialize(input)?;
    let rest = ["nats://", "tls://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    if rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)) {
        return Ok(url);
    }
    Err(de::Error::custom("expected a server such as nats://127.0.0.1:4222 or tls://nats.example:4222"))
}

impl NatsConfig {
    /// What NATS accepts as names.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let token = |token: &str| !token.is_empty() && !token.contains(|c: char| c.is_whitespace() || "*>".contains(c));
        let mut findings = Vec::new();
        if !self.subject.split('.').all(token) {
            findings.push(("subject", "expected words joined by dots, without * and >".to_owned()));
        }
        if !token(&self.stream) || self.stream.contains(['.', '/', '\\']) {
            findings.push(("stream", "expected a name without dots, slashes, blanks, * and >".to_owned()));
        }
        findings
    }
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
