//! Segments: the files, their names, their lines, and where in them an entry is.
//!
//! A segment is named by the `seq` of its first entry, and a group never spans two of them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::line::MAX_LINE;

/// Every how many entries the index remembers an offset.
const STRIDE: u64 = 16;

const BUFFER: usize = 256 << 10;
const EXTENSION: &str = ".jsonl";

/// One file.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// The `seq` of its first entry, from its name.
    pub first: u64,
    pub path: Arc<Path>,
}

impl Segment {
    pub fn new(dir: &Path, first: u64) -> Self {
        Self { first, path: dir.join(format!("{first:020}{EXTENSION}")).into() }
    }

    /// The file name, for messages.
    pub fn name(&self) -> String {
        format!("{:020}{EXTENSION}", self.first)
    }

    /// All segments in `dir` in the order of their entries.
    pub fn list(dir: &Path) -> io::Result<Vec<Self>> {
        let mut segments = Vec::new();
        for file in fs::read_dir(dir)? {
            let name = file?.file_name();
            let digits = name.to_str().and_then(|name| name.strip_suffix(EXTENSION));
            let first = digits.filter(|digits| digits.len() == 20).and_then(|digits| digits.parse().ok());
            segments.extend(first.map(|first| Self::new(dir, first)));
        }
        segments.sort_by_key(|segment| segment.first);
        Ok(segments)
    }
}

/// A line of a segment.
pub(super) struct RawLine<'a> {
    /// Where it begins.
    pub offset: u64,
    /// Without its newline.
    pub bytes: &'a [u8],
    pub end: LineEnd,
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    Newline,
    /// The file, or the part of it to be read, ended first.
    File,
    /// It was longer than any entry may be; the next "line" is its rest.
    Limit,
}

/// Reads the lines of one segment, in bounded memory whatever the file holds.
pub(super) struct LineReader {
    file: BufReader<io::Take<File>>,
    offset: u64,
    line: Vec<u8>,
}

impl LineReader {
    /// Begins at `offset` and reads up to `end`, both in bytes from the file's beginning.
    pub fn open(path: &Path, offset: u64, end: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let wanted = end.saturating_sub(offset);
        let capacity = usize::try_from(wanted).map_or(BUFFER, |wanted| wanted.min(BUFFER));
        let file = BufReader::with_capacity(capacity, file.take(wanted));
        Ok(Self { file, offset, line: Vec::new() })
    }

    /// The next line, `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.line.clear();
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let length = self.file.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        if length == 0 {
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += u64::try_from(length).unwrap_or_default();
        let (bytes, end) = match self.line.strip_suffix(b"\n") {
            Some(bytes) => (bytes, LineEnd::Newline),
            None if length == MAX_LINE => (self.line.as_slice(), LineEnd::Limit),
            None => (self.line.as_slice(), LineEnd::File),
        };
        Ok(Some(RawLine { offset, bytes, end }))
    }
}

/// One segment of the index.
#[derive(Debug)]
struct Indexed {
    segment: Segment,
    /// Bytes that hold durable entries.
    len: u64,
    marks: Vec<(u64, u64)>,
}

/// Where to begin to read for an entry.
#[derive(Debug)]
pub(super) struct Spot {
    pub segment: Segment,
    /// The entry at `offset`, the wanted one or up to [`STRIDE`] before it.
    pub seq: u64,
    pub offset: u64,
    /// Behind the wanted entry, at most [`STRIDE`] entries further.
    pub behind: u64,
    /// The segment's durable length.
    pub len: u64,
}

/// Where every entry is, nearly: one offset for each [`STRIDE`] entries.
#[derive(Debug, Default)]
pub(super) struct Index {
    segments: Vec<Indexed>,
}

impl Index {
    /// Takes in a segment in which nothing is known to be durable yet.
    pub fn begin(&mut self, segment: Segment) {
        self.segments.push(Indexed { segment, len: 0, marks: Vec::new() });
    }

    /// Takes in a segment that has been begun since, if it has.
    pub fn reach(&mut self, segment: &Segment) {
        if self.segments.last().is_none_or(|newest| newest.segment.first != segment.first) {
            self.begin(segment.clone());
        }
    }

    /// Takes in one durable line of the newest segment.
    pub fn extend(&mut self, seq: u64, length: u64) {
        if let Some(newest) = self.segments.last_mut() {
            if seq.is_multiple_of(STRIDE) || newest.marks.is_empty() {
                newest.marks.push((seq, newest.len));
            }
            newest.len += length;
        }
    }

    /// Where to begin to read for `seq`; in the segment that would hold it.
    pub fn locate(&self, seq: u64) -> Option<Spot> {
        let at = self.segments.partition_point(|one| one.segment.first <= seq).checked_sub(1)?;
        let one = self.segments.get(at)?;
        let mark = one.marks.partition_point(|(marked, _)| *marked <= seq).checked_sub(1)?;
        let (marked, offset) = one.marks.get(mark).copied()?;
        let behind = one.marks.get(mark + 1).map_or(one.len, |(_, next)| *next);
        Some(Spot { segment: one.segment.clone(), seq: marked, offset, behind, len: one.len })
    }

    pub fn count(&self) -> usize {
        self.segments.len()
    }
}

/// Where what is cut off at `seq` is kept; no name of a segment.
pub(super) fn cut_file(dir: &Path, seq: u64, unix_millis: i64) -> PathBuf {
    dir.join(format!("cut-{seq}-{unix_millis}.jsonl"))
}
