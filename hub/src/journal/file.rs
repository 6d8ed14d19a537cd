//! The journal in files: the embedded default.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Journal;
use super::anchor::{Anchor, AnchorFile};
use super::chain::Chain;
use super::compose::PreparedAppend;
use super::disk::{Disk, OsDisk};
use super::entry::{Append, Committed, Entry, Head};
use super::error::{AppendError, OpenError, ReadError};
use super::flusher::Flusher;
use super::gather::{Gathering, Request};
use super::open::{Lock, OpenReport, Opened, Options, open_folder};
use super::reader::Reader;
use super::reserve::Room;
use super::segment::Segment;
use super::shared::{Durable, Shared};
use super::subscription::Subscription;
use super::tail::Tail;

/// Appends that aren't answered yet take room by their length, in units of so many bytes …
const UNIT: usize = 4 << 10;

/// … of which there are so many: 32 MiB.
const ROOM: usize = 8 << 10;

/// An open journal. Dropping it closes it.
pub struct FileJournal {
    shared: Arc<Shared>,
    gathering: Arc<Gathering>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<Lock>>,
}

impl FileJournal {
    /// Verifies the journal in `options.path`, makes it where there is none, and starts its thread.
    ///
    /// `fold` sees every group that is committed from now on, in order, on the journal's thread, before
    /// its appends are answered; what is there already is for the caller to [`read`](Journal::read).
    /// Blocks for as long as verification takes.
    ///
    /// # Errors
    /// Another process has it, it is damaged anywhere but in a flush that was never answered, or the file
    /// system refuses.
    pub fn open(
        options: Options,
        fold: impl FnMut(&[Arc<Entry>]) + Send + 'static,
    ) -> Result<(Self, OpenReport), OpenError> {
        Self::open_on(Arc::new(OsDisk), options, fold)
    }

    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        options: Options,
        fold: impl FnMut(&[Arc<Entry>]) + Send + 'static,
    ) -> Result<(Self, OpenReport), OpenError> {
        let refused = || OpenError::io(&options.path);
        let Opened { lock, key, survey, end_known, cut, took } = open_folder(&options.path)?;
        let end = survey.chain.end().unwrap_or_else(|| (Segment::new(&options.path, 1), 0));
        let tail = Tail::open(disk.clone(), options.path.clone(), end, options.segment_bytes);
        let tail = tail.map_err(refused())?;
        let (bytes, head) = (survey.bytes, survey.chain.head);
        let Chain { ledger, mut index, time, group, .. } = survey.chain;
        index.reach(tail.segment());
        let report = OpenReport { entries: head.seq, segments: index.count(), bytes, head, end_known, cut, took };

        let mut anchor = AnchorFile::open(&options.path).map_err(refused())?;
        anchor.write(&Anchor { seq: head.seq, group, hash: head.hash, claims_key: key.fingerprint() });
        let shared = Arc::new(Shared::new(Durable { ledger, index, head }, key, ROOM));
        let room = Room::new(disk, options.path.clone(), options.reserve);
        let gathering = Arc::new(Gathering::new(shared.clone(), room, time));
        let (observer, folding) = (options.observer.clone(), false);
        let flusher =
            Flusher { gathering: gathering.clone(), fold, folding, tail, anchor, shared: shared.clone(), observer };
        let thread = Builder::new().name("journal".to_owned()).spawn(move || flusher.run()).map_err(refused())?;
        Ok((Self { shared, gathering, thread: Mutex::new(Some(thread)), lock: Mutex::new(Some(lock)) }, report))
    }

    /// Why every append is refused, where the journal has given up.
    pub fn trouble(&self) -> Option<&'static str> {
        *self.shared.failed.borrow()
    }

    /// Waits until the journal has given up, and says why. Every append is refused then; the hub ends.
    pub async fn failed(&self) -> &'static str {
        let mut failed = self.shared.failed.subscribe();
        match failed.wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or_default(),
            Err(_) => "it was dropped",
        }
    }

    /// Refuses new appends, makes those that it has durable, answers them, and gives the folder back. Blocks.
    pub fn close(&self) {
        self.shared.queue_room.close();
        self.gathering.close();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the journal panicked");
        }
        self.lock.lock().take();
    }

    async fn append_all(&self, append: Append) -> Result<Committed, AppendError> {
        let append = PreparedAppend::new(append, &self.shared.key)?;
        let units = append.bytes.div_ceil(UNIT).clamp(1, ROOM);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let room = self.shared.queue_room.clone().acquire_many_owned(units).await;
        let room = room.map_err(|_| self.refusal())?;
        let (reply, answer) = oneshot::channel();
        self.gathering.accept(Request { append, reply, room });
        answer.await.unwrap_or(Err(AppendError::Unknown))
    }

    /// Of an append for which there is no room any more.
    fn refusal(&self) -> AppendError {
        match *self.shared.failed.borrow() {
            Some(reason) => AppendError::StorageUnavailable(reason),
            None => AppendError::Closed,
        }
    }
}

impl Journal for FileJournal {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Committed, AppendError>> {
        Box::pin(self.append_all(append))
    }

    fn read(&self, from_seq: u64) -> Box<dyn Iterator<Item = Result<Arc<Entry>, ReadError>> + Send> {
        Box::new(Reader::new(self.shared.clone(), from_seq, u64::MAX))
    }

    fn subscribe(&self, from_seq: u64) -> Subscription {
        Subscription::new(self.shared.clone(), from_seq)
    }

    fn version(&self, stream: &str) -> u64 {
        self.shared.durable.read().ledger.version(super::line::stream_mark(stream))
    }

    fn claimed(&self, claim: &str) -> Option<u64> {
        let holder = self.shared.durable.read().ledger.holder(self.shared.key.mark(claim))?;
        holder.holds(chrono::Utc::now()).then_some(holder.seq)
    }

    fn entry(&self, seq: u64) -> Result<Option<Arc<Entry>>, ReadError> {
        if seq == 0 {
            return Ok(None);
        }
        Reader::new(self.shared.clone(), seq, seq).next().transpose()
    }

    fn has_room(&self) -> bool {
        self.gathering.has_room()
    }

    fn head(&self) -> Head {
        self.shared.durable.read().head
    }
}

impl Drop for FileJournal {
    fn drop(&mut self) {
        self.close();
    }
}
