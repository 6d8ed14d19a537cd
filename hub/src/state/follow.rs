//! sled follows the fold: a thread of its own, one batch for all that has gathered, a bounded distance behind, never on a
//! request's path.
//!
//! What waits for it is written together: of a record that changes again and again only the newest version.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use foldhash::HashMap;
use parking_lot::{Condvar, Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::record::Record;
use super::shared::Shared;
use super::store::{StoreError, encode, key, pack};
use crate::domain::delivery::Adapter;
use crate::journal;

/// Records and other keys that may wait for sled; the fold waits beyond that.
const BEHIND: usize = 4_096;
/// So many do not wait for more.
const TOGETHER: usize = 512;
/// How long changes gather, so that sled is given many at once, and a record that changes again meanwhile but once.
const GATHER: Duration = Duration::from_millis(25);
/// How often a batch is tried before the read model is given up.
const ATTEMPTS: u32 = 60;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// How nice the thread is: about a tenth of what others get of a processor that is short. Nobody waits for it but a fold
/// that is `BEHIND` ahead, and while that waits there is less to do for others.
const NICENESS: i32 = 10;
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

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Following {
    /// As it should.
    #[default]
    Follows,
    /// The disk is full: what is new is in memory, and written when there is room.
    Waits,
    /// The store takes nothing more: what is new is in memory only, until the next start makes the store again.
    GivenUp,
}

/// What entries have changed.
#[derive(Default)]
pub struct Batch {
    /// The new versions, the oldest first.
    pub records: Vec<Record>,
    /// Favourites that came or went.
    pub stars: Vec<(String, bool)>,
    /// Entries that belong to a client's history.
    pub history: Vec<(String, u64)>,
    /// How far that goes.
    pub mark: Mark,
}

impl Batch {
    fn len(&self) -> usize {
        self.records.len() + self.stars.len() + self.history.len()
    }

    /// Takes in what came after it.
    fn merge(&mut self, newer: Self) {
        self.records.extend(newer.records);
        self.stars.extend(newer.stars);
        self.history.extend(newer.history);
        self.mark = newer.mark;
    }
}

/// The thread that writes.
pub struct Follower {
    shared: Arc<Shared>,
    waiting: Arc<Waiting>,
    thread: Option<JoinHandle<()>>,
}

/// What the fold has handed over and sled does not have yet.
#[derive(Default)]
struct Waiting {
    state: Mutex<State>,
    /// For the thread: there is something, or there will be no more.
    work: Condvar,
    /// For the fold: there is room again, or nobody follows.
    room: Condvar,
}

#[derive(Default)]
struct State {
    batch: Option<Batch>,
    /// The fold has ended.
    closed: bool,
    /// The thread has ended.
    gone: bool,
}

impl Follower {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(shared: Arc<Shared>) -> std::io::Result<Self> {
        let waiting = Arc::<Waiting>::default();
        let follows = Follows(waiting.clone(), shared.clone());
        let thread = std::thread::Builder::new().name("state-follower".into());
        let thread = thread.spawn(move || run(&follows.1, &follows.0))?;
        Ok(Self { shared, waiting, thread: Some(thread) })
    }

    /// Hands a batch over; waits where sled is too far behind, but not for a full disk: who folds still serves.
    pub fn write(&self, batch: Batch) {
        let mut state = self.waiting.state.lock();
        let follows = || self.shared.how_it_follows() == Following::Follows;
        while !state.gone && state.batch.as_ref().is_some_and(|batch| batch.len() >= BEHIND) && follows() {
            self.waiting.room.wait(&mut state);
        }
        if state.gone {
            return;
        }
        match &mut state.batch {
            Some(gathered) => gathered.merge(batch),
            None => state.batch = Some(batch),
        }
        drop(state);
        self.waiting.work.notify_one();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.waiting.state.lock().closed = true;
        self.waiting.work.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that follows the fold panicked");
        }
    }
}

