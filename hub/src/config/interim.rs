//! The sections of modules that define their own: shaped like theirs, until they are here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::sections::Finding;

/// `[auth]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Whose keys sign tokens.
    pub mode: AuthMode,
    /// Whose members may hold `OP001`.
    pub operator_org: String,
    /// The local key's file; left out it is `<store.path>/hub.key`.
    pub key: Option<PathBuf>,
    /// What `iss` must be.
    pub issuer: Option<String>,
    /// What `aud` must hold.
    pub audience: Option<String>,
    /// Where the issuer's keys are.
    pub jwks_url: Option<String>,
}

/// `auth.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// The hub's own key pair.
    Local,
    /// An OpenID Connect issuer.
    Oidc,
}

impl AuthConfig {
    /// What the mode needs, and what it has no use for.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let oidc = [("issuer", &self.issuer), ("audience", &self.audience), ("jwks_url", &self.jwks_url)];
        let wrong = |given: bool| match self.mode {
            AuthMode::Oidc => (!given).then(|| "mode `oidc` needs it".to_owned()),
            AuthMode::Local => given.then(|| "only mode `oidc` has it".to_owned()),
        };
        oidc.into_iter().filter_map(|(key, value)| wrong(value.is_some()).map(|message| (key, message))).collect()
    }
}

/// `[policies]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoliciesConfig {
    /// The folder.
    pub path: PathBuf,
    /// Whether changes on disk are taken over.
    pub watch: bool,
}

/// `[adapters.<name>]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterConfig {
    /// The component's file.
    pub component: PathBuf,
    /// The only digest that is loaded.
    pub digest: Option<String>,
    /// Memory of one call.
    pub memory_mib: Option<u32>,
    /// Wall clock of one call.
    pub deadline_ms: Option<u32>,
    /// Calls at the same time.
    pub concurrency: Option<u32>,
    /// What the plugin is handed.
    #[serde(default)]
    pub settings: BTreeMap<String, toml::Value>,
    /// What the plugin may call, by name.
    #[serde(default)]
    pub endpoints: BTreeMap<String, EndpointConfig>,
}

/// `[adapters.<name>.endpoints.<endpoint>]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// What every path is below.
    pub url: String,
    /// The credential that the hub adds.
    pub auth: Option<BTreeMap<String, toml::Value>>,
    /// Of one request.
    pub timeout_ms: Option<u32>,
    /// Whether private addresses are allowed.
    #[serde(default)]
    pub private: bool,
    /// The certificate authority, PEM.
    pub ca: Option<PathBuf>,
    /// The certificate that the hub shows.
    pub client_cert: Option<BTreeMap<String, String>>,
}
