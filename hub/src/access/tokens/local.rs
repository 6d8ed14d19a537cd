//! The hub's own key pair: Ed25519 in PEM (PKCS#8), made on first start, readable by its owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use super::claims::Grant;
use super::keys::KeySet;
use crate::file;

/// The largest key file that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// The key pair can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LocalKeyError {
    /// The file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{0}: expected an Ed25519 private key in PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` makes one")]
    Malformed(PathBuf),
    /// No key can be made.
    #[error("no key pair could be generated")]
    Generate,
}

/// A key pair that signs tokens.
pub struct LocalKey {
    pair: Ed25519KeyPair,
    id: String,
}

impl LocalKey {
    /// The key pair in `path`, made where there is none.
    ///
    /// # Errors
    /// The file can't be read or made, or holds something else.
    pub fn open(path: &Path) -> Result<Self, LocalKeyError> {
        let io = |source| LocalKeyError::Io { path: path.to_owned(), source };
        if !path.try_exists().map_err(io)? {
            create(path)?;
        }
        let pem = file::read(path, MAX_BYTES).map_err(io)?;
        if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "key file readable by others; expected mode 0600");
        }
        Self::from_pem(&pem).ok_or_else(|| LocalKeyError::Malformed(path.to_owned()))
    }

    fn from_pem(pem: &[u8]) -> Option<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).ok()?;
        let pair = Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der()).ok()?;
        let fingerprint = digest::digest(&digest::SHA256, pair.public_key().as_ref());
        let id = fingerprint.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Some(Self { pair, id })
    }

    /// What verifies its signatures.
    pub(super) fn public(&self) -> KeySet {
        KeySet::ed25519(self.id.clone(), self.pair.public_key().as_ref())
    }

    /// A signature over any message (RFC 8032).
    #[must_use]
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The public key: 32 bytes.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A token for `grant`.
    #[must_use]
    pub fn sign(&self, grant: &Grant) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.id }).to_string();
        let claims = grant.claims().to_string();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// Makes a key file whole or not at all; where two start at once, one key is kept by both.
fn create(path: &Path) -> Result<(), LocalKeyError> {
    let io = |source| LocalKeyError::Io { path: path.to_owned(), source };
    let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|_| LocalKeyError::Generate)?;
    let encoded = STANDARD.encode(document.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{:016x}", rand::random::<u64>()));
    let aside = PathBuf::from(aside);
    let made = write(&aside, pem.as_bytes()).and_then(|()| match fs::hard_link(&aside, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(folder)?.sync_all(),
    });
    let removed = fs::remove_file(&aside);
    made.and(removed).map_err(io)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
