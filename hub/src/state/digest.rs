//! A digest over the (reference, version) of every record that does not depend on their order, kept beside the position.
//!
//! It tells a read model that lost or kept something behind the hub's back; it is no protection against forgery.

use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The exclusive or of a 64-bit hash of each record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest(u64);

impl Digest {
    /// A record came, or came to another version.
    pub fn replace(&mut self, reference: &str, before: Option<u64>, after: u64) {
        if let Some(before) = before {
            self.0 ^= hash(reference, before);
        }
        self.0 ^= hash(reference, after);
    }
}

fn hash(reference: &str, version: u64) -> u64 {
    let mut digest = <Sha256 as sha2::Digest>::new();
    sha2::Digest::update(&mut digest, reference.as_bytes());
    sha2::Digest::update(&mut digest, version.to_be_bytes());
    let bytes = sha2::Digest::finalize(digest);
    bytes.iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
}
