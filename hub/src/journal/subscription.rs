//! Following the journal: first from the files, then live, and from the files again for whoever is slow.
//!
//! A subscriber holds nothing up: groups are offered to it in a ring, and what has left the ring before it
//! was taken is read from the segments.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::entry::Entry;
use super::error::ReadError;
use super::reader::Reader;
use super::shared::{Entries, Shared};

/// Entries read from the files at a time, and their bytes.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 1 << 20;

/// Every folded entry from some `seq` on, in order, each once.
pub struct Subscription {
    shared: Arc<Shared>,
    next: u64,
    live: Option<Receiver<Entries>>,
    ready: VecDeque<Arc<Entry>>,
}

impl Subscription {
    pub(super) fn new(shared: Arc<Shared>, from: u64) -> Self {
        let live = shared.listen();
        Self { shared, next: from.max(1), live, ready: VecDeque::new() }
    }

    /// The next entry; waits for it, and is `None` when the journal is closed and all was read. After an
    /// error it tries the same entry again. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Arc<Entry>, ReadError>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                self.next = entry.seq + 1;
                return Some(Ok(entry));
            }
            if self.next <= self.shared.folded() {
                if let Err(error) = self.catch_up().await {
                    return Some(Err(error));
                }
                continue;
            }
            match self.live.as_mut()?.recv().await {
                Ok(group) => self.take(&group),
                // What was missed is folded, and so in the files.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => self.live = None,
            }
        }
    }

    fn take(&mut self, group: &Entries) {
        if group.first().is_some_and(|first| first.seq <= self.next) {
            self.ready.extend(group.iter().filter(|entry| entry.seq >= self.next).cloned());
        }
    }

    async fn catch_up(&mut self) -> Result<(), ReadError> {
        let (shared, from) = (self.shared.clone(), self.next);
        let read = tokio::task::spawn_blocking(move || read_batch(shared, from)).await;
        self.ready = read.map_err(std::io::Error::other)??;
        Ok(())
    }
}

fn read_batch(shared: Arc<Shared>, from: u64) -> Result<VecDeque<Arc<Entry>>, ReadError> {
    let end = shared.folded();
    let mut bytes = 0;
    let mut batch = VecDeque::new();
    for entry in Reader::new(shared, from, end).take(BATCH) {
        let entry = entry?;
        bytes += entry.data.as_ref().map_or(0, |data| data.get().len());
        batch.push_back(entry);
        if bytes >= BATCH_BYTES {
            break;
        }
    }
    Ok(batch)
}
