//! What the journal's threads and its readers share.
//!
//! What isn't durable yet is not here, but in `gather`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, broadcast, watch};

use super::claims::ClaimsKey;
use super::entry::{Entry, Head};
use super::ledger::Ledger;
use super::segment::Index;

/// How many groups a subscriber may be behind before it reads the files instead.
const LIVE_GROUPS: usize = 32;

/// Entries of one group, in order.
pub(super) type Entries = Arc<[Arc<Entry>]>;

/// What is on the disk for good.
#[derive(Debug)]
pub(super) struct Durable {
    pub ledger: Ledger,
    pub index: Index,
    pub head: Head,
}

pub(super) struct Shared {
    pub durable: RwLock<Durable>,
    /// `seq` of the last entry that the fold has seen.
    folded: AtomicU64,
    live: Mutex<Option<broadcast::Sender<Entries>>>,
    /// Bounds what isn't answered yet.
    pub queue_room: Arc<Semaphore>,
    pub key: ClaimsKey,
    /// Set once, when the journal has given up.
    pub failed: watch::Sender<Option<&'static str>>,
}

impl Shared {
    pub fn new(durable: Durable, key: ClaimsKey, queue_room: usize) -> Self {
        Self {
            folded: AtomicU64::new(durable.head.seq),
            durable: RwLock::new(durable),
            live: Mutex::new(Some(broadcast::Sender::new(LIVE_GROUPS))),
            queue_room: Arc::new(Semaphore::new(queue_room)),
            key,
            failed: watch::Sender::new(None),
        }
    }

    pub fn folded(&self) -> u64 {
        self.folded.load(Ordering::Acquire)
    }

    /// Shows a folded group to the subscribers.
    pub fn show(&self, entries: &[Arc<Entry>]) {
        let Some(last) = entries.last() else { return };
        // In this order: whoever begins to listen in between finds the group in the files.
        self.folded.store(last.seq, Ordering::Release);
        if let Some(live) = self.live.lock().as_ref() {
            // An error says that nobody listens.
            live.send(Arc::from(entries)).unwrap_or_default();
        }
    }

    /// Begins to listen; `None` when the journal has ended.
    pub fn listen(&self) -> Option<broadcast::Receiver<Entries>> {
        self.live.lock().as_ref().map(broadcast::Sender::subscribe)
    }

    /// No group will come any more.
    pub fn end(&self) {
        self.live.lock().take();
    }
}
