//! The decision log: what was decided is written to files of its own, behind the request.
//!
//! A decision is put into a bounded queue and forgotten: a thread looks into it some forty times a second, so that no
//! request waits and none has to wake anybody. Where the queue is nearly full, allows are left out; denials only where
//! it is full. Both are counted. Allows may be sampled by configuration, denials never are.

mod segments;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, Utc};
use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::action::Action;
use super::caller::Caller;
use super::config::DecisionsConfig;
use super::permit::DecisionId;
use super::policy::{Decision, Policy};
use super::record::{Facts, Outcome};
use segments::Segments;
use writer::Writer;

pub use segments::files;

/// Decisions that may wait to be written.
const ROOM: usize = 16_384;
/// The longest target that is written, in characters. It is what a caller sent.
const LONGEST_TARGET: usize = 128;
const MIB: u64 = 1 << 20;

/// A decision on its way to the file.
pub(super) struct Made {
    pub(super) id: DecisionId,
    pub(super) at: DateTime<Utc>,
    pub(super) caller: Arc<Caller>,
    pub(super) action: Action,
    pub(super) target: Option<String>,
    pub(super) facts: Option<Facts>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) policy: Arc<Policy>,
    pub(super) decision: Decision,
    pub(super) took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    answer: &'static str,
}

/// What became of decisions.
#[derive(Clone)]
pub(super) struct Counts {
    written: Counter,
    dropped: Family<Labels, Counter>,
    allows: Counter,
    denials: Counter,
}

impl Counts {
    fn new() -> Self {
        let dropped = Family::<Labels, Counter>::default();
        let (allows, denials) = (
            dropped.get_or_create_owned(&Labels { answer: "allow" }),
            dropped.get_or_create_owned(&Labels { answer: "deny" }),
        );
        Self { written: Counter::default(), dropped, allows, denials }
    }

    fn lose(&self, allowed: bool) {
        let lost = if allowed { &self.allows } else { &self.denials };
        lost.inc();
    }
}

/// Takes decisions down. Dropping it writes what waits.
pub struct DecisionLog {
    queue: Sender<Made>,
    /// Dropped, it ends the thread.
    running: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// How many of the allows are written, 0 to 1.
    allows: f64,
    counts: Counts,
}

impl DecisionLog {
    /// Writes to segments in `folder`, which is made where it is missing.
    ///
    /// # Errors
    /// The folder or a file in it can't be made.
    pub fn open(folder: &Path, config: DecisionsConfig) -> io::Result<Self> {
        let segments = Segments::open(folder, u64::from(config.keep_mib.get()) * MIB)?;
        let (queue, waiting) = bounded(ROOM);
        let (running, ended) = bounded(0);
        let counts = Counts::new();
        let writer = Writer::new(waiting, ended, segments, counts.clone());
        let thread = Builder::new().name("decisions".to_owned()).spawn(move || writer.run())?;
        let (running, thread) = (Mutex::new(Some(running)), Mutex::new(Some(thread)));
        Ok(Self { queue, running, thread, allows: config.allows.get(), counts })
    }

    /// Whether this decision is one of those that are written: every denial, and of the allows a sample.
    pub(super) fn takes(&self, allowed: bool) -> bool {
        !allowed || self.allows >= 1.0 || rand::random::<f64>() < self.allows
    }

    /// Takes a decision down, or counts that it could not.
    pub(super) fn take(&self, made: Made) {
        let allowed = made.decision.is_allowed();
        // The last quarter is for denials.
        let nearly_full = self.queue.capacity().unwrap_or(ROOM) / 4 * 3;
        if allowed && self.queue.len() >= nearly_full || self.queue.try_send(made).is_err() {
            self.counts.lose(allowed);
        }
    }

    /// Writes what waits, and no more. Blocks.
    pub(super) fn close(&self) {
        self.running.lock().take();
        if self.thread.lock().take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the decision log's thread panicked");
        }
    }

    /// A target as it is written.
    pub(super) fn target(reference: &str) -> String {
        reference.chars().take(LONGEST_TARGET).collect()
    }

    /// Publishes `hub_decisions_written_total` and `hub_decisions_dropped_total`.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hub_decisions_written",
            "Decisions written to the decision log",
            self.counts.written.clone(),
        );
        let help = "Decisions that the decision log had no room for, or could not write";
        registry.register("hub_decisions_dropped", help, self.counts.dropped.clone());
    }
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
