//! sled follows the fold: a thread of its own, one batch for all that has gathered, a bounded distance behind, never on a
//! request's path.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::record::Record;
use super::shared::Shared;
use super::store::{StoreError, encode, key};
use crate::domain::delivery::Adapter;
use crate::journal;

/// Groups that may wait for sled; the fold waits beyond that.
const BEHIND: usize = 256;
/// Records that are written as one batch.
const TOGETHER: usize = 512;
/// How long changes gather, so that sled is given many at once, and a record that changes again meanwhile but once.
const GATHER: Duration = Duration::from_millis(25);
/// How often a batch is tried before the read model is given up.
const ATTEMPTS: u32 = 60;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// The key of the mark.
pub(super) const MARK: &[u8] = b"m/mark";

/// How far the store has come, written with the records it speaks of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The newest entry.
    pub seq: u64,
    /// Its hash: after a cut its number is given again. None before the first entry.
    #[serde(default)]
    pub hash: Option<journal::Digest>,
    /// The digest over all records.
    pub digest: Digest,
    /// The adapters that the journal says are configured.
    pub configured: Vec<Adapter>,
    /// Up to which entry everything has been announced.
    #[serde(default)]
    pub published: u64,
    /// The digest of the policy that is in force.
    #[serde(default)]
    pub policy: Option<String>,
}

/// What a group of entries has changed.
pub struct Batch {
    /// The new versions.
    pub records: Vec<Record>,
    /// Favourites that came or went.
    pub stars: Vec<(String, bool)>,
    /// Entries that belong to a client's history.
    pub history: Vec<(String, u64)>,
    /// How far that goes.
    pub mark: Mark,
}

/// The thread that writes.
pub struct Follower {
    sender: Option<Sender<Batch>>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(shared: Arc<Shared>) -> std::io::Result<Self> {
        let (sender, receiver) = bounded(BEHIND);
        let thread =
            std::thread::Builder::new().name("state-follower".into()).spawn(move || run(&shared, &receiver))?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    /// Hands a batch over; waits where sled is too far behind.
    pub fn write(&self, batch: Batch) {
        if let Some(sender) = &self.sender
            && sender.send(batch).is_err()
        {
            tracing::error!("the read model is not followed any more; the next start makes it again");
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that follows the fold panicked");
        }
    }
}

fn run(shared: &Shared, receiver: &Receiver<Batch>) {
    let mut following = true;
    while let Ok(first) = receiver.recv() {
        let batches = gather(first, receiver);
        following = following && persist(shared, &batches);
        if following {
            for batch in &batches {
                shared.store.followed(batch);
            }
        }
    }
    if let Err(error) = shared.store.tree().flush() {
        tracing::warn!(%error, "the read model was not flushed; the next start catches up from the journal");
    }
}

/// What has come together, not much more than [`TOGETHER`] records of it.
fn gather(first: Batch, receiver: &Receiver<Batch>) -> Vec<Batch> {
    let mut records = first.records.len();
    let mut batches = vec![first];
    if records < TOGETHER {
        std::thread::sleep(GATHER);
    }
    while records < TOGETHER
        && let Ok(batch) = receiver.try_recv()
    {
        records += batch.records.len();
        batches.push(batch);
    }
    batches
}

/// Writes the batches, again and again for a while. Once a batch is given up none may follow, or the mark would lie:
/// from then on everything newer is served from memory, and the next start catches up from the journal.
fn persist(shared: &Shared, batches: &[Batch]) -> bool {
    for _ in 0..ATTEMPTS {
        match write(shared, batches) {
            Ok(()) => return true,
            Err(error) => tracing::error!(%error, "the read model can't be written"),
        }
        std::thread::sleep(PAUSE);
    }
    tracing::error!("the read model is given up; restart the hub to have it made again");
    false
}

fn write(shared: &Shared, batches: &[Batch]) -> Result<(), StoreError> {
    let mut together = sled::Batch::default();
    let records = batches.iter().flat_map(|batch| &batch.records).map(|record| (record.reference(), record));
    for (reference, newest) in records.collect::<HashMap<_, _>>() {
        together.insert(key(reference), encode(newest)?);
    }
    for batch in batches {
        for (star, on) in &batch.stars {
            let key = [b"s/", star.as_bytes()].concat();
            if *on { together.insert(key, &[]) } else { together.remove(key) }
        }
        for (reference, seq) in &batch.history {
            together.insert(history_key(reference, *seq), &[]);
        }
    }
    if let Some(newest) = batches.last() {
        together.insert(MARK, serde_json::to_vec(&newest.mark)?);
    }
    Ok(shared.store.tree().apply_batch(together)?)
}

/// The key of one entry in a client's history.
pub(super) fn history_key(reference: &str, seq: u64) -> Vec<u8> {
    [b"h/", reference.as_bytes(), b"/", &seq.to_be_bytes()].concat()
}