/// The thread's own end of it: however the thread ends, the fold waits no longer.
struct Follows(Arc<Waiting>, Arc<Shared>);

impl Drop for Follows {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.gone = true;
        if !state.closed {
            tracing::error!("the read model is not followed any more; the next start makes it again");
            self.1.following(Following::GivenUp);
        }
        drop(state);
        self.0.room.notify_all();
    }
}

impl Waiting {
    /// What has come together; none when the fold has ended and all is written.
    fn next(&self) -> Option<Batch> {
        let mut state = self.state.lock();
        while state.batch.is_none() {
            if state.closed {
                return None;
            }
            self.work.wait(&mut state);
        }
        if state.batch.as_ref().is_some_and(|batch| batch.len() < TOGETHER) && !state.closed {
            MutexGuard::unlocked(&mut state, || std::thread::sleep(GATHER));
        }
        let batch = state.batch.take();
        drop(state);
        self.room.notify_all();
        batch
    }
}

fn run(shared: &Shared, waiting: &Waiting) {
    // On Linux a thread has a niceness of its own.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "the thread that follows the fold is as greedy as those that answer");
    }
    let mut following = true;
    while let Some(batch) = waiting.next() {
        following = following && wait_for_room(shared, waiting) && persist(shared, &batch);
        if following {
            shared.store.followed(&batch);
        }
    }
    if let Err(error) = shared.store.tree().flush() {
        tracing::warn!(%error, "the read model was not flushed; the next start catches up from the journal");
    }
}

/// A full disk is waited out before sled meets it: what sled can't write it never forgets. No, when the hub stops meanwhile.
fn wait_for_room(shared: &Shared, waiting: &Waiting) -> bool {
    if shared.store.has_room() {
        return true;
    }
    tracing::error!("the read model waits: too little free space");
    shared.following(Following::Waits);
    waiting.room.notify_all();
    while !shared.store.has_room() {
        let mut state = waiting.state.lock();
        if state.closed {
            return false;
        }
        waiting.work.wait_for(&mut state, PAUSE);
    }
    tracing::info!("the read model has room again");
    shared.following(Following::Follows);
    true
}

/// Writes a batch, again and again for a while. Once a batch is given up none may follow, or the mark would lie:
/// from then on everything newer is served from memory, and the next start catches up from the journal.
fn persist(shared: &Shared, batch: &Batch) -> bool {
    for _ in 0..ATTEMPTS {
        match write(shared, batch) {
            Ok(()) => return true,
            Err(error) => tracing::error!(%error, "the read model can't be written"),
        }
        std::thread::sleep(PAUSE);
    }
    tracing::error!("the read model is given up; restart the hub to have it made again");
    shared.following(Following::GivenUp);
    false
}

fn write(shared: &Shared, batch: &Batch) -> Result<(), StoreError> {
    let mut together = sled::Batch::default();
    let newest: HashMap<_, _> = batch.records.iter().map(|record| (record.reference(), record)).collect();
    let mut bytes = Vec::new();
    for (reference, newest) in newest {
        bytes.clear();
        encode(newest, &mut bytes)?;
        together.insert(key(reference), bytes.as_slice());
    }
    for (star, on) in &batch.stars {
        let key = [b"s/", star.as_bytes()].concat();
        if *on { together.insert(key, &[]) } else { together.remove(key) }
    }
    for (reference, seq) in &batch.history {
        together.insert(history_key(reference, *seq), &[]);
    }
    bytes.clear();
    pack(&batch.mark, &mut bytes)?;
    together.insert(MARK, bytes.as_slice());
    Ok(shared.store.tree().apply_batch(together)?)
}

/// The key of one entry in a client's history.
pub(super) fn history_key(reference: &str, seq: u64) -> Vec<u8> {
    [b"h/", reference.as_bytes(), b"/", &seq.to_be_bytes()].concat()
}
