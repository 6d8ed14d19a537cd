//! Secrets: where they come from, and a wrapper that does not print them.
//!
//! The configuration never holds a secret, only where it is: `env:NAME` or `file:PATH`. It is read when an adapter
//! loads, so that a rotated secret takes effect with the next reload.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest file that is read as a secret, in bytes; a private key with its chain is far smaller.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Where a secret is kept: `env:NAME` or `file:PATH`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// An environment variable of the hub's process.
    Env(String),
    /// A file; one trailing line end is left out.
    File(PathBuf),
}

/// Text that names no place of a secret. The text itself is not repeated: it may be the secret.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected `env:NAME` or `file:PATH`; a secret is never written into the configuration")]
pub struct NotASecretRef;

/// A secret that can't be had now.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The variable is not there, or is not text.
    #[error("the environment variable `{0}` is not set or is not text")]
    Unset(String),
    /// The file can't be read.
    #[error("the file `{}` can't be read: {source}", path.display())]
    Unreadable {
        /// As configured.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is larger than any secret.
    #[error("the file `{}` is larger than {MAX_SECRET_BYTES} bytes", .0.display())]
    TooLarge(PathBuf),
    /// There is nothing in it.
    #[error("`{0}` is empty")]
    Empty(SecretRef),
}

impl TryFrom<String> for SecretRef {
    type Error = NotASecretRef;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            _ => Err(NotASecretRef),
        }
    }
}

impl From<SecretRef> for String {
    fn from(place: SecretRef) -> Self {
        place.to_string()
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl SecretRef {
    /// Reads the secret. Blocks where it is a file.
    ///
    /// # Errors
    /// [`SecretError`], which names the place and never the content.
    pub fn resolve(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::Unset(name.clone()))?,
            Self::File(path) => read(path)?,
        };
        if text.is_empty() {
            return Err(SecretError::Empty(self.clone()));
        }
        Ok(Secret(text))
    }
}

fn read(path: &Path) -> Result<String, SecretError> {
    let text = crate::file::read_text(path, MAX_SECRET_BYTES).map_err(|source| match source.kind() {
        std::io::ErrorKind::FileTooLarge => SecretError::TooLarge(path.to_owned()),
        _ => SecretError::Unreadable { path: path.to_owned(), source },
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// A secret in memory. Printing it shows stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_places_are_accepted_and_text_is_not_repeated() {
        assert_eq!(SecretRef::try_from("env:CRM_KEY".to_owned()), Ok(SecretRef::Env("CRM_KEY".to_owned())));
        for text in ["s3cr3t-value", "env:", "file:", "vault:x"] {
            let refused = SecretRef::try_from(text.to_owned()).unwrap_err();
            assert!(!refused.to_string().contains("s3cr3t"));
        }
    }

    #[test]
    fn a_file_is_read_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "top-secret\r\n").unwrap();
        let secret = SecretRef::File(path.clone()).resolve().unwrap();
        assert_eq!(secret.expose(), "top-secret");
        assert_eq!(format!("{secret:?}"), "Secret(***)");

        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(SecretRef::File(path).resolve(), Err(SecretError::Empty(_))));
        let unset = SecretRef::Env("HUB_TEST_NOT_SET_ANYWHERE".to_owned());
        assert!(matches!(unset.resolve(), Err(SecretError::Unset(_))));
    }
}
