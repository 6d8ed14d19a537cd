//! The flusher: the one thread that writes, folds and answers, group after group.
//!
//! What arrives while a group is written or folded is the next group. Nobody is answered before the fold has
//! seen his group: who has his answer reads what he has written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::anchor::{Anchor, AnchorFile};
use super::entry::{Committed, Entry, Head};
use super::error::AppendError;
use super::gather::{FAILED, Gathering, Group, Outcome, Waiter, answer};
use super::shared::Shared;
use super::tail::Tail;
use crate::faults;

/// Is told of every flush; for metrics.
pub trait FlushObserver: Send + Sync {
    /// One group became durable: its entries, its bytes, and how long writing and `fdatasync` took.
    fn flushed(&self, entries: usize, bytes: usize, elapsed: Duration);
}

pub(super) struct Flusher<F> {
    pub gathering: Arc<Gathering>,
    pub fold: F,
    /// What it is at, for who asks why it panicked.
    pub folding: bool,
    pub tail: Tail,
    pub anchor: AnchorFile,
    pub shared: Arc<Shared>,
    pub observer: Option<Arc<dyn FlushObserver>>,
}

impl<F: FnMut(&[Arc<Entry>])> Flusher<F> {
    /// Runs until the journal is closed or nothing can be written any more.
    pub fn run(mut self) {
        while let Some(group) = self.gathering.next() {
            if let Err(reason) = self.flush(group) {
                tracing::error!(reason, "the journal has ended");
                self.shared.failed.send_replace(Some(reason));
                return;
            }
        }
    }

    fn flush(&mut self, mut group: Group) -> Result<(), &'static str> {
        let started = Instant::now();
        faults::strike("journal", "flush").map_err(|_| "an error was asked for")?;
        let written = match group.entries.is_empty() {
            true => Ok(()),
            false => self.tail.append(group.first, &group.bytes),
        };
        if let Err(error) = written {
            return self.fail(group, &error);
        }
        self.publish(&group);
        if let (Some(observer), false) = (&self.observer, group.entries.is_empty()) {
            observer.flushed(group.entries.len(), group.bytes.len(), started.elapsed());
        }
        let buffer = std::mem::take(&mut group.bytes);
        self.gathering.durable(buffer);
        self.settle(&group.entries, group.waiters);
        Ok(())
    }

    /// Folds a durable group, and answers who waits for it.
    fn settle(&mut self, entries: &[Arc<Entry>], waiters: Vec<Waiter>) {
        self.folding = true;
        // The fold has no errors, so that none can be asked for.
        let _ = faults::strike("journal", "fold");
        if !entries.is_empty() {
            (self.fold)(entries);
            self.shared.show(entries);
        }
        self.folding = false;
        let mut rest = entries;
        for waiter in waiters {
            let outcome = match waiter.outcome {
                Outcome::Refused(refusal) => Err(refusal),
                Outcome::Committed(count) => {
                    let (mine, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
                    rest = others;
                    Ok(Committed { entries: mine.to_vec() })
                }
            };
            answer(waiter.reply, outcome);
        }
    }

    fn publish(&mut self, group: &Group) {
        if group.entries.is_empty() {
            return;
        }
        let Head { seq, hash } = group.head;
        let claims_key = self.shared.key.fingerprint();
        self.anchor.write(&Anchor { seq, group: group.first, hash, claims_key });
        let mut durable = self.shared.durable.write();
        durable.head = group.head;
        durable.ledger.apply(&group.overlay, group.clock.time);
        durable.index.reach(self.tail.segment());
        for (entry, length) in group.entries.iter().zip(&group.lengths) {
            durable.index.extend(entry.seq, u64::try_from(*length).unwrap_or_default());
        }
    }

    /// Nothing of the group counts as written. Goes on with the journal as it was before, or not at all.
    fn fail(&mut self, group: Group, error: &std::io::Error) -> Result<(), &'static str> {
        let segment = self.tail.segment().name();
        tracing::error!(%error, segment, "the journal could not be written");
        let head = self.shared.durable.read().head;
        let recovered = self.tail.recover(head);
        if let Err(error) = &recovered {
            tracing::error!(%error, segment, "the journal could not be made whole again");
        } else {
            tracing::warn!(segment, seq = head.seq, "the journal is whole again");
            self.gathering.failed(head);
        }
        // Bytes that could not be cut off may come back when the journal is opened again.
        let refusal = if recovered.is_ok() { FAILED } else { AppendError::Unknown };
        group.refuse(&refusal);
        recovered.map_err(|_| "its disk failed and it could not be made whole again")
    }
}

impl<F> Drop for Flusher<F> {
    /// However it ended, nobody waits for it any longer; by a panic, the hub has to end as well: what is shown may not be
    /// what is written.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = if self.folding { "its fold panicked" } else { "its writer panicked" };
            self.shared.failed.send_replace(Some(reason));
        }
        self.gathering.give_up();
        self.shared.end();
    }
}
