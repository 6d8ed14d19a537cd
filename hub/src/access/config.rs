//! The sections `[auth]` and `[policies]` of the configuration.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use super::tokens::is_org;

/// Who signs the tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// The hub's own key pair.
    #[default]
    Local,
    /// An OpenID Connect issuer that publishes its keys.
    Oidc,
}

/// `[auth]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// Who signs the tokens.
    pub mode: AuthMode,
    /// The organisation whose members may hold `OP001`.
    pub operator_org: OrgId,
    /// The key pair of mode `local`; left out, `hub.key` in the data folder.
    pub key: Option<PathBuf>,
    /// The issuer of mode `oidc`, exactly as in `iss`.
    pub issuer: Option<String>,
    /// The audience of mode `oidc`, as in `aud`.
    pub audience: Option<String>,
    /// Where the issuer of mode `oidc` publishes its keys.
    pub jwks_url: Option<JwksUrl>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            mode: AuthMode::Local,
            operator_org: OrgId("operators".to_owned()),
            key: None,
            issuer: None,
            audience: None,
            jwks_url: None,
        }
    }
}

/// What mode `oidc` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// As in `iss`.
    pub issuer: String,
    /// As in `aud`.
    pub audience: String,
    /// Where the keys are.
    pub jwks_url: JwksUrl,
}

impl AuthConfig {
    /// What mode `oidc` needs; `None` in mode `local`.
    ///
    /// # Errors
    /// Names the key that is missing in mode `oidc`, or that mode `local` would ignore.
    pub fn oidc(&self) -> Result<Option<Oidc>, AuthConfigError> {
        let present = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let (issuer, audience) = (present(&self.issuer), present(&self.audience));
        match self.mode {
            AuthMode::Oidc => Ok(Some(Oidc {
                issuer: issuer.ok_or(AuthConfigError::Missing("auth.issuer"))?,
                audience: audience.ok_or(AuthConfigError::Missing("auth.audience"))?,
                jwks_url: self.jwks_url.clone().ok_or(AuthConfigError::Missing("auth.jwks_url"))?,
            })),
            AuthMode::Local if self.issuer.is_some() => Err(AuthConfigError::Ignored("auth.issuer")),
            AuthMode::Local if self.audience.is_some() => Err(AuthConfigError::Ignored("auth.audience")),
            AuthMode::Local if self.jwks_url.is_some() => Err(AuthConfigError::Ignored("auth.jwks_url")),
            AuthMode::Local => Ok(None),
        }
    }
}

/// `[auth]` does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthConfigError {
    /// A key is missing.
    #[error("{0} is missing: auth.mode = \"oidc\" needs issuer, audience and jwks_url")]
    Missing(&'static str),
    /// A key has no effect.
    #[error("{0} has no effect with auth.mode = \"local\"; leave it out, or set auth.mode = \"oidc\"")]
    Ignored(&'static str),
}

/// An organisation's id: `[A-Za-z0-9_-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgId(String);

impl OrgId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for OrgId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        if is_org(&id) {
            return Ok(Self(id));
        }
        Err(de::Error::custom("expected an organisation's id: 1 to 64 letters, digits, `_` or `-`"))
    }
}

/// Where keys are published: `https`, or `http` on loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwksUrl(reqwest::Url);

impl JwksUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// It is none, or another scheme or place than allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = reqwest::Url::parse(text).map_err(|error| format!("expected a URL: {error}"))?;
        let loopback = is_loopback(&url);
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if loopback => Ok(Self(url)),
            "http" => Err("expected https; http is allowed on loopback only".to_owned()),
            other => Err(format!("expected https, found {other}")),
        }
    }

    /// The URL.
    pub(super) const fn url(&self) -> &reqwest::Url {
        &self.0
    }

    /// Whether it leads to this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for JwksUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl<'de> Deserialize<'de> for JwksUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// `[policies]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoliciesConfig {
    /// The folder.
    pub path: PathBuf,
    /// Whether changes on disk come into force while the hub runs.
    pub watch: bool,
    /// What is written of decisions.
    pub decisions: DecisionsConfig,
}

impl Default for PoliciesConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("policies"), watch: true, decisions: DecisionsConfig::default() }
    }
}

/// `policies.decisions`: the decision log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecisionsConfig {
    /// How many of the allows are written; denials always are.
    pub allows: Share,
    /// How many MiB all its files take at most; the oldest go first.
    pub keep_mib: NonZeroU32,
}

impl Default for DecisionsConfig {
    fn default() -> Self {
        Self { allows: Share(Share::WHOLE), keep_mib: NonZeroU32::MIN.saturating_add(255) }
    }
}

/// A part of a whole, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    const WHOLE: u32 = 1_000_000;

    /// The share, 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.0) / f64::from(Self::WHOLE)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        if !(0.0..=1.0).contains(&share) {
            return Err(de::Error::custom("expected a share from 0.0 to 1.0"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
        let millionths = (share * f64::from(Self::WHOLE)).round() as u32;
        Ok(Self(millionths))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_checked() {
        assert_eq!(toml::from_str::<AuthConfig>("").unwrap(), AuthConfig::default());
        assert_eq!(AuthConfig::default().oidc(), Ok(None));
        assert!(toml::from_str::<AuthConfig>("operator_org = \"a b\"").is_err());
        assert!(toml::from_str::<AuthConfig>("isuer = \"x\"").is_err());
        let ignored: AuthConfig = toml::from_str("issuer = \"x\"").unwrap();
        assert_eq!(ignored.oidc(), Err(AuthConfigError::Ignored("auth.issuer")));
        let missing: AuthConfig = toml::from_str("mode = \"oidc\"\nissuer = \"x\"\naudience = \" \"").unwrap();
        assert_eq!(missing.oidc(), Err(AuthConfigError::Missing("auth.audience")));
    }

    #[test]
    fn keys_are_fetched_over_https_or_on_loopback() {
        for good in ["https://id.example/jwks", "http://127.0.0.1:9/k", "http://[::1]/k", "http://localhost:1/k"] {
            assert!(JwksUrl::parse(good).is_ok(), "{good}");
        }
        for bad in ["http://id.example/jwks", "ftp://x/y", "nothing", "http://127.0.0.1.example/", "file:///etc/k"] {
            assert!(JwksUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
