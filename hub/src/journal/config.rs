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
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Segments in a folder of this machine.
    #[default]
    File,
}
