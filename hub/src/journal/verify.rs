//! `hub journal verify`: checks the whole chain and says where it breaks. Changes nothing, and may run beside
//! the hub that holds the journal.

use std::path::Path;

use serde::Serialize;

use super::anchor;
use super::entry::Digest;
use super::error::OpenError;
use super::segment::Segment;
use super::survey::{Damage, Progress, survey};

/// What verification found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Entries that verify, from the first on.
    pub entries: u64,
    /// Of them, those whose data was erased.
    pub erased: u64,
    /// Segments in the folder.
    pub segments: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// The hash of the last entry that verifies.
    pub head: Digest,
    /// Whether the file `head` says how far entries were answered. Where it does not, whole entries that were cut off the
    /// end don't show.
    pub end_known: bool,
    /// The first place that doesn't; `None`: all is well.
    pub broken: Option<Finding>,
}

/// The first broken entry.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The segment's file name.
    pub segment: String,
    /// Where in it, in bytes.
    pub offset: u64,
    /// The `seq` that was expected there.
    pub seq: u64,
    /// What was expected and what was found.
    pub fault: String,
    /// It can be the middle of a flush that was never answered: one that runs right now, or one in which the hub was killed. The next
    /// start cuts it off.
    pub unfinished: bool,
    /// What `hub journal cut --at` would take to remove it.
    pub cut_at: u64,
}

/// Verifies the journal in `path`.
///
/// # Errors
/// The files can't be read. Damage is not an error but the answer.
pub fn verify(path: &Path, mut progress: impl FnMut(Progress)) -> Result<VerifyReport, OpenError> {
    // In this order: a hub that goes on writing can only make the segments newer.
    let anchor = anchor::read(path).map_err(OpenError::io(path))?;
    let segments = Segment::list(path).map_err(OpenError::io(path))?;
    let survey = survey(segments, anchor, &mut progress).map_err(OpenError::io(path))?;
    let finding = |Damage { broken, boundary, unfinished }: Damage| Finding {
        segment: broken.segment,
        offset: broken.offset,
        seq: broken.seq,
        fault: broken.fault.to_string(),
        unfinished,
        cut_at: boundary.seq,
    };
    Ok(VerifyReport {
        entries: survey.chain.entries(),
        erased: survey.chain.erased,
        segments: survey.segments.len(),
        bytes: survey.bytes,
        head: survey.chain.head.hash,
        end_known: anchor.is_some(),
        broken: survey.damage.map(finding),
    })
}
