//! The section `[journal]` of the configuration.

use serde::Deserialize;

/// Where the journal is kept. Its folder follows from `store.path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalConfig {
    /// The implementation.
    pub kind: Kind,
}

/// The implementations that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Kind {
    /// Segments in a folder of this machine.
    #[default]
    File,
}

/// A name of no implementation that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchKind {
    /// The replicated one.
    #[error("`jetstream` is not available yet; use `file`")]
    NotYet,
    /// Any other.
    #[error("there is no such journal; accepted: file")]
    Unknown,
}

impl TryFrom<String> for Kind {
    type Error = NoSuchKind;

    fn try_from(name: String) -> Result<Self, NoSuchKind> {
        match name.as_str() {
            "file" => Ok(Self::File),
            "jetstream" => Err(NoSuchKind::NotYet),
            _ => Err(NoSuchKind::Unknown),
        }
    }
}
