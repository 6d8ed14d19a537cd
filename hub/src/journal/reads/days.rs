//! The journals of the days: their folders, and whether each goes on where the one before it ended.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::super::entry::{Digest, Head};
use super::super::error::OpenError;
use super::super::show::{Filter, lines};
use super::super::survey::Progress;
use super::super::verify::{Finding, VerifyReport};
use super::BEGUN;

/// What a day's first entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The day before it that has a journal; none on the first.
    pub(super) previous: Option<NaiveDate>,
    /// Its entries.
    pub(super) seq: u64,
    /// The hash of its last.
    pub(super) hash: Digest,
}

/// The folder of a day.
pub(super) fn folder_of(folder: &Path, day: NaiveDate) -> PathBuf {
    folder.join(day.to_string())
}

/// The days that have a journal, oldest first, with their folders.
///
/// # Errors
/// The folder can't be read.
pub fn days(folder: &Path) -> io::Result<Vec<(NaiveDate, PathBuf)>> {
    let mut days = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(days),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let day = path.file_name().and_then(|name| name.to_str()?.parse::<NaiveDate>().ok());
        days.extend(day.map(|day| (day, path)));
    }
    days.sort_unstable();
    Ok(days)
}

/// The end of a day's journal, read from what it has durable.
pub(super) fn end_of(path: &Path) -> Result<Head, OpenError> {
    let report = super::super::verify(path, |_| {})?;
    Ok(Head { seq: report.entries, hash: report.head })
}

/// Verifies the journals of all days, and that each begins where the one before it ended. The oldest that is there may
/// name one that was removed since.
///
/// # Errors
/// The files can't be read. Damage is not an error but the answer.
pub fn verify(folder: &Path, mut progress: impl FnMut(Progress)) -> Result<VerifyReport, OpenError> {
    let (head, broken) = (Digest::ZERO, None);
    let mut all = VerifyReport { entries: 0, erased: 0, segments: 0, bytes: 0, head, end_known: true, broken };
    let mut before: Option<(NaiveDate, u64, Digest)> = None;
    for (day, path) in days(folder).map_err(OpenError::io(folder))? {
        let report = super::super::verify(&path, &mut progress)?;
        let named = |finding: Finding| Finding { segment: format!("{day}/{}", finding.segment), ..finding };
        all.broken = report.broken.map(named).or_else(|| before.and_then(|before| unlinked(&path, day, before)));
        all.entries += report.entries;
        all.erased += report.erased;
        all.segments += report.segments;
        all.bytes += report.bytes;
        all.head = report.head;
        all.end_known &= report.end_known;
        if all.broken.is_some() {
            return Ok(all);
        }
        // A day that was begun and not written to in the moment of a crash is no link of the chain.
        if report.entries > 0 {
            before = Some((day, report.entries, report.head));
        }
    }
    Ok(all)
}

fn unlinked(path: &Path, day: NaiveDate, before: (NaiveDate, u64, Digest)) -> Option<Finding> {
    let (previous, seq, hash) = before;
    let wanted = Begun { previous: Some(previous), seq, hash };
    let first = lines(path, Filter::default()).ok().and_then(|mut lines| lines.next());
    let entry = first?.ok()?.entry;
    let said: Option<Begun> = entry.data.as_ref().and_then(|data| serde_json::from_str(data.get()).ok());
    if entry.kind == BEGUN && said.as_ref() == Some(&wanted) {
        return None;
    }
    Some(Finding {
        segment: format!("{day}/{:020}.jsonl", 1),
        offset: 0,
        seq: 1,
        fault: format!("expected it to go on after entry {seq} of {previous}, {hash}"),
        unfinished: false,
        cut_at: 1,
    })
}
