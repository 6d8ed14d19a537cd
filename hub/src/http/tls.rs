//! TLS for the listener, from `[http] tls`. HTTP/2 and HTTP/1.1 are offered.
//!
//! Certificate and key may be replaced while the hub runs: what is on disk is compared with what is in use, and a pair
//! that goes together is used for connections that begin from then on. Anything else changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use crate::file;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The largest file of a certificate or key, in bytes.
const MAX_PEM_BYTES: u64 = 1024 * 1024;

/// `[http] tls`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// The hub's certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or holds no PEM of the right kind.
    #[error("{path} has to hold {expected} in PEM: {why}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
        /// What the reader said.
        why: String,
    },
    /// Certificate and key don't go together.
    #[error("the certificate and the key can't be used together: {0}")]
    Unusable(#[from] rustls::Error),
}

/// TLS with the certificate that is on disk.
pub struct Tls {
    acceptor: TlsAcceptor,
    files: TlsConfig,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
}

/// What new connections are shown.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().clone())
    }
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// A file is not right, named with what was expected in it.
    pub fn open(files: &TlsConfig) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let current = Arc::new(Current(RwLock::new(Arc::new(certified(files, &provider)?))));
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(server));
        Ok(Self { acceptor, files: files.clone(), provider, current })
    }

    /// Agrees on TLS with callers.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Takes what is on disk into use when it changes, for ever.
    pub(super) async fn follow(&self) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut refused = String::new();
        loop {
            ticks.tick().await;
            let (files, provider) = (self.files.clone(), self.provider.clone());
            let Ok(read) = spawn_blocking(move || certified(&files, &provider)).await else { continue };
            match read {
                Ok(found) => {
                    refused.clear();
                    self.renew(found);
                }
                // Said once: files that are being replaced go together again in a moment.
                Err(error) if error.to_string() != refused => {
                    tracing::warn!(%error, "the certificate on disk is refused: the one in use stays");
                    refused = error.to_string();
                }
                Err(_) => {}
            }
        }
    }

    fn renew(&self, found: CertifiedKey) {
        if self.current.0.read().cert != found.cert {
            *self.current.0.write() = Arc::new(found);
            tracing::info!("another certificate is in use");
        }
    }
}

fn certified(TlsConfig { cert, key }: &TlsConfig, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unreadable = |path: &Path, expected, why: String| TlsError::Unreadable { path: path.to_owned(), expected, why };
    let read = |path: &Path, expected| {
        file::read(path, MAX_PEM_BYTES).map_err(|error| unreadable(path, expected, error.to_string()))
    };
    let chain = CertificateDer::pem_slice_iter(&read(cert, "a certificate")?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(cert, "a certificate", error.to_string()))?;
    if chain.is_empty() {
        return Err(unreadable(cert, "a certificate", "there is none in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key, "a private key")?)
        .map_err(|error| unreadable(key, "a private key", error.to_string()))?;
    let pair = CertifiedKey::new(chain, provider.key_provider.load_private_key(private)?);
    match pair.keys_match() {
        // A key whose public half can't be told is taken as it is.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(pair),
        Err(error) => Err(error.into()),
    }
}
