//! The rules between entries: `seq`, `prev`, `group`, `more`, `time` and the versions of streams.

use chrono::{DateTime, Utc};

use super::anchor::Anchor;
use super::entry::{Digest, Head};
use super::error::Fault;
use super::ledger::Ledger;
use super::line::Facts;
use super::segment::{Index, Segment};

/// Where whole appends end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boundary {
    /// The segment, counted from the first.
    pub segment: usize,
    /// The byte in it.
    pub offset: u64,
    /// The entry that comes next.
    pub seq: u64,
}

/// A journal as far as it was read, all in order so far.
#[derive(Debug)]
pub(super) struct Chain {
    pub ledger: Ledger,
    pub index: Index,
    pub head: Head,
    pub time: DateTime<Utc>,
    pub group: u64,
    pub erased: u64,
    more: u32,
    anchor: Option<Anchor>,
    at: Option<(usize, Segment, u64)>,
    boundary: Boundary,
}

impl Chain {
    pub fn new(anchor: Option<Anchor>) -> Self {
        Self {
            ledger: Ledger::default(),
            index: Index::default(),
            head: Head::EMPTY,
            time: DateTime::<Utc>::UNIX_EPOCH,
            group: 0,
            erased: 0,
            more: 0,
            anchor,
            at: None,
            boundary: Boundary { segment: 0, offset: 0, seq: 1 },
        }
    }

    pub fn next_seq(&self) -> u64 {
        self.head.seq + 1
    }

    pub fn entries(&self) -> u64 {
        self.head.seq
    }

    pub fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// The segment that is being read, and the byte behind its last entry.
    pub fn end(&self) -> Option<(Segment, u64)> {
        self.at.as_ref().map(|(_, segment, offset)| (segment.clone(), *offset))
    }

    /// The fault of ending here, in the middle of an append.
    pub fn unfinished(&self) -> Option<Fault> {
        (self.more > 0).then_some(Fault::Unfinished(self.more))
    }

    /// Goes on with the next segment.
    pub fn begin(&mut self, at: usize, segment: &Segment) {
        self.at = Some((at, segment.clone(), 0));
        self.index.begin(segment.clone());
    }

    /// Takes in the next entry, `length` bytes with its newline; on a fault nothing of it.
    pub fn accept(&mut self, facts: &Facts, length: u64) -> Result<(), Fault> {
        self.check(facts)?;
        let version = |expected| Fault::Version { expected, found: facts.version };
        self.ledger.replay(facts).map_err(version)?;
        self.index.extend(facts.seq, length);
        self.head = Head { seq: facts.seq, hash: facts.hash };
        (self.time, self.group, self.more) = (facts.time, facts.group, facts.more);
        self.erased += u64::from(facts.erased);
        if let Some((at, _, offset)) = &mut self.at {
            *offset += length;
            if facts.more == 0 {
                self.boundary = Boundary { segment: *at, offset: *offset, seq: facts.seq + 1 };
            }
        }
        Ok(())
    }

    fn check(&self, facts: &Facts) -> Result<(), Fault> {
        let Facts { seq, group, more, .. } = *facts;
        let segment_begins = self.at.as_ref().is_none_or(|(_, _, offset)| *offset == 0);
        if seq != self.next_seq() {
            return Err(Fault::Seq { expected: self.next_seq(), found: seq });
        }
        if facts.prev != self.head.hash {
            return Err(Fault::Prev { expected: self.head.hash, found: facts.prev.to_string() });
        }
        let begins = group == seq && self.more == 0;
        let goes_on = group == self.group && seq > 1 && !segment_begins;
        if !begins && !goes_on {
            return Err(Fault::Group { current: self.group, seq, found: group });
        }
        if self.more > 0 && more != self.more - 1 {
            return Err(Fault::More { expected: self.more - 1, found: more });
        }
        if facts.time < self.time {
            return Err(Fault::Time);
        }
        self.check_anchor(seq, facts.hash)
    }

    fn check_anchor(&self, seq: u64, found: Digest) -> Result<(), Fault> {
        match self.anchor {
            Some(anchor) if anchor.seq == seq && anchor.hash != found => {
                Err(Fault::Rewritten { expected: anchor.hash, found })
            }
            _ => Ok(()),
        }
    }
}
