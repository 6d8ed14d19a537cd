//! The keys that an outside issuer publishes: fetched, kept, and fetched again.
//!
//! A token whose key is known never waits for the issuer. Whatever goes wrong, the last good keys stay.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::super::config::JwksUrl;
use super::keys::KeySet;

/// How long a fetch may take in all, and to connect.
const FETCH_SECONDS: u64 = 5;
const CONNECT_SECONDS: u64 = 3;

/// The largest document.
const MAX_BYTES: usize = 1024 * 1024;

/// An unknown key leads to a fetch at most once in this time.
const UNKNOWN_SECONDS: u64 = 60;

/// How often keys are fetched anyway, and how soon again after a failure.
const REFRESH_SECONDS: u64 = 300;
const RETRY_SECONDS: u64 = 15;

/// Why the keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The request failed.
    #[error("the keys can't be fetched: {0}")]
    Http(#[from] reqwest::Error),
    /// Not a success.
    #[error("the keys can't be fetched: the issuer answered {0}")]
    Status(u16),
    /// Too large.
    #[error("the keys can't be fetched: the document is larger than 1 MiB")]
    TooLarge,
    /// No key set.
    #[error("what the issuer publishes is no JWK set with a key for EdDSA, ES256, RS256 or PS256")]
    Malformed,
}

/// Where an issuer publishes its keys.
pub(super) struct Published {
    url: JwksUrl,
    client: reqwest::Client,
    /// When an unknown key last led to a fetch.
    asked: Mutex<Option<Instant>>,
}

impl Published {
    pub(super) fn new(url: &JwksUrl) -> Result<Self, JwksError> {
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
            .timeout(Duration::from_secs(FETCH_SECONDS));
        if url.is_loopback() {
            client = client.no_proxy();
        }
        Ok(Self { url: url.clone(), client: client.build()?, asked: Mutex::new(None) })
    }

    /// Fetches keys because one that is not among `seen` was named, unless that has been done within the minute.
    pub(super) async fn asked_for_unknown(&self, keys: &RwLock<Arc<KeySet>>, seen: &Arc<KeySet>) {
        let mut asked = self.asked.lock().await;
        let changed = !Arc::ptr_eq(&keys.read(), seen);
        let recent = asked.is_some_and(|at| at.elapsed() < Duration::from_secs(UNKNOWN_SECONDS));
        if changed || recent {
            return;
        }
        let fetched = self.refresh(keys).await;
        // The first fetch after a start is not one for an unknown key: a rotation right afterwards is still followed.
        if !(fetched && seen.is_empty()) {
            *asked = Some(Instant::now());
        }
    }

    /// Fetches keys now and from time to time.
    pub(super) async fn keep_fresh(&self, keys: &RwLock<Arc<KeySet>>) {
        loop {
            let pause = if self.refresh(keys).await { REFRESH_SECONDS } else { RETRY_SECONDS };
            sleep(Duration::from_secs(pause)).await;
        }
    }

    async fn refresh(&self, keys: &RwLock<Arc<KeySet>>) -> bool {
        match self.fetch().await {
            Ok(fetched) => *keys.write() = Arc::new(fetched),
            Err(error) => {
                tracing::warn!(%error, url = %self.url, "issuer's keys not refreshed");
                return false;
            }
        }
        true
    }

    async fn fetch(&self) -> Result<KeySet, JwksError> {
        let mut response = self.client.get(self.url.url().clone()).send().await?;
        if !response.status().is_success() {
            return Err(JwksError::Status(response.status().as_u16()));
        }
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if document.len() + chunk.len() > MAX_BYTES {
                return Err(JwksError::TooLarge);
            }
            document.extend_from_slice(&chunk);
        }
        KeySet::published(&document).ok_or(JwksError::Malformed)
    }
}
