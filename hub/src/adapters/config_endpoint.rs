//! The configuration of one endpoint, `[adapters.<name>.endpoints.<endpoint>]`: a base URL, the credential that the
//! hub adds on the way out, and how far the connection may reach.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use thiserror::Error;

use super::config::TimeoutMs;
use super::secret::SecretRef;

/// `[adapters.<name>.endpoints.<endpoint>]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// What every path of a request is below.
    pub url: BaseUrl,
    /// The credential that the hub adds; none where it is left out.
    #[serde(default)]
    pub auth: Option<AuthConfig>,
    /// How long one request may take from its name look-up to the end of the answer. 1..=600000, default 3000.
    #[serde(default)]
    pub timeout_ms: TimeoutMs,
    /// Whether loopback and private addresses are allowed. Default false. Link-local and metadata addresses never are.
    #[serde(default)]
    pub private: bool,
    /// The only certificate authority that is trusted for this endpoint, PEM; the system's where it is left out.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The certificate that the hub shows to the endpoint.
    #[serde(default)]
    pub client_cert: Option<ClientCert>,
}

impl EndpointConfig {
    /// The time that one request has.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(u64::from(self.timeout_ms.get()))
    }

    /// Where the hub sends something for it: itself, and the server of its tokens.
    pub fn urls(&self) -> impl Iterator<Item = &BaseUrl> {
        let tokens = match &self.auth {
            Some(AuthConfig::OAuth2(grant)) => Some(&grant.token_url),
            _ => None,
        };
        [&self.url].into_iter().chain(tokens)
    }
}

/// A client certificate and its key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCert {
    /// The certificate with its chain, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: SecretRef,
}

/// A base URL: `http` or `https`, a host, and perhaps a path; no user, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(Url);

/// A URL that can't be a base.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected an absolute URL such as `https://crm.example/api/v1`: {0}")]
pub struct NotABaseUrl(&'static str);

impl BaseUrl {
    /// The URL, whose path does not end with a slash unless it is the root.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = NotABaseUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut url = Url::parse(&text).map_err(|_| NotABaseUrl("it can't be parsed"))?;
        let refusal = if !matches!(url.scheme(), "http" | "https") {
            Some("its scheme is neither `http` nor `https`")
        } else if url.host_str().is_none_or(str::is_empty) {
            Some("it has no host")
        } else if !url.username().is_empty() || url.password().is_some() {
            Some("it holds a user or password; use `auth`")
        } else if url.query().is_some() || url.fragment().is_some() {
            Some("it has a query or fragment")
        } else {
            None
        };
        if let Some(why) = refusal {
            return Err(NotABaseUrl(why));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

/// The credential of an endpoint. Exactly one of the four shapes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawAuth")]
pub enum AuthConfig {
    /// `{ header = "X-Api-Key", value = "env:…" }`
    Header {
        /// The name of the header.
        name: String,
        /// Its value.
        value: SecretRef,
    },
    /// `{ bearer = "env:…" }`: `Authorization: Bearer …` (RFC 6750).
    Bearer(SecretRef),
    /// `{ basic = "env:…" }`: `Authorization: Basic …` (RFC 7617); the secret is `user:password`.
    Basic(SecretRef),
    /// `{ oauth2 = { … } }`: a token from the client credentials grant (RFC 6749, section 4.4).
    OAuth2(OAuth2Config),
}

/// The client credentials grant of OAuth 2.0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2Config {
    /// The token endpoint.
    pub token_url: BaseUrl,
    /// The hub's id there.
    pub client_id: String,
    /// The hub's secret there.
    pub client_secret: SecretRef,
    /// The scope to ask for.
    #[serde(default)]
    pub scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAuth {
    header: Option<String>,
    value: Option<SecretRef>,
    bearer: Option<SecretRef>,
    basic: Option<SecretRef>,
    oauth2: Option<OAuth2Config>,
}

/// A mixture of the shapes, or none.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "expected one of `{{ header = …, value = … }}`, `{{ bearer = … }}`, `{{ basic = … }}`, `{{ oauth2 = {{ … }} }}`"
)]
pub struct NotAnAuth;

impl TryFrom<RawAuth> for AuthConfig {
    type Error = NotAnAuth;

    fn try_from(raw: RawAuth) -> Result<Self, Self::Error> {
        match (raw.header, raw.value, raw.bearer, raw.basic, raw.oauth2) {
            (Some(name), Some(value), None, None, None) => Ok(Self::Header { name, value }),
            (None, None, Some(token), None, None) => Ok(Self::Bearer(token)),
            (None, None, None, Some(pair), None) => Ok(Self::Basic(pair)),
            (None, None, None, None, Some(grant)) => Ok(Self::OAuth2(grant)),
            _ => Err(NotAnAuth),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<EndpointConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_shape_of_credential_is_read() {
        let auth = |text: &str| parse(&format!("url = 'https://a.example'\nauth = {text}")).unwrap().auth.unwrap();
        assert!(matches!(auth("{ header = 'X-Api-Key', value = 'env:K' }"), AuthConfig::Header { .. }));
        assert!(matches!(auth("{ bearer = 'env:K' }"), AuthConfig::Bearer(_)));
        assert!(matches!(auth("{ basic = 'file:/k' }"), AuthConfig::Basic(_)));
        assert!(matches!(
            auth("{ oauth2 = { token_url = 'https://t.example/t', client_id = 'hub', client_secret = 'env:S' } }"),
            AuthConfig::OAuth2(_)
        ));
    }

    #[test]
    fn mistakes_are_refused() {
        for (text, expected) in [
            ("url = 'https://a.example'\nauth = { bearer = 'env:A', basic = 'env:B' }", "expected one of"),
            ("url = 'https://a.example'\nauth = { bearer = 'plain-text' }", "env:NAME"),
            ("url = 'https://a.example'\nauth = { token = 'env:A' }", "unknown field `token`"),
            ("url = 'ftp://a.example'", "scheme"),
            ("url = 'https://user:secret@a.example'", "use `auth`"),
            ("url = '/relative'", "can't be parsed"),
            ("url = 'https://a.example?x=1'", "query"),
            ("url = 'https://a.example'\nproxy = 'x'", "unknown field `proxy`"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
            assert!(!refused.lines().last().unwrap_or_default().contains("secret@"), "{refused}");
        }
    }

    #[test]
    fn a_base_has_no_slash_at_its_end() {
        let base = |text: &str| BaseUrl::try_from(text.to_owned()).unwrap().as_url().to_string();
        assert_eq!(base("https://a.example/api/v1/"), "https://a.example/api/v1");
        assert_eq!(base("https://a.example"), "https://a.example/");
    }
}
