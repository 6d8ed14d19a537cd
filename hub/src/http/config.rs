//! The sections `[http]` and `[limits]` of the configuration.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;

/// `[http]`: where the hub listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// HTTPS in place of HTTP.
    pub tls: Option<TlsConfig>,
}

/// The hub's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// A PEM file with the certificate and what leads to its root.
    pub cert: PathBuf,
    /// A PEM file with the private key.
    pub key: PathBuf,
}

/// `[limits]`: how many requests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// For each member of an organisation.
    pub member: Rate,
    /// For each client address (IPv6: each /64).
    pub address: Rate,
}

/// A steady rate, and how far it may be exceeded for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests a second, in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once, after a pause.
    pub burst: NonZeroU32,
}

impl Rate {
    const fn of(per_second: u32, burst: u32) -> Self {
        let one = NonZeroU32::MIN;
        Self {
            per_second: one.saturating_add(per_second.saturating_sub(1)),
            burst: one.saturating_add(burst.saturating_sub(1)),
        }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), tls: None }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { member: Rate::of(100, 200), address: Rate::of(300, 600) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_manual() {
        let read: LimitsConfig = toml::from_str("member = { per_second = 100, burst = 200 }").unwrap();
        assert_eq!(read, LimitsConfig::default());
        assert_eq!(toml::from_str::<HttpConfig>("").unwrap().listen.to_string(), "127.0.0.1:8080");
    }

    #[test]
    fn unknown_keys_and_a_rate_of_nothing_are_refused() {
        assert!(toml::from_str::<HttpConfig>("port = 1").is_err());
        assert!(toml::from_str::<LimitsConfig>("member = { per_second = 0, burst = 1 }").is_err());
        assert!(toml::from_str::<LimitsConfig>("member = { per_second = 1 }").is_err());
    }
}
