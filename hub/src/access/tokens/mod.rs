//! A bearer token → [`Caller`] (RFC 7519, in the profile of RFC 9068).
//!
//! This module knows signatures and claims and no policy. A token is accepted where its signature is by a key that the
//! configuration trusts, with an algorithm from a fixed list that agrees with the key; what the token itself says about
//! keys (`jwk`, `jku`, `x5u`) is not looked at. A verified token is not verified again before it expires; the number of
//! those that are remembered is bounded by their size.

mod claims;
mod jwks;
mod keys;
mod local;
mod strict;

use std::future::Future;
use std::sync::Arc;

use aws_lc_rs::digest;
use chrono::Utc;
use parking_lot::RwLock;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::caller::Caller;
use super::config::Oidc;
use claims::{Expected, LEEWAY_SECONDS};
use jwks::Published;
use keys::{Jws, KeyMark, KeySet};

pub use claims::{Grant, is_org};
pub use jwks::JwksError;
pub use local::{LocalKey, LocalKeyError};

/// The issuer of tokens that the hub signs itself.
pub const LOCAL_ISSUER: &str = "clients-hub";

/// The audience of tokens that the hub signs itself.
pub const LOCAL_AUDIENCE: &str = "backoffice";

/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 16 * 1024;

/// What remembered callers may take together, in bytes.
const REMEMBERED_BYTES: u64 = 64 * 1024 * 1024;

/// How many remembered callers are expected.
const REMEMBERED: usize = 10_000;

/// Why a token is not accepted. Nothing of the token itself is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("a bearer token is required")]
    Missing,
    /// It is not one that can be trusted.
    #[error("{0}")]
    Invalid(String),
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

impl TokenError {
    fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }
}

/// Verifies tokens.
pub struct Tokens {
    keys: RwLock<Arc<KeySet>>,
    published: Option<Published>,
    expected: Expected,
    verified: Cache<[u8; 32], Verified, Weigh>,
}

/// A token that was verified.
#[derive(Clone)]
struct Verified {
    caller: Arc<Caller>,
    /// By this key, which may be withdrawn before the token expires.
    by: KeyMark,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<[u8; 32], Verified> for Weigh {
    fn weight(&self, _key: &[u8; 32], verified: &Verified) -> u64 {
        verified.caller.weight()
    }
}

impl Tokens {
    /// Accepts what `key` has signed.
    #[must_use]
    pub fn local(key: &LocalKey) -> Self {
        let expected = Expected { issuer: LOCAL_ISSUER.to_owned(), audience: LOCAL_AUDIENCE.to_owned() };
        Self::new(key.public(), None, expected)
    }

    /// Accepts what an outside issuer has signed. Until [`Tokens::keep_fresh`] or the first token has fetched its keys,
    /// none is known.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn oidc(oidc: &Oidc) -> Result<Self, JwksError> {
        let expected = Expected { issuer: oidc.issuer.clone(), audience: oidc.audience.clone() };
        Ok(Self::new(KeySet::default(), Some(Published::new(&oidc.jwks_url)?), expected))
    }

    fn new(keys: KeySet, published: Option<Published>, expected: Expected) -> Self {
        let verified = Cache::with_weighter(REMEMBERED, REMEMBERED_BYTES, Weigh);
        Self { keys: RwLock::new(Arc::new(keys)), published, expected, verified }
    }

    /// The caller of a token that was verified before and still holds, without waiting for anything.
    #[must_use]
    pub fn cached(&self, token: &str) -> Option<Arc<Caller>> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let Verified { caller, by } = self.verified.get(&remembered(token))?;
        let holds = Utc::now().timestamp() < caller.expires_at().timestamp() + LEEWAY_SECONDS;
        (holds && self.keys.read().holds(&by)).then_some(caller)
    }

    /// The caller of a token.
    ///
    /// # Errors
    /// The token is missing, can't be trusted or has expired.
    pub async fn verify(&self, token: &str) -> Result<Arc<Caller>, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        if let Some(caller) = self.cached(token) {
            return Ok(caller);
        }
        if token.len() > MAX_TOKEN {
            return Err(TokenError::invalid("the token is longer than 16 KiB"));
        }
        let jws = Jws::parse(token)?;
        let (payload, by) = self.keys_for(&jws).await.verify(&jws)?;
        let caller = Arc::new(self.expected.caller(&payload, Utc::now())?);
        self.verified.insert(remembered(token), Verified { caller: Arc::clone(&caller), by });
        Ok(caller)
    }

    /// The trusted keys. One that is not among them may have been published since.
    async fn keys_for(&self, jws: &Jws<'_>) -> Arc<KeySet> {
        let keys = Arc::clone(&self.keys.read());
        let Some(published) = self.published.as_ref().filter(|_| keys.lacks(jws)) else { return keys };
        published.asked_for_unknown(&self.keys, &keys).await;
        Arc::clone(&self.keys.read())
    }

    /// Fetches published keys now and from time to time until `shutdown` is ready; with a local key it only waits.
    pub async fn keep_fresh(&self, shutdown: impl Future<Output = ()> + Send) {
        match &self.published {
            Some(published) => {
                tokio::select! {
                    () = published.keep_fresh(&self.keys) => {}
                    () = shutdown => {}
                }
            }
            None => shutdown.await,
        }
    }
}

/// Tokens are remembered by their digest: no token lies in memory longer than its request.
fn remembered(token: &str) -> [u8; 32] {
    let mut key = [0; 32];
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    for (to, from) in key.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    key
}
