//! Cutting the end of a journal off, for opening (a flush that was never answered) and for `cut` (an
//! operator's decision).
//!
//! What is cut off is kept in a file of its own beside the segments; it may hold personal data, and is the
//! operator's to look at and to delete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chrono::Utc;

use super::anchor;
use super::chain::Boundary;
use super::segment::{Segment, cut_file};

/// What was removed.
#[derive(Debug)]
pub(super) struct Removed {
    pub bytes: u64,
    /// The name of the file that has it; `None` where there was nothing.
    pub kept: Option<String>,
}

/// Removes everything behind `boundary`. The copy is durable first; then the newest segment goes first, so
/// that a crash in between leaves a shorter journal and no hole.
pub(super) fn remove_behind(dir: &Path, segments: &[Segment], boundary: Boundary) -> io::Result<Removed> {
    let removed = keep(dir, segments, boundary)?;
    anchor::forget(dir)?;
    for segment in segments.iter().skip(boundary.segment + 1).rev() {
        fs::remove_file(&segment.path)?;
    }
    if let Some(segment) = segments.get(boundary.segment) {
        let file = OpenOptions::new().write(true).open(&segment.path)?;
        file.set_len(boundary.offset)?;
        file.sync_all()?;
    }
    File::open(dir)?.sync_all()?;
    Ok(removed)
}

fn keep(dir: &Path, segments: &[Segment], boundary: Boundary) -> io::Result<Removed> {
    let path = cut_file(dir, boundary.seq, Utc::now().timestamp_millis());
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let mut bytes = 0;
    for (at, segment) in segments.iter().enumerate().skip(boundary.segment) {
        let mut file = File::open(&segment.path)?;
        if at == boundary.segment {
            file.seek(SeekFrom::Start(boundary.offset))?;
        }
        bytes += io::copy(&mut file, &mut copy)?;
    }
    copy.sync_all()?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    if bytes == 0 {
        fs::remove_file(&path)?;
        return Ok(Removed { bytes, kept: None });
    }
    Ok(Removed { bytes, kept: name })
}
