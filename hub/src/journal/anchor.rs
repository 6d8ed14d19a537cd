//! The file `head`: the newest entry that was answered, remembered outside the segments.
//!
//! Whole lines cut off the end of the newest segment leave a chain that verifies. What is written here behind
//! each flush shows that they were there. It is written without a sync of its own, so after a power loss it
//! may be older than the journal, never newer: it can only ever add a reason to refuse.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::entry::{Digest, Mark};

const FILE: &str = "head";

/// The record's length, so that one write replaces all of the last one.
const LENGTH: usize = 256;

/// What is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Anchor {
    pub seq: u64,
    pub group: u64,
    pub hash: Digest,
    /// Fingerprint of the key of the claims.
    pub claims_key: Mark,
}

/// Reads it; `None` where it is missing or can't be understood.
pub(super) fn read(dir: &Path) -> io::Result<Option<Anchor>> {
    match std::fs::read(dir.join(FILE)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Forgets it, when a cut has been decided.
pub(super) fn forget(dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(dir.join(FILE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The open file.
pub(super) struct AnchorFile {
    file: File,
    failed: bool,
}

impl AnchorFile {
    pub fn open(dir: &Path) -> io::Result<Self> {
        let options = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).to_owned();
        Ok(Self { file: options.open(dir.join(FILE))?, failed: false })
    }

    /// Replaces what is remembered. A failure weakens later checks and stops nothing: it is logged once.
    pub fn write(&mut self, anchor: &Anchor) {
        if let Err(error) = self.try_write(anchor)
            && !self.failed
        {
            self.failed = true;
            tracing::warn!(%error, "the journal's file head can't be written");
        }
    }

    fn try_write(&self, anchor: &Anchor) -> io::Result<()> {
        let mut record = serde_json::to_vec(anchor)?;
        record.resize(LENGTH - 1, b' ');
        record.push(b'\n');
        self.file.write_all_at(&record, 0)
    }
}
