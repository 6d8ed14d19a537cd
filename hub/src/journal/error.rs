//! The errors of the journal, one type for each thing that can be asked of it.
//!
//! None of them carries data of an entry; names of segments, offsets and digests only.

use std::io;
use std::path::PathBuf;

use super::entry::Digest;
use super::line::MAX_LINE;

/// Why an append wrote nothing. Every variant but [`Unknown`](AppendError::Unknown) is a sure refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// A stream has moved since it was read.
    #[error("stream {stream} is at version {actual}, expected {expected}")]
    Conflict {
        /// The stream.
        stream: String,
        /// The version that the caller had read.
        expected: u64,
        /// The version that it has.
        actual: u64,
    },
    /// Somebody else holds a unique key.
    #[error("a claim is held by the append at seq {by}")]
    Claimed {
        /// The key's text.
        claim: String,
        /// `seq` of the first entry of the append that took it.
        by: u64,
    },
    /// The disk failed or is nearly full; nothing was written, later appends may succeed.
    #[error("the journal's storage is unavailable: {0}")]
    StorageUnavailable(&'static str),
    /// The entries' lines would be longer than an append may be.
    #[error("the append is {bytes} bytes long, at most {limit} are allowed")]
    TooLarge {
        /// The length of all lines.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The caller broke the contract of [`Append`](super::Append).
    #[error("not an append: {0}")]
    Invalid(&'static str),
    /// The journal is closed; nothing was written.
    #[error("the journal is closed")]
    Closed,
    /// The journal ended while the append was under way: it may or may not be durable.
    #[error("the journal ended before it answered")]
    Unknown,
}

/// What is wrong with a line, or between two lines: what was expected and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file ends in the middle of a line.
    #[error("the line has no end")]
    Torn,
    /// No newline within the longest line that is ever written.
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
    /// The line isn't built as the journal builds it.
    #[error("not an entry: expected {0}")]
    Layout(&'static str),
    /// The members before `salt` can't be read.
    #[error("not an entry: its members can't be read (byte {0})")]
    Members(usize),
    /// A schema of another time.
    #[error("schema: expected {expected}, found {found}", expected = super::entry::SCHEMA)]
    Schema {
        /// The member `v`.
        found: u8,
    },
    /// The line was changed.
    #[error("hash: the line says {expected}, its bytes give {found}")]
    Hash {
        /// The member `hash`.
        expected: String,
        /// What the bytes give.
        found: Digest,
    },
    /// The data or the salt was changed.
    #[error("dataHash: the line says {expected}, salt and data give {found}")]
    DataHash {
        /// The member `dataHash`.
        expected: String,
        /// What salt and data give.
        found: Digest,
    },
    /// An entry is missing or doubled.
    #[error("seq: expected {expected}, found {found}")]
    Seq {
        /// One more than the previous entry's.
        expected: u64,
        /// The member `seq`.
        found: u64,
    },
    /// The chain is broken.
    #[error("prev: expected {expected}, found {found}")]
    Prev {
        /// The previous entry's hash.
        expected: Digest,
        /// The member `prev`.
        found: String,
    },
    /// A stream skips or repeats a version.
    #[error("version: expected {expected}, found {found}")]
    Version {
        /// One more than the stream's previous one.
        expected: u64,
        /// The member `version`.
        found: u64,
    },
    /// Neither the previous entry's group nor a new one that begins here.
    #[error("group: expected {current} or {seq}, found {found}")]
    Group {
        /// The group of the previous entry.
        current: u64,
        /// The entry's own `seq`, which a new group would be named by.
        seq: u64,
        /// The member `group`.
        found: u64,
    },
    /// Time ran backwards.
    #[error("time: it lies before the previous entry's")]
    Time,
    /// The entries of one append don't follow each other.
    #[error("more: expected {expected}, found {found}")]
    More {
        /// One less than the previous entry's.
        expected: u32,
        /// The member `more`.
        found: u32,
    },
    /// The file ends before the last entry of an append.
    #[error("{0} more entries of the same append were expected")]
    Unfinished(u32),
    /// The next segment doesn't begin where this one ends.
    #[error("the next segment was expected to begin at seq {expected}, found {found}")]
    Gap {
        /// The `seq` behind the last one read.
        expected: u64,
        /// What the next segment's name says.
        found: u64,
    },
    /// The journal ends before an entry that was answered, as the file `head` knows.
    #[error("entries up to seq {answered} were answered, but the journal ends before")]
    EndsEarly {
        /// The last one that is known to have been answered.
        answered: u64,
    },
    /// The file `head` remembers another entry at this place.
    #[error("the entry that was answered here had the hash {expected}, found {found}")]
    Rewritten {
        /// What `head` says.
        expected: Digest,
        /// The entry's hash.
        found: Digest,
    },
}

/// A fault and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("segment {segment}, offset {offset}, seq {seq}: {fault}")]
pub struct Broken {
    /// The segment's file name.
    pub segment: String,
    /// Where in it the line begins, in bytes.
    pub offset: u64,
    /// The `seq` that was expected there.
    pub seq: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// Why entries could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What was verified when the journal was opened has been damaged since.
    #[error("the journal is damaged: {0}")]
    Damaged(#[from] Broken),
    /// Entries that were answered are missing at the end.
    #[error("the journal is damaged: it ends with seq {last}, but entries up to seq {answered} were answered")]
    EndsEarly {
        /// The last one that is there.
        last: u64,
        /// The last one that is known to have been answered.
        answered: u64,
    },
    /// The file system refused.
    #[error("the journal can't be read: {0}")]
    Io(#[from] io::Error),
}

/// Why a journal could not be opened, verified or cut.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error("the journal in {} is held by process {pid}: stop that one first", path.display())]
    Held {
        /// The journal's folder.
        path: PathBuf,
        /// The holder, as it wrote it down.
        pid: String,
    },
    /// Damage that is not the end of a flush which was never answered.
    #[error(
        "the journal is damaged: {broken}. Nothing was changed. Restore it, or decide to lose what lies behind: hub journal cut --at {cut_at} --reason …"
    )]
    Damaged {
        /// The first place.
        broken: Broken,
        /// `seq` of the first entry that would have to go: where the damaged append begins.
        cut_at: u64,
    },
    /// `claims.key` is gone, unreadable, or another journal's.
    #[error("{}: {problem}. Without it unique keys can't be told apart: restore it from the backup of this journal", path.display())]
    ClaimsKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
}

impl OpenError {
    /// For `map_err`: names the file.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
