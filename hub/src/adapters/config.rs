//! The configuration of one adapter, `[adapters.<name>]`, as an operator writes it.
//!
//! Everything that can be wrong without looking at a file or the network is refused here, by the text itself:
//! an unknown key, a number out of range, a digest that is none. What needs the component, a secret or an address is
//! checked when the adapter loads, and takes down that adapter alone.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::config_endpoint::EndpointConfig;
use super::registry::RegistryConfig;
use super::source::ComponentSource;

/// `[adapters.<name>]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterConfig {
    /// The component: a file, or `oci://registry/repository:tag`.
    pub component: ComponentSource,
    /// How the component's registry is reached, where it is in one.
    #[serde(default)]
    pub registry: Option<RegistryConfig>,
    /// The only digest that is loaded, `sha256:…`; any where it is left out.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// Public keys in PEM: where there are any, only a component that one of them has signed is loaded.
    #[serde(default, deserialize_with = "some_keys")]
    pub trusted_keys: Vec<PathBuf>,
    /// How much memory one call may use, in MiB, summed over all memories of the component. 1..=4096, default 64.
    #[serde(default)]
    pub memory_mib: MemoryMib,
    /// How long one call may take, in milliseconds of the wall clock, with its HTTP requests. 10..=600000, default 5000.
    #[serde(default)]
    pub deadline_ms: DeadlineMs,
    /// How many calls may run at the same time. 1..=256, default 16.
    #[serde(default)]
    pub concurrency: Concurrency,
    /// What `settings.get` answers.
    #[serde(default)]
    pub settings: BTreeMap<String, toml::Value>,
    /// Whether the adapter may keep a few KiB between calls. Default false.
    #[serde(default)]
    pub store: bool,
    /// Whether a change of the component's file is taken over by itself. Default true.
    #[serde(default = "yes")]
    pub watch: bool,
    /// When a component that has just taken over is given up.
    #[serde(default, deserialize_with = "possible_probation")]
    pub probation: Probation,
    /// What the adapter may call, by name.
    #[serde(default)]
    pub endpoints: BTreeMap<String, EndpointConfig>,
}

impl AdapterConfig {
    /// The time that one call has.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.deadline_ms.get()))
    }

    /// The memory that one call has, in bytes.
    pub fn memory_bytes(&self) -> usize {
        usize::try_from(self.memory_mib.get()).unwrap_or(usize::MAX).saturating_mul(1024 * 1024)
    }

    /// The settings as a component reads them: text as it is, anything else as JSON.
    pub fn settings_as_text(&self) -> BTreeMap<String, String> {
        let text = |value: &toml::Value| match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Datetime(moment) => moment.to_string(),
            other => serde_json::to_string(other).unwrap_or_default(),
        };
        self.settings.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }
}

const fn yes() -> bool {
    true
}

/// When a component that has taken over from another one is given up, and the one before comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probation {
    /// The first calls, which count. 0..=10000, default 10; with 0 there is no probation.
    #[serde(default)]
    pub calls: Bounded<0, 10_000, 10>,
    /// Faults of the component's own among them. 1..=1000, default 3.
    #[serde(default)]
    pub faults: Bounded<1, 1_000, 3>,
}

/// More faults than calls would never be counted.
fn possible_probation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Probation, D::Error> {
    let probation = Probation::deserialize(deserializer)?;
    let (calls, faults) = (probation.calls.get(), probation.faults.get());
    if calls > 0 && faults > calls {
        return Err(D::Error::custom(format!("expected at most as many `faults` as `calls`, got {faults} of {calls}")));
    }
    Ok(probation)
}

/// An empty list would trust everybody, which nobody means who writes one.
fn some_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    let keys = Vec::<PathBuf>::deserialize(deserializer)?;
    let none = || D::Error::custom("expected the file of at least one key; without the line any component is loaded");
    if keys.is_empty() { Err(none()) } else { Ok(keys) }
}

