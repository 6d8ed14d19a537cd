//! Reading committed entries back from the segments. Each line is verified again when it is read.

use std::sync::Arc;

use super::entry::Entry;
use super::error::{Broken, Fault, ReadError};
use super::line::decode;
use super::segment::{LineEnd, LineReader, Segment};
use super::shared::Shared;

/// Entries `next..=end`, in order. Ends behind the first error.
pub(super) struct Reader {
    shared: Arc<Shared>,
    next: u64,
    end: u64,
    open: Option<(Segment, LineReader)>,
}

impl Reader {
    /// `end` is cut to what is durable.
    pub fn new(shared: Arc<Shared>, from: u64, end: u64) -> Self {
        let end = end.min(shared.durable.read().head.seq);
        Self { shared, next: from.max(1), end, open: None }
    }

    fn read(&mut self) -> Result<Arc<Entry>, ReadError> {
        if self.open.is_none() {
            self.open = Some(self.seek()?);
        }
        if let Some((segment, lines)) = &mut self.open
            && let Some(entry) = read_line(segment, lines, self.next)?
        {
            return Ok(entry);
        }
        // The segment has ended, so the entry is the first of the next one.
        let (segment, mut lines) = self.seek()?;
        let entry = read_line(&segment, &mut lines, self.next)?;
        let missing = || broken(&segment, 0, self.next, Fault::EndsEarly { answered: self.end });
        let entry = entry.ok_or_else(missing)?;
        self.open = Some((segment, lines));
        Ok(entry)
    }

    /// Opens the segment of the next entry, with that entry's line as the next one.
    fn seek(&self) -> Result<(Segment, LineReader), ReadError> {
        let spot = self.shared.durable.read().index.locate(self.next);
        let spot = spot.ok_or_else(|| std::io::Error::other("the journal's index has no such entry"))?;
        // Who wants one entry need not read far.
        let until = if self.next == self.end { spot.behind } else { spot.len };
        let mut lines = LineReader::open(&spot.segment.path, spot.offset, until)?;
        for _ in spot.seq..self.next {
            lines.next()?;
        }
        Ok((spot.segment, lines))
    }
}

fn read_line(segment: &Segment, lines: &mut LineReader, seq: u64) -> Result<Option<Arc<Entry>>, ReadError> {
    let Some(line) = lines.next()? else { return Ok(None) };
    let entry = if line.end == LineEnd::Newline { decode(line.bytes) } else { Err(Fault::Torn) };
    let entry = entry.map_err(|fault| broken(segment, line.offset, seq, fault))?;
    if entry.seq != seq {
        let fault = Fault::Seq { expected: seq, found: entry.seq };
        return Err(broken(segment, line.offset, seq, fault).into());
    }
    Ok(Some(Arc::new(entry)))
}

fn broken(segment: &Segment, offset: u64, seq: u64, fault: Fault) -> Broken {
    Broken { segment: segment.name(), offset, seq, fault }
}

impl Iterator for Reader {
    type Item = Result<Arc<Entry>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.end {
            return None;
        }
        let entry = self.read();
        match &entry {
            Ok(_) => self.next += 1,
            Err(_) => self.end = 0,
        }
        Some(entry)
    }
}
