//! Reading a whole journal and verifying every line, every link, every version: what opening, `verify` and
//! `cut` have in common. Changes nothing.
//!
//! Two threads verify the lines of different segments, each a segment ahead at most; the thread that asked
//! follows the chain through what they found.

use std::io;
use std::path::Path;
use std::thread;

use crossbeam_channel::{Sender, bounded};

use super::anchor::Anchor;
use super::chain::{Boundary, Chain};
use super::error::{Broken, Fault};
use super::gather::MAX_GROUP;
use super::line::{Facts, MAX_LINE, check, group_hint};
use super::segment::{LineEnd, LineReader, Segment};

const THREADS: usize = 2;

/// How far verification has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Entries verified.
    pub entries: u64,
    /// Segments done.
    pub segments: usize,
    /// Segments in all.
    pub of: usize,
}

/// The first place at which the journal can't be trusted.
#[derive(Debug)]
pub(super) struct Damage {
    pub broken: Broken,
    /// Where the last whole append before it ends.
    pub boundary: Boundary,
    /// It is the newest group alone and nothing of it is known to have been answered, so a flush in whose middle the hub
    /// may have ended.
    pub unfinished: bool,
}

/// A verified journal.
#[derive(Debug)]
pub(super) struct Survey {
    pub chain: Chain,
    pub segments: Vec<Segment>,
    pub bytes: u64,
    /// Whether the file `head` could be read.
    pub end_known: bool,
    pub damage: Option<Damage>,
}

/// What one thread found in one segment.
struct Found {
    segment: Segment,
    facts: Vec<(u64, u64, Facts)>,
    /// The first line that is damaged by itself: where, and how.
    bad: Option<(u64, Fault)>,
    /// The newest group named by any line from the bad one on.
    later: u64,
    len: u64,
}

/// Verifies `segments`.
pub(super) fn survey(
    segments: Vec<Segment>,
    anchor: Option<Anchor>,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Survey> {
    let mut follow = Follow { chain: Chain::new(anchor), damage: None, evidence: 0, surely: false, bytes: 0 };
    let of = segments.len();
    thread::scope(|scope| {
        let mut readers = Vec::with_capacity(THREADS);
        for at in 0..THREADS {
            let (send, receive) = bounded(1);
            let mine: Vec<_> = segments.iter().skip(at).step_by(THREADS).cloned().collect();
            scope.spawn(move || read_all(mine, &send));
            readers.push(receive);
        }
        for (done, reader) in readers.iter().cycle().take(of).enumerate() {
            let found = reader.recv().map_err(|_| io::Error::other("a reading thread ended"))??;
            follow.segment(done, found);
            progress(Progress { entries: follow.chain.entries(), segments: done + 1, of });
        }
        Ok::<_, io::Error>(())
    })?;
    Ok(follow.finish(segments, anchor))
}

fn read_all(segments: Vec<Segment>, send: &Sender<io::Result<Found>>) {
    for segment in segments {
        if send.send(read_segment(segment)).is_err() {
            return;
        }
    }
}

fn read_segment(segment: Segment) -> io::Result<Found> {
    let mut found = Found { facts: Vec::new(), bad: None, later: 0, len: 0, segment };
    let mut lines = LineReader::open(&found.segment.path, 0, u64::MAX)?;
    let mut scratch = String::new();
    while let Some(line) = lines.next()? {
        let length = u64::try_from(line.bytes.len()).unwrap_or_default();
        found.len = line.offset + length + u64::from(line.end == LineEnd::Newline);
        if found.bad.is_none() {
            let facts = match line.end {
                LineEnd::Newline => check(line.bytes, &mut scratch),
                LineEnd::File => Err(Fault::Torn),
                LineEnd::Limit => Err(Fault::TooLong),
            };
            match facts {
                Ok(facts) => {
                    found.facts.push((line.offset, length + 1, facts));
                    continue;
                }
                Err(fault) => found.bad = Some((line.offset, fault)),
            }
        }
        found.later = found.later.max(group_hint(line.bytes).unwrap_or_default());
    }
    Ok(found)
}

/// Follows the chain through what was found; behind the first damage it only collects what speaks against
/// that having been the newest group.
struct Follow {
    chain: Chain,
    damage: Option<Broken>,
    /// The newest group that is known of.
    evidence: u64,
    /// The damage is none that a crash can leave.
    surely: bool,
    bytes: u64,
}

impl Follow {
    fn segment(&mut self, at: usize, found: Found) {
        self.bytes += found.len;
        let Found { segment, facts, bad, later, len } = found;
        if self.damage.is_none() {
            self.begin(&segment);
        }
        if self.damage.is_none() {
            self.chain.begin(at, &segment);
        } else if len > 0 {
            self.evidence = self.evidence.max(segment.first);
        }
        for (offset, length, facts) in facts {
            if self.damage.is_none()
                && let Err(fault) = self.chain.accept(&facts, length)
            {
                self.surely |= matches!(fault, Fault::Rewritten { .. });
                self.damaged(&segment, offset, fault, len);
            }
            if self.damage.is_some() {
                self.evidence = self.evidence.max(facts.group);
            }
        }
        self.evidence = self.evidence.max(later);
        if let (Some((offset, fault)), None) = (bad, &self.damage) {
            self.damaged(&segment, offset, fault, len);
        }
    }

    /// Where the last segment ended, this one has to begin.
    fn begin(&mut self, segment: &Segment) {
        let expected = self.chain.next_seq();
        let gap = Fault::Gap { expected, found: segment.first };
        let fault = match self.chain.unfinished() {
            Some(fault) => fault,
            None if segment.first != expected => gap,
            None => return,
        };
        self.surely = true;
        let (last, end) = self.chain.end().unwrap_or_else(|| (segment.clone(), 0));
        self.damaged(&last, end, fault, end);
    }

    fn damaged(&mut self, segment: &Segment, offset: u64, fault: Fault, len: u64) {
        let longest = u64::try_from(MAX_GROUP + MAX_LINE).unwrap_or(u64::MAX);
        self.surely |= len.saturating_sub(offset) > longest;
        let seq = self.chain.next_seq();
        self.damage = Some(Broken { segment: segment.name(), offset, seq, fault });
    }

    fn finish(mut self, segments: Vec<Segment>, anchor: Option<Anchor>) -> Survey {
        let answered = anchor.map(|anchor| anchor.seq);
        if self.damage.is_none()
            && let Some((last, end)) = self.chain.end()
        {
            let early = answered.filter(|answered| *answered >= self.chain.next_seq());
            let early = early.map(|answered| Fault::EndsEarly { answered });
            if let Some(fault) = self.chain.unfinished().or(early) {
                self.damaged(&last, end, fault, end);
            }
        } else if let (Some(answered), true) = (answered.filter(|seq| *seq > 0), segments.is_empty()) {
            self.surely = true;
            self.damaged(&Segment::new(Path::new(""), 1), 0, Fault::EndsEarly { answered }, 0);
        }
        let evidence = self.evidence.max(anchor.map_or(0, |anchor| anchor.group));
        let boundary = self.chain.boundary();
        let damage = self.damage.map(|broken| Damage {
            unfinished: !self.surely
                && evidence <= broken.seq
                && answered.is_none_or(|answered| answered < boundary.seq),
            broken,
            boundary,
        });
        Survey { chain: self.chain, segments, bytes: self.bytes, end_known: anchor.is_some(), damage }
    }
}