/// A whole number within bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "i64", into = "u32")]
pub struct Bounded<const MIN: u32, const MAX: u32, const DEFAULT: u32>(u32);

/// MiB of memory for one call.
pub type MemoryMib = Bounded<1, 4096, 64>;
/// Milliseconds for one call.
pub type DeadlineMs = Bounded<10, 600_000, 5_000>;
/// Calls at the same time.
pub type Concurrency = Bounded<1, 256, 16>;
/// Milliseconds for one HTTP request.
pub type TimeoutMs = Bounded<1, 600_000, 3_000>;

/// A number out of its bounds.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected a whole number from {min} to {max}, got {got}")]
pub struct OutOfBounds {
    min: u32,
    max: u32,
    got: i64,
}

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> Bounded<MIN, MAX, DEFAULT> {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> Default for Bounded<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> TryFrom<i64> for Bounded<MIN, MAX, DEFAULT> {
    type Error = OutOfBounds;

    fn try_from(got: i64) -> Result<Self, Self::Error> {
        u32::try_from(got).ok().filter(|number| (MIN..=MAX).contains(number)).map(Self).ok_or(OutOfBounds {
            min: MIN,
            max: MAX,
            got,
        })
    }
}

impl<const MIN: u32, const MAX: u32, const DEFAULT: u32> From<Bounded<MIN, MAX, DEFAULT>> for u32 {
    fn from(number: Bounded<MIN, MAX, DEFAULT>) -> Self {
        number.0
    }
}

/// The digest of a component: `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Text that is not a digest.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected `sha256:` and 64 hexadecimal digits, got `{0}`")]
pub struct NotADigest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Its first 16 digits, where another one is not to be expected.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(self.0).chars().take(16).collect()
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut digest = [0; 32];
        match text.strip_prefix("sha256:") {
            Some(digits) if hex::decode_to_slice(digits, &mut digest).is_ok() => Ok(Self(digest)),
            _ => Err(NotADigest(text)),
        }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<AdapterConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let config = parse("component = 'crm.wasm'").unwrap();
        assert_eq!(config.memory_bytes(), 64 << 20);
        assert_eq!(config.deadline(), Duration::from_secs(5));
        assert_eq!(config.concurrency.get(), 16);
        assert!(!config.store && config.endpoints.is_empty() && config.digest.is_none());
        assert!(config.watch);
        assert_eq!((config.probation.calls.get(), config.probation.faults.get()), (10, 3));
    }

    #[test]
    fn mistakes_are_refused_with_what_was_expected() {
        for (text, expected) in [
            ("component = 'a'\nmemory = 1", "unknown field `memory`"),
            ("component = 'a'\nmemory_mib = 0", "from 1 to 4096, got 0"),
            ("component = 'a'\ndeadline_ms = -1", "from 10 to 600000, got -1"),
            ("component = 'a'\nprobation = { faults = 0 }", "from 1 to 1000, got 0"),
            ("component = 'a'\nprobation = { calls = 2 }", "at most as many `faults` as `calls`, got 3 of 2"),
            ("component = 'a'\ndigest = 'md5:1'", "expected `sha256:`"),
            ("memory_mib = 1", "missing field `component`"),
            ("component = 'a'\ntrusted_keys = []", "at least one key"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn settings_reach_the_component_as_text() {
        let config = parse(
            "component = 'a'\nsettings = { pipeline = 'onboarding', threshold = 0.7, lists = ['a'], since = 2020-01-01 }",
        )
        .unwrap();
        let text = config.settings_as_text();
        assert_eq!(text["pipeline"], "onboarding");
        assert_eq!(text["threshold"], "0.7");
        assert_eq!(text["lists"], r#"["a"]"#);
        assert_eq!(text["since"], "2020-01-01");
    }

    #[test]
    fn a_digest_reads_what_it_writes() {
        let digest = Digest::of(b"component");
        assert_eq!(Digest::try_from(digest.to_string()), Ok(digest));
    }
}
