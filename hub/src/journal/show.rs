//! `hub journal show` and `export`: the lines of a journal, exactly as they are stored, filtered.
//!
//! Reads the files alone, without the lock, so beside a running hub too; an unfinished last line is where it
//! ends, and an end before what was answered is an error behind the last line. Each line that is given out has been
//! verified by itself, the chain has not: that is `verify`'s.

use std::path::Path;
use std::str::FromStr;
use std::vec::IntoIter;

use chrono::{DateTime, Utc};

use super::anchor;
use super::entry::Entry;
use super::error::{Broken, Fault, OpenError, ReadError};
use super::line::decode;
use super::segment::{LineEnd, LineReader, Segment};

/// One end of a range of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// By place.
    Seq(u64),
    /// By time.
    Time(DateTime<Utc>),
}

/// A text that is no [`Edge`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a place in the journal: {0:?}. Expected a seq (17) or a time (2026-03-01T00:00:00Z)")]
pub struct NotAnEdge(String);

impl FromStr for Edge {
    type Err = NotAnEdge;

    fn from_str(text: &str) -> Result<Self, NotAnEdge> {
        let seq = text.parse().map(Self::Seq);
        let time = || DateTime::parse_from_rfc3339(text).map(|time| Self::Time(time.to_utc()));
        seq.or_else(|_| time()).map_err(|_| NotAnEdge(text.to_owned()))
    }
}

/// Which entries to give out; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The stream, to the letter.
    pub stream: Option<String>,
    /// The organisation.
    pub org: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// The first one, included.
    pub from: Option<Edge>,
    /// The last one, included.
    pub to: Option<Edge>,
}

impl Filter {
    fn keeps(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|text| text == found);
        is(&self.stream, &entry.stream)
            && is(&self.org, &entry.org)
            && is(&self.kind, &entry.kind)
            && match self.from {
                Some(Edge::Seq(seq)) => entry.seq >= seq,
                Some(Edge::Time(time)) => entry.time >= time,
                None => true,
            }
    }

    fn ends_before(&self, entry: &Entry) -> bool {
        match self.to {
            Some(Edge::Seq(seq)) => entry.seq > seq,
            Some(Edge::Time(time)) => entry.time > time,
            None => false,
        }
    }
}

/// A line that the filter keeps.
#[derive(Debug, Clone)]
pub struct Shown {
    /// As it is stored, without the newline.
    pub line: String,
    /// The same, read.
    pub entry: Entry,
}

/// The lines of a journal; ends behind the first error.
pub struct Lines {
    segments: IntoIter<Segment>,
    open: Option<(Segment, LineReader)>,
    filter: Filter,
    seq: u64,
    /// The last entry that is known to have been answered.
    answered: u64,
    ended: bool,
}

/// The lines of the journal in `path` that `filter` keeps.
///
/// # Errors
/// The folder can't be read.
pub fn lines(path: &Path, filter: Filter) -> Result<Lines, OpenError> {
    // In this order: a hub that goes on writing can only make the segments newer.
    let anchor = anchor::read(path).map_err(OpenError::io(path))?;
    let mut segments = Segment::list(path).map_err(OpenError::io(path))?;
    let seq = segments.first().map_or(1, |segment| segment.first);
    if let Some(Edge::Seq(from)) = filter.from {
        let skip = segments.partition_point(|segment| segment.first <= from).saturating_sub(1);
        segments.drain(..skip);
    }
    Ok(Lines {
        segments: segments.into_iter(),
        open: None,
        filter,
        seq,
        answered: anchor.map_or(0, |anchor| anchor.seq),
        ended: false,
    })
}

impl Lines {
    fn read(&mut self) -> Result<Option<Shown>, ReadError> {
        loop {
            if self.open.is_none() {
                let Some(segment) = self.segments.next() else { return self.end() };
                let lines = LineReader::open(&segment.path, 0, u64::MAX)?;
                self.seq = segment.first;
                self.open = Some((segment, lines));
            }
            let Some((segment, lines)) = &mut self.open else { return Ok(None) };
            let Some(line) = lines.next()? else {
                self.open = None;
                continue;
            };
            if line.end == LineEnd::File && self.segments.as_slice().is_empty() {
                return self.end();
            }
            let entry = if line.end == LineEnd::Newline { decode(line.bytes) } else { Err(Fault::Torn) };
            let (segment, offset, seq) = (segment.name(), line.offset, self.seq);
            let entry = entry.map_err(|fault| Broken { segment, offset, seq, fault })?;
            self.seq = entry.seq + 1;
            if self.filter.ends_before(&entry) {
                return Ok(None);
            }
            if self.filter.keeps(&entry) {
                let line = String::from_utf8_lossy(line.bytes).into_owned();
                return Ok(Some(Shown { line, entry }));
            }
        }
    }

    /// Behind the last whole line.
    fn end(&self) -> Result<Option<Shown>, ReadError> {
        if self.seq > self.answered {
            Ok(None)
        } else {
            Err(ReadError::EndsEarly { last: self.seq - 1, answered: self.answered })
        }
    }
}

impl Iterator for Lines {
    type Item = Result<Shown, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let shown = self.read().transpose();
        self.ended = !matches!(shown, Some(Ok(_)));
        shown
    }
}
