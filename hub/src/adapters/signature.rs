//! Signatures over components: who vouches for a file.
//!
//! A signature is Ed25519 (RFC 8032) over the text of the component's digest, `sha256:…`, and lies beside the component
//! as `<file>.sig`. A key is known by its id, the first 16 hexadecimal digits of SHA-256 over its 32 bytes. Which keys
//! are trusted is the operator's to say, for each adapter; a vendor who may replace the CRM's adapter may not replace
//! another one.

use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use thiserror::Error;

use super::config::Digest;

/// The largest key or signature file that is read.
pub const MAX_FILE_BYTES: u64 = 64 * 1024;
/// What comes before the 32 bytes of an Ed25519 key in its `SubjectPublicKeyInfo` (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A component that nobody trusted has signed, or a key or signature that is none.
#[derive(Debug, Error)]
pub enum SignatureError {
    /// A key or signature that can't be read.
    #[error("the file `{}` can't be read: {source}", path.display())]
    Unreadable {
        /// As given.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file that holds no public key.
    #[error("`{}` holds no Ed25519 public key in PEM, as `openssl pkey -pubout` writes one", .0.display())]
    NotAKey(PathBuf),
    /// There is no signature.
    #[error(
        "it is not signed: there is no `{}`. Signed by one of {trusted} it would be loaded; \
         whoever holds that key makes the file with `hub plugin sign`", file.display()
    )]
    Missing {
        /// Where it would lie.
        file: PathBuf,
        /// The ids of the keys that are trusted.
        trusted: String,
    },
    /// A file that holds no signature.
    #[error("`{}` holds no signature of `hub plugin sign`: {why}", file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A signature of another file.
    #[error("its signature is of another component: {signed} was signed, and this is {found}")]
    OtherComponent {
        /// The digest that was signed.
        signed: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// Signed by somebody else.
    #[error("it was signed with the key {key}, which is not among the trusted ones: {trusted}")]
    Untrusted {
        /// The id of the key.
        key: String,
        /// The ids of those that are trusted.
        trusted: String,
    },
    /// The signature does not hold.
    #[error("its signature is wrong: it was not made with the key {0} that it names")]
    Wrong(String),
}

impl SignatureError {
    /// Why, without a path of this machine.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Unreadable { .. } => "a key or signature can't be read".to_owned(),
            Self::NotAKey(_) => "a trusted key is none".to_owned(),
            Self::Missing { trusted, .. } => format!("it is not signed; trusted are {trusted}"),
            Self::Malformed { .. } => "its signature file holds none".to_owned(),
            Self::OtherComponent { .. } | Self::Untrusted { .. } | Self::Wrong(_) => self.to_string(),
        }
    }
}

/// The public half of a signer's key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// The key of these 32 bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Reads a PEM file (`SubjectPublicKeyInfo`).
    ///
    /// # Errors
    /// [`SignatureError::Unreadable`], [`SignatureError::NotAKey`]
    pub fn read(path: &Path) -> Result<Self, SignatureError> {
        let pem = read(path)?;
        let der = SubjectPublicKeyInfoDer::from_pem_slice(&pem).ok();
        let key = der.and_then(|der| der.as_ref().strip_prefix(&SPKI_PREFIX).map(<[u8]>::to_vec));
        key.filter(|key| key.len() == 32).map(Self).ok_or_else(|| SignatureError::NotAKey(path.to_owned()))
    }

    /// The key in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let der = [&SPKI_PREFIX, self.0.as_slice()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    /// What the key is called.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(sha2::Sha256::digest(&self.0)).chars().take(16).collect()
    }
}

/// A signature over a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// `ed25519`
    pub algorithm: String,
    /// What was signed.
    pub digest: Digest,
    /// The id of the key that has signed.
    pub key: String,
    /// 64 bytes in base64.
    pub signature: String,
}

impl Signature {
    /// The bytes that are signed for a component of this digest.
    #[must_use]
    pub fn message(digest: Digest) -> Vec<u8> {
        digest.to_string().into_bytes()
    }

    /// A signature that was just made.
    #[must_use]
    pub fn new(digest: Digest, key: &PublicKey, signature: &[u8]) -> Self {
        let signature = STANDARD.encode(signature);
        Self { algorithm: "ed25519".to_owned(), digest, key: key.id(), signature }
    }

