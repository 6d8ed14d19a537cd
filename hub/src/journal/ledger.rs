//! What an append is judged by: the version of every stream and the holder of every claim.
//!
//! Kept as 128-bit digests: some 30 bytes for each stream, whatever its name. [`Ledger`] is what is durable;
//! an [`Overlay`] is what a group that isn't durable yet would change in it, thrown away if its flush fails.

use chrono::{DateTime, TimeDelta, Utc};
use foldhash::HashMap;

use super::entry::Mark;
use super::line::Facts;

/// Fewer lapsed claims than this are not worth looking for.
const PRUNE_FROM: usize = 4096;

/// Who holds a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    /// `seq` of the first entry of the append that took it.
    pub seq: u64,
    /// When it lapses, in milliseconds since 1970; `i64::MAX`: never.
    until: i64,
}

impl Holder {
    pub fn new(seq: u64, until: Option<DateTime<Utc>>) -> Self {
        Self { seq, until: until.map_or(i64::MAX, |until| until.timestamp_millis()) }
    }

    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until > now.timestamp_millis()
    }
}

/// The durable state.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    versions: HashMap<Mark, u64>,
    claims: HashMap<Mark, Holder>,
    prune_at: usize,
}

/// What one group changes.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    pub versions: HashMap<Mark, u64>,
    /// `None`: released.
    pub claims: HashMap<Mark, Option<Holder>>,
}

impl Ledger {
    pub fn version(&self, stream: Mark) -> u64 {
        self.versions.get(&stream).copied().unwrap_or_default()
    }

    pub fn holder(&self, claim: Mark) -> Option<Holder> {
        self.claims.get(&claim).copied()
    }

    /// Takes over what has become durable at `now`.
    pub fn apply(&mut self, overlay: &Overlay, now: DateTime<Utc>) {
        self.versions.extend(&overlay.versions);
        for (claim, holder) in &overlay.claims {
            self.set(*claim, *holder);
        }
        self.prune(now);
    }

    /// Takes over an entry that was read; refuses one whose version is not the next, with the next.
    pub fn replay(&mut self, facts: &Facts) -> Result<(), u64> {
        let version = self.versions.entry(facts.stream).or_default();
        if facts.version != *version + 1 {
            return Err(*version + 1);
        }
        *version = facts.version;
        for claim in &facts.releases {
            self.set(*claim, None);
        }
        for claim in &facts.claims {
            self.set(claim.key, Some(Holder::new(facts.seq, claim.until)));
        }
        if !facts.claims.is_empty() {
            self.prune(facts.time);
        }
        Ok(())
    }

    fn set(&mut self, claim: Mark, holder: Option<Holder>) {
        match holder {
            Some(holder) => self.claims.insert(claim, holder),
            None => self.claims.remove(&claim),
        };
    }

    /// Drops what has lapsed, each time that the claims have doubled since the last time.
    fn prune(&mut self, now: DateTime<Utc>) {
        if self.claims.len() >= self.prune_at.max(PRUNE_FROM) {
            self.claims.retain(|_, holder| holder.holds(now));
            self.prune_at = self.claims.len() * 2;
        }
    }
}

/// The end of a claim that is taken at `now`.
pub(super) fn end_of(now: DateTime<Utc>, lasts: std::time::Duration) -> Option<DateTime<Utc>> {
    let lasts = TimeDelta::from_std(lasts).ok()?;
    let until = now.checked_add_signed(lasts)?;
    DateTime::from_timestamp_millis(until.timestamp_millis())
}
