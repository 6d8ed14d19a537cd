//! The only way out of the sandbox: requests to endpoints that the operator has named.
//!
//! Knows nothing of components: it is handed a request and gives back an answer or the reason why there is none.
//! Invariants: an adapter never names a URL, a host or an address; it never sees a credential; whatever may have had
//! an effect is recorded before it leaves.

pub mod address;
mod body;
mod credential;
mod endpoint;
mod failure;
mod headers;
mod path;
mod scrub;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;
use thiserror::Error;

use super::bindings::http::HttpFailure;
use super::config::AdapterConfig;
use crate::adapters::AdapterName;

pub use endpoint::{Endpoint, EndpointError, MAX_REQUEST_BODY_BYTES};
pub use failure::innermost;

/// The most characters of an unknown endpoint's name that are repeated.
const MAX_REPEATED_CHARS: usize = 64;

/// An endpoint of an adapter that can't be used as it is configured.
#[derive(Debug, Error)]
#[error("[adapters.{adapter}.endpoints.{endpoint}]: {why}")]
pub struct EgressError {
    adapter: AdapterName,
    endpoint: String,
    why: EndpointError,
}

/// The endpoints of one adapter.
pub struct Egress {
    adapter: AdapterName,
    endpoints: BTreeMap<String, Arc<Endpoint>>,
}

impl Egress {
    /// Makes every endpoint that is configured. Blocks.
    ///
    /// # Errors
    /// The first endpoint that can't be used, and why.
    pub fn new(adapter: AdapterName, config: &AdapterConfig) -> Result<Self, EgressError> {
        let connections = usize::try_from(config.concurrency.get()).unwrap_or(1);
        let mut endpoints = BTreeMap::new();
        for (name, endpoint) in &config.endpoints {
            let made = Endpoint::new(name, endpoint, connections).map_err(|why| EgressError {
                adapter,
                endpoint: name.clone(),
                why,
            })?;
            endpoints.insert(name.clone(), Arc::new(made));
        }
        Ok(Self { adapter, endpoints })
    }

    /// Of these endpoints those with one of the names.
    pub fn only(&self, names: &[String]) -> Self {
        let named = self.endpoints.iter().filter(|(name, _)| names.contains(name));
        let endpoints = named.map(|(name, endpoint)| (name.clone(), Arc::clone(endpoint))).collect();
        Self { adapter: self.adapter, endpoints }
    }

    /// The endpoint of this name.
    ///
    /// # Errors
    /// The lines that would add it, and the names that there are.
    pub fn endpoint(&self, name: &str) -> Result<Arc<Endpoint>, HttpFailure> {
        self.endpoints.get(name).cloned().ok_or_else(|| {
            let known: Vec<_> = self.endpoints.keys().map(String::as_str).collect();
            // What an adapter calls a name may be anything; only what could stand in the file is repeated.
            let named: String = name
                .chars()
                .take(MAX_REPEATED_CHARS)
                .filter(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_'))
                .collect();
            HttpFailure::UnknownEndpoint(format!(
                "there is no endpoint `{named}` for this adapter (it has: {}); `describe` has to name it, and the \
                 configuration to have\n[adapters.{}.endpoints.{named}]\nurl = \"https://…\"",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") },
                self.adapter,
            ))
        })
    }

    /// Takes the secrets of every endpoint out of a text.
    pub fn scrub(&self, text: String) -> String {
        self.endpoints.values().fold(text, |text, endpoint| endpoint.scrub(text))
    }
}

/// The address that a URL names outright, which no look-up will check.
fn literal_address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(endpoint: &str) -> AdapterConfig {
        toml::from_str(&format!("component = 'x'\n[endpoints.api]\n{endpoint}")).unwrap()
    }

    #[test]
    fn an_unknown_endpoint_is_told_what_to_add() {
        let egress = Egress::new(AdapterName::Crm, &config("url = 'http://crm.example'")).unwrap();
        assert!(egress.endpoint("api").is_ok());
        let Err(HttpFailure::UnknownEndpoint(text)) = egress.endpoint("api2\n[evil]") else {
            panic!("found");
        };
        assert!(text.contains("[adapters.crm.endpoints.api2evil]"), "{text}");
        assert!(text.contains("it has: api"), "{text}");
    }

    #[test]
    fn an_address_in_the_url_is_checked_when_it_loads() {
        for url in ["http://127.0.0.1:1/x", "http://[::1]/", "http://2130706433/", "http://10.0.0.1"] {
            let refused = Egress::new(AdapterName::Crm, &config(&format!("url = '{url}'")));
            let text = refused.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(text.contains("private = true"), "{url}: {text}");
            assert!(text.starts_with("[adapters.crm.endpoints.api]"), "{text}");
            let allowed = config(&format!("url = '{url}'\nprivate = true"));
            assert!(Egress::new(AdapterName::Crm, &allowed).is_ok());
        }
        let metadata = config("url = 'http://169.254.169.254/'\nprivate = true");
        assert!(Egress::new(AdapterName::Crm, &metadata).is_err());
    }
}
