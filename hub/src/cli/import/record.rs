//! One line of a file: its content as JSON, or why it has none.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The longest line: as long as the longest body of a request.
pub const LONGEST_LINE: u64 = 1024 * 1024;

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its number in the file, from 1.
    pub line: u64,
    /// Bytes of the file that have been read when it was.
    pub offset: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub digest: String,
    /// Its content, or why it can't be read.
    pub content: Result<Value, String>,
}

/// SHA-256 of a line's content, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
