//! The end of the newest segment: where bytes are written, made durable, and, when that failed, cut off.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::disk::{Disk, SegmentFile};
use super::entry::Head;
use super::line::check;
use super::segment::{LineEnd, LineReader, Segment};

pub(super) struct Tail {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    segment: Segment,
    file: Box<dyn SegmentFile>,
    /// Durable bytes of the segment.
    len: u64,
    segment_bytes: u64,
}

impl Tail {
    /// Opens the segment, of which the first `len` bytes are verified, and makes them durable: what was found
    /// behind a crash may so far only be in the page cache.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        (segment, len): (Segment, u64),
        segment_bytes: u64,
    ) -> io::Result<Self> {
        let mut file = disk.open(&segment.path)?;
        file.sync()?;
        disk.sync_folder(&dir)?;
        Ok(Self { disk, dir, segment, file, len, segment_bytes })
    }

    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// Makes a group durable, in a new segment where this one is full. After an error only
    /// [`recover`](Self::recover) may follow.
    pub fn append(&mut self, first: u64, bytes: &[u8]) -> io::Result<()> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.len > 0 && self.len.saturating_add(length) > self.segment_bytes {
            self.segment = Segment::new(&self.dir, first);
            self.len = 0;
            self.file = self.disk.open(&self.segment.path)?;
            self.disk.sync_folder(&self.dir)?;
        }
        self.file.append(bytes)?;
        self.file.sync()?;
        self.len += length;
        Ok(())
    }

    /// Opens the segment anew, cuts off what isn't known to be durable, and verifies what is left.
    pub fn recover(&mut self, head: Head) -> io::Result<()> {
        self.file = self.disk.open(&self.segment.path)?;
        self.file.cut(self.len)?;
        self.disk.sync_folder(&self.dir)?;
        let mut lines = LineReader::open(&self.segment.path, 0, u64::MAX)?;
        let (mut scratch, mut last, mut end) = (String::new(), None, 0);
        while let Some(line) = lines.next()? {
            if line.end != LineEnd::Newline {
                return Err(io::Error::other("the segment doesn't end with a line"));
            }
            last = Some(check(line.bytes, &mut scratch).map_err(io::Error::other)?);
            end = line.offset + u64::try_from(line.bytes.len()).unwrap_or_default() + 1;
        }
        let same = last.is_none_or(|last| (last.seq, last.hash) == (head.seq, head.hash));
        if same && end == self.len { Ok(()) } else { Err(io::Error::other("the segment isn't what it was")) }
    }
}