    /// Where the signature of a component lies.
    #[must_use]
    pub fn beside(component: &Path) -> PathBuf {
        let mut name = component.as_os_str().to_owned();
        name.push(".sig");
        PathBuf::from(name)
    }

    /// The signature beside a component; nothing where there is none.
    ///
    /// # Errors
    /// [`SignatureError::Unreadable`], [`SignatureError::Malformed`]
    pub fn find(component: &Path) -> Result<Option<Self>, SignatureError> {
        let file = Self::beside(component);
        let text = match read(&file) {
            Err(SignatureError::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            other => other?,
        };
        let malformed = |why: String| SignatureError::Malformed { file: file.clone(), why };
        let signature: Self = serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
        if signature.algorithm != "ed25519" {
            return Err(malformed("its algorithm is not ed25519".to_owned()));
        }
        Ok(Some(signature))
    }

    /// Checks the signature against a component's digest and the keys that are trusted, and answers with the id of the
    /// key that made it.
    ///
    /// # Errors
    /// [`SignatureError`]
    pub fn verify(&self, digest: Digest, trusted: &[PublicKey]) -> Result<String, SignatureError> {
        if self.digest != digest {
            return Err(SignatureError::OtherComponent { signed: self.digest, found: digest });
        }
        let Some(key) = trusted.iter().find(|key| key.id() == self.key) else {
            return Err(SignatureError::Untrusted { key: self.key.clone(), trusted: ids(trusted) });
        };
        let wrong = || SignatureError::Wrong(self.key.clone());
        let bytes = STANDARD.decode(&self.signature).map_err(|_| wrong())?;
        UnparsedPublicKey::new(&ED25519, &key.0).verify(&Self::message(digest), &bytes).map_err(|_| wrong())?;
        Ok(key.id())
    }
}

/// Demands a signature of one of these keys, where there are any, and answers with the id of the one that has signed.
///
/// # Errors
/// [`SignatureError`]
pub fn demand(component: &Path, digest: Digest, keys: &[PathBuf]) -> Result<Option<String>, SignatureError> {
    if keys.is_empty() {
        return Ok(None);
    }
    let trusted = keys.iter().map(|path| PublicKey::read(path)).collect::<Result<Vec<_>, _>>()?;
    let signature = Signature::find(component)?
        .ok_or_else(|| SignatureError::Missing { file: Signature::beside(component), trusted: ids(&trusted) })?;
    signature.verify(digest, &trusted).map(Some)
}

fn ids(keys: &[PublicKey]) -> String {
    keys.iter().map(PublicKey::id).collect::<Vec<_>>().join(", ")
}

fn read(path: &Path) -> Result<Vec<u8>, SignatureError> {
    crate::file::read(path, MAX_FILE_BYTES)
        .map_err(|source| SignatureError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn signed(by: &Ed25519KeyPair, digest: Digest) -> (PublicKey, Signature) {
        let key = PublicKey::new(by.public_key().as_ref());
        let signature = Signature::new(digest, &key, by.sign(&Signature::message(digest)).as_ref());
        (key, signature)
    }

    #[test]
    fn only_the_signer_and_only_that_component_pass() {
        let (pair, other) = (Ed25519KeyPair::generate().unwrap(), Ed25519KeyPair::generate().unwrap());
        let digest = Digest::of(b"component");
        let (key, signature) = signed(&pair, digest);
        let stranger = PublicKey::new(other.public_key().as_ref());
        assert_eq!(signature.verify(digest, &[stranger.clone(), key.clone()]).unwrap(), key.id());
        let trusted = std::slice::from_ref(&key);
        let changed = signature.verify(Digest::of(b"changed"), trusted);
        assert!(matches!(changed, Err(SignatureError::OtherComponent { .. })));
        assert!(matches!(signature.verify(digest, &[stranger]), Err(SignatureError::Untrusted { .. })));
        let (_, forged) = signed(&other, digest);
        let forged = Signature { key: key.id(), ..forged };
        assert!(matches!(forged.verify(digest, trusted), Err(SignatureError::Wrong(_))));
    }

    #[test]
    fn a_key_reads_what_it_writes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.pub");
        let key = PublicKey::new(Ed25519KeyPair::generate().unwrap().public_key().as_ref());
        std::fs::write(&file, key.to_pem()).unwrap();
        assert_eq!(PublicKey::read(&file).unwrap(), key);
        std::fs::write(&file, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap();
        assert!(matches!(PublicKey::read(&file), Err(SignatureError::NotAKey(_))));
    }
}
