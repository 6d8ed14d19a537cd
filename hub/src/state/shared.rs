//! What the fold writes and everybody else reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::follow::Following;
use super::lanes::Lanes;
use super::plan;
use super::record::Record;
use super::rows::Rows;
use super::stars::Stars;
use super::store::Store;
use crate::domain::delivery::Adapter;

/// The parts of the state.
pub struct Shared {
    /// The records.
    pub store: Store,
    /// What can be searched.
    pub rows: Rows,
    /// Favourites.
    pub stars: Stars,
    /// Who is owed something.
    pub lanes: Lanes,
    /// The adapters of today's configuration: each client shows a link for each.
    pub configured: Arc<[Adapter]>,
    /// Up to which entry everything has been announced, as the journal says.
    pub published: AtomicU64,
    seq: AtomicU64,
    following: Mutex<Following>,
}

impl Shared {
    /// Empty parts around a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let configured = store.configured();
        Self {
            rows: Rows::default(),
            stars: Stars::default(),
            lanes: Lanes::new(&configured),
            configured,
            store,
            published: AtomicU64::new(0),
            seq: AtomicU64::new(0),
            following: Mutex::default(),
        }
    }

    /// The number of the newest entry that the state has.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq.load(Ordering::Acquire)
    }

    /// How the store follows.
    #[must_use]
    pub fn how_it_follows(&self) -> Following {
        *self.following.lock()
    }

    /// How the store follows from now on.
    pub(super) fn following(&self, how: Following) {
        *self.following.lock() = how;
    }

    /// The fold has come to `seq`.
    pub(super) fn folded(&self, seq: u64) {
        self.seq.store(seq, Ordering::Release);
    }

    /// Works the lanes of a record out anew.
    pub(super) fn note_lanes(&self, record: &Record) {
        match record {
            Record::Client(record) => {
                for adapter in self.configured.iter() {
                    self.lanes.set(*adapter, &record.client.reference, plan::of_client(*adapter, record));
                }
            }
            Record::Device(record) => {
                self.lanes.set(Adapter::Identity, &record.device.reference, plan::of_device(record));
            }
        }
    }
}
