//! What is wrong with a section as a whole, where each of its keys is right.

use crate::access::{AuthConfig, AuthConfigError};
use crate::notify::{NatsConfig, NatsConfigError};

/// The key that is to be changed, below its section, and what is wrong.
pub type Finding = (&'static str, String);

/// Mode `oidc` needs what mode `local` has no use for.
pub fn auth(config: &AuthConfig) -> Vec<Finding> {
    let below = |key: &'static str| key.strip_prefix("auth.").unwrap_or(key);
    let finding = config.oidc().err().map(|error| match error {
        AuthConfigError::Missing(key) => {
            (below(key), "it is missing; mode `oidc` needs issuer, audience and jwks_url".to_owned())
        }
        AuthConfigError::Ignored(key) => {
            (below(key), "it has no effect in mode `local`; leave it out, or set mode = \"oidc\"".to_owned())
        }
    });
    finding.into_iter().collect()
}

/// Credentials are whole. Whether the secrets are there is not asked here.
pub fn nats(config: &NatsConfig) -> Vec<Finding> {
    let unread = config.credentials(|_| Ok::<_, NatsConfigError>(String::new()));
    unread.err().map(|error| ("user", error.to_string())).into_iter().collect()
}
