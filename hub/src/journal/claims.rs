//! The key under which claims are written down.
//!
//! A claim's text (a national id, a registration number) is personal data, and a plain digest of one could
//! be found by trying all numbers. So a line has an HMAC-SHA-256 of it, cut to 128 bit, under a key that
//! never leaves the journal's folder. Without the key nothing could be compared with the claims already
//! taken, and so a lost key is refused and never made anew beside entries.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use rand::Rng;

use super::entry::{Digest, Hex, Mark};
use super::error::OpenError;

const FILE: &str = "claims.key";

/// The key, in memory.
pub(super) struct ClaimsKey {
    key: hmac::Key,
    fingerprint: Mark,
}

impl ClaimsKey {
    /// Reads the key of the journal in `dir`; makes one where `fresh` says that there are no entries yet.
    pub fn open(dir: &Path, fresh: bool) -> Result<Self, OpenError> {
        let path = dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && fresh => make(dir, &path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(OpenError::ClaimsKey { path, problem: "the key of the claims is missing" });
            }
            Err(error) => return Err(OpenError::io(path)(error)),
        };
        match text.trim_end().parse::<Hex<32>>() {
            Ok(Hex(key)) => Ok(Self {
                fingerprint: Digest::of(&[b"fingerprint of ", &key]).mark(),
                key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            }),
            Err(_) => Err(OpenError::ClaimsKey { path, problem: "not a key: expected 64 hexadecimal digits" }),
        }
    }

    /// How the claim is written and remembered.
    pub fn mark(&self, claim: &str) -> Mark {
        let tag = hmac::sign(&self.key, claim.as_bytes());
        let mut mark = [0; 16];
        mark.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Hex(mark)
    }

    /// Tells this key from others without telling the key.
    pub fn fingerprint(&self) -> Mark {
        self.fingerprint
    }

    /// The refusal where another fingerprint was remembered.
    pub fn foreign(dir: &Path) -> OpenError {
        OpenError::ClaimsKey { path: dir.join(FILE), problem: "it is the key of another journal" }
    }
}

/// Written aside, made durable, then renamed: a crash leaves a whole key or none.
fn make(dir: &Path, path: &Path) -> Result<String, OpenError> {
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    let text = format!("{}\n", Hex(key));
    let aside: PathBuf = dir.join("claims.key.new");
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside);
    written
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&aside, path))
        .and_then(|()| fs::File::open(dir)?.sync_all())
        .map_err(OpenError::io(path))?;
    Ok(text)
}
