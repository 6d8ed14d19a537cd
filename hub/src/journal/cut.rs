//! `hub journal cut --at SEQ --reason …`: an operator's decision to lose the end of a journal.
//!
//! Everything before SEQ must verify; everything from SEQ on is moved to a file beside the segments; and the
//! decision is the next entry, `journal.cut` in the stream `journal`. The numbers from SEQ on are given again:
//! whoever remembers a place in the journal has to remember its hash too.

use std::path::Path;

use futures::executor::block_on;
use serde::Serialize;
use serde_json::value::to_raw_value;

use super::Journal;
use super::chain::Boundary;
use super::entry::{Actor, Append, Digest, Head, NewEntry};
use super::error::{AppendError, OpenError};
use super::file::FileJournal;
use super::open::{Options, lock, look};
use super::removal::{Removed, remove_behind};
use super::reserve::Reserve;
use super::segment::{LineReader, Segment};
use super::survey::Survey;

/// The stream of such decisions.
pub const CUTS: &str = "journal";

/// The decision.
#[derive(Debug, Clone)]
pub struct CutOrder {
    /// The first entry to lose.
    pub at: u64,
    /// Why, in the operator's words.
    pub reason: String,
    /// The organisation that the decision is recorded under.
    pub org: String,
    /// Who decided.
    pub actor: Actor,
    /// The id that the decision can be found by.
    pub request_id: String,
}

/// What was done.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CutReport {
    /// The last entry that is left of the old journal, and its hash.
    pub last: u64,
    /// Its hash.
    pub hash: Digest,
    /// Bytes removed.
    pub bytes: u64,
    /// The file in the journal's folder that has them now.
    pub kept: Option<String>,
    /// `seq` of the entry that records the decision.
    pub entry: u64,
}

/// Why nothing was cut.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// The journal can't be had, or not opened again behind the cut.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The place lies behind damage.
    #[error("the journal is damaged before seq {at}: cut at {first} at the latest")]
    BehindDamage {
        /// The place asked for.
        at: u64,
        /// The first damaged entry.
        first: u64,
    },
    /// The place is behind the end, or no place.
    #[error("there is no entry {at}: the journal has 1 to {last}")]
    NoSuchEntry {
        /// The place asked for.
        at: u64,
        /// The last entry.
        last: u64,
    },
    /// The entries of one append can't be parted.
    #[error("entry {at} was appended together with those before it: cut at {first}")]
    InsideAppend {
        /// The place asked for.
        at: u64,
        /// Where the append begins.
        first: u64,
    },
    /// The reason is empty.
    #[error("a cut needs a reason")]
    NoReason,
    /// The end was cut off, but the decision could not be recorded.
    #[error("the end was cut off, but the entry that says so was refused: {0}")]
    Record(#[from] AppendError),
}

/// Cuts the journal in `path`. No hub may hold it.
///
/// # Errors
/// Nothing was changed, but for [`CutError::Record`] and an I/O error on the way.
pub fn cut(path: &Path, order: CutOrder) -> Result<CutReport, CutError> {
    if order.reason.trim().is_empty() {
        return Err(CutError::NoReason);
    }
    let held = lock(path)?;
    let survey = look(path)?;
    let boundary = place(&survey, order.at)?;
    let removed = remove_behind(path, &survey.segments, boundary).map_err(OpenError::io(path))?;
    drop(held);
    // Whoever cuts may do it because the disk is full.
    let reserve = Reserve { percent: 0, at_least: 0 };
    let (journal, _) = FileJournal::open(Options { reserve, ..Options::new(path) }, |_| {})?;
    let Head { seq: last, hash } = journal.head();
    let entry = record(&journal, order, &removed)?;
    journal.close();
    Ok(CutReport { last, hash, bytes: removed.bytes, kept: removed.kept, entry })
}

/// The bytes to keep, where `at` is a place that can be cut.
fn place(survey: &Survey, at: u64) -> Result<Boundary, CutError> {
    let chain = &survey.chain;
    let end = chain.boundary();
    match &survey.damage {
        Some(_) if at > end.seq => return Err(CutError::BehindDamage { at, first: end.seq }),
        Some(_) if at == end.seq => return Ok(end),
        _ if at == 0 || at > chain.head.seq => {
            return Err(CutError::NoSuchEntry { at, last: chain.head.seq });
        }
        _ => {}
    }
    let missing = || CutError::NoSuchEntry { at, last: chain.head.seq };
    let spot = chain.index.locate(at).ok_or_else(missing)?;
    let segment = survey.segments.iter().position(|one| one.first == spot.segment.first);
    let segment = segment.ok_or_else(missing)?;
    let (offset, begins) = find(&spot.segment, at).map_err(OpenError::io(&*spot.segment.path))?;
    if begins != at {
        return Err(CutError::InsideAppend { at, first: begins });
    }
    Ok(Boundary { segment, offset, seq: at })
}

/// Where the entry is, and the first entry of its append. An append lies in one segment.
fn find(segment: &Segment, at: u64) -> std::io::Result<(u64, u64)> {
    let mut lines = LineReader::open(&segment.path, 0, u64::MAX)?;
    let (mut seq, mut begins, mut scratch) = (segment.first, segment.first, String::new());
    while let Some(line) = lines.next()? {
        if seq == at {
            return Ok((line.offset, begins));
        }
        let facts = super::line::check(line.bytes, &mut scratch).map_err(std::io::Error::other)?;
        seq += 1;
        if facts.more == 0 {
            begins = seq;
        }
    }
    Err(std::io::Error::other("the segment ends before the entry"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Decision<'a> {
    at: u64,
    reason: &'a str,
    bytes: u64,
    kept: Option<&'a str>,
}

fn record(journal: &FileJournal, order: CutOrder, removed: &Removed) -> Result<u64, CutError> {
    let Removed { bytes, kept } = removed;
    let decision = Decision { at: order.at, reason: &order.reason, bytes: *bytes, kept: kept.as_deref() };
    let data = to_raw_value(&decision).map_err(|_| AppendError::Invalid("the reason is no JSON"))?;
    let entry = NewEntry {
        org: order.org,
        stream: CUTS.to_owned(),
        kind: "journal.cut".into(),
        actor: order.actor,
        action: "".into(),
        request_id: order.request_id,
        trace: None,
        key: None,
        data,
        event: None,
    };
    let committed = block_on(journal.append(Append { entries: vec![entry], ..Append::default() }))?;
    Ok(committed.entries.first().map_or(0, |entry| entry.seq))
}
