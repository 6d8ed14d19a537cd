//! The journal: the append-only, hash-chained log that everything else is made from.
//!
//! An append that was answered is durable; nothing else is ever a commit. The journal orders entries, keeps
//! streams' versions and unique keys, and proves afterwards that nothing was changed. It refuses to know what
//! an entry means: `data` is bytes to it.
//!
//! Invariants:
//! - `seq` is 1, 2, 3, … and alone orders; each entry names the one before it by its hash.
//! - The entries of one append are in one group, one behind the other, and become durable together.
//! - Nobody is answered before `fdatasync` has returned and the fold has seen his entries.
//! - Nothing is written to a file on which a write or an `fdatasync` has failed.
//! - Nothing is repaired silently: only the end of a flush that was never answered is cut off, with a warning
//!   and a copy; anything else is refused with its place.
//!
//! # The line
//!
//! One JSON object without spaces or line breaks, its members in this order (those in brackets are left out
//! when there is nothing to say):
//!
//! `v`, `seq`, `id`, `time`, `group`, \[`more`\], `org`, `stream`, `version`, `kind`, `actor`, \[`action`\],
//! `requestId`, \[`trace`\], \[`key`\], \[`claims`\], \[`releases`\], `salt`, `dataHash`, `data`, `prev`, `hash`.
//!
//! `group` is the `seq` of the first entry of the same flush; `more` says how many entries of the same append
//! follow; `claims` and `releases` (of the append, on its first entry) are keyed digests, see `claims`.
//!
//! # Checking a line by hand
//!
//! `dataHash` is SHA-256 over the 32 digits of `salt` followed by the bytes of `data`. `hash` is SHA-256 over
//! the line's bytes before `,"hash"`, less the bytes from `"salt":` up to and with the comma behind its value,
//! and less those from `"data":` up to and with the comma behind its value. For line `$n` of a segment:
//!
//! ```sh
//! line=$(sed -n "${n}p" "$segment")
//! parts='"salt":"([0-9a-f]*)","dataHash":"([0-9a-f]{64})","data":(.*),"prev":"([0-9a-f]{64})","hash":"[0-9a-f]{64}"\}$'
//! printf %s "$line" | sed -E "s/$parts/\"dataHash\":\"\2\",\"prev\":\"\4\"/" | sha256sum   # is hash
//! printf %s "$line" | sed -E "s/.*$parts/\1\3/" | sha256sum                                # is dataHash
//! ```
//!
//! The `prev` of a line is the `hash` of the line before it, across segments; the first one's is zeros. An
//! erased entry has an empty `salt` and `null` for `data`: its `hash` still verifies, its `dataHash` can't be.
//!
//! # Files
//!
//! `00000000000000000001.jsonl` … (segments, named by their first `seq`), `claims.key`, `head` (the newest
//! answered entry), `lock` (the holder's process id), `cut-….jsonl` (what was ever cut off).

mod anchor;
mod chain;
mod claims;
mod compose;
mod config;
pub mod conflict;
mod cut;
mod disk;
mod entry;
mod error;
mod file;
mod flusher;
mod gather;
mod ledger;
mod line;
mod open;
mod reader;
pub mod reads;
mod removal;
mod reserve;
mod segment;
mod shared;
mod show;
mod subscription;
mod survey;
mod tail;
mod verify;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::future::BoxFuture;

pub use config::{JournalConfig, Kind, NoSuchKind};
pub use cut::{CUTS, CutError, CutOrder, CutReport, cut};
pub use disk::{Space, space};
pub use entry::{Actor, Append, Claim, Committed, Digest, Entry, Head, Hex, NewEntry, NotHex, RequestKey, SCHEMA};
pub use error::{AppendError, Broken, Fault, OpenError, ReadError};
pub use file::FileJournal;
pub use flusher::FlushObserver;
pub use open::{Cut, OpenReport, Options, holder};
pub use reserve::Reserve;
pub use show::{Edge, Filter, Lines, NotAnEdge, Shown, lines};
pub use subscription::Subscription;
pub use survey::Progress;
pub use verify::{Finding, VerifyReport, verify};

/// What the rest of the hub asks of a journal, wherever it is kept.
pub trait Journal: Send + Sync {
    /// Commits all entries or none. Dropping the future cancels nothing that has been taken in.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Committed, AppendError>>;

    /// The entries from `from_seq` up to the head at the time of the call. Reads files: not for a runtime's
    /// own threads.
    fn read(&self, from_seq: u64) -> Box<dyn Iterator<Item = Result<Arc<Entry>, ReadError>> + Send>;

    /// The entries from `from_seq` on, without end, each once it has been folded.
    fn subscribe(&self, from_seq: u64) -> Subscription;

    /// Whether there is more free space than the reserve; below it changes are refused and reading goes on.
    fn has_room(&self) -> bool;

    /// The newest durable entry.
    fn head(&self) -> Head;

    /// The version of a stream; 0 where there is none.
    fn version(&self, stream: &str) -> u64;

    /// The first entry of the append that holds a unique key; `None` where it is free or has lapsed.
    fn claimed(&self, claim: &str) -> Option<u64>;

    /// One entry by its place. Reads a file: not for a runtime's own threads.
    ///
    /// # Errors
    /// The file can't be read, or has been damaged since it was verified.
    fn entry(&self, seq: u64) -> Result<Option<Arc<Entry>>, ReadError>;
}
