//! Whether the secrets that the configuration names are there. They are read again by whoever uses them.

use std::collections::BTreeMap;

use super::Config;
use crate::adapters::{AuthConfig, EndpointConfig, SecretError, SecretRef};

/// A secret's key, as a path, and where it is kept.
type Named = (Vec<String>, SecretRef);

/// The secrets that can't be had, each with its key.
pub fn missing(config: &Config, env: &BTreeMap<String, String>) -> Vec<(Vec<String>, SecretError)> {
    let failed = |(path, place): Named| Some((path, check(&place, env).err()?));
    of_adapters(config).into_iter().chain(of_nats(config)).filter_map(failed).collect()
}

fn check(place: &SecretRef, env: &BTreeMap<String, String>) -> Result<(), SecretError> {
    match place {
        SecretRef::Env(name) => match env.get(name) {
            None => Err(SecretError::Unset(name.clone())),
            Some(text) if text.is_empty() => Err(SecretError::Empty(place.clone())),
            Some(_) => Ok(()),
        },
        SecretRef::File(_) => place.resolve().map(|_| ()),
    }
}

fn of_adapters(config: &Config) -> Vec<Named> {
    let endpoints = config.adapters.iter().flat_map(|(adapter, config)| {
        config
            .endpoints
            .iter()
            .map(move |(name, endpoint)| (["adapters", adapter.as_str(), "endpoints", name], endpoint))
    });
    let below = |(base, endpoint): ([&str; 4], &EndpointConfig)| -> Vec<Named> {
        let path = |keys: &[&str]| base.iter().chain(keys).map(|key| (*key).to_owned()).collect();
        of_endpoint(endpoint).into_iter().map(|(keys, place)| (path(keys), place.clone())).collect()
    };
    endpoints.flat_map(below).collect()
}

fn of_endpoint(endpoint: &EndpointConfig) -> Vec<(&'static [&'static str], &SecretRef)> {
    let auth: Option<(&'static [&'static str], _)> = endpoint.auth.as_ref().map(|auth| match auth {
        AuthConfig::Header { value, .. } => (["auth", "value"].as_slice(), value),
        AuthConfig::Bearer(token) => (["auth", "bearer"].as_slice(), token),
        AuthConfig::Basic(pair) => (["auth", "basic"].as_slice(), pair),
        AuthConfig::OAuth2(grant) => (["auth", "oauth2", "client_secret"].as_slice(), &grant.client_secret),
    });
    let own = endpoint.client_cert.as_ref().map(|own| (["client_cert", "key"].as_slice(), &own.key));
    auth.into_iter().chain(own).collect()
}

fn of_nats(config: &Config) -> Vec<Named> {
    let Some(nats) = &config.nats else { return Vec::new() };
    let given = [("password", &nats.password), ("token", &nats.token)];
    let places = given
        .into_iter()
        .filter_map(|(key, place)| Some((key, SecretRef::try_from(place.as_ref()?.as_str().to_owned()).ok()?)));
    places.map(|(key, place)| (vec!["nats".to_owned(), key.to_owned()], place)).collect()
}
