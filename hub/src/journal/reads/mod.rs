//! Who viewed which client, on the record: entries like any other, in a journal for each day.
//!
//! A view is put into a bounded queue and the request goes on: once a second a thread appends what has come together,
//! with one flush. A crash loses the views of its last second. Where the queue is full the view is lost, and how many
//! were is itself an entry. A day's journal begins with an entry that names the end of the day before, so that the
//! chain goes on and the start of a hub verifies one day and not all of them.

mod days;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;

use super::entry::Actor;
use super::error::OpenError;
use writer::Writer;

pub use days::{days, verify};

/// Views that may wait to be written.
const ROOM: usize = 16_384;
/// The kind of an entry about a view.
pub const VIEWED: &str = "client.viewed";
/// The kind of a day's first entry.
const BEGUN: &str = "reads.begun";
/// The kind of an entry that counts what is missing.
const LOST: &str = "reads.lost";

/// Somebody viewed a client.
#[derive(Debug, Clone)]
pub struct View {
    /// The organisation of both.
    pub org: String,
    /// The client.
    pub reference: String,
    /// Who.
    pub actor: Actor,
    /// Through which action.
    pub action: &'static str,
    /// The request's id.
    pub request_id: String,
    /// The W3C `traceparent`.
    pub trace: Option<String>,
    /// The decision that allowed it.
    pub decision: String,
    /// When.
    pub at: chrono::DateTime<chrono::Utc>,
}

/// What became of views.
#[derive(Debug, Default)]
pub struct Counts {
    /// Durable.
    pub recorded: AtomicU64,
    /// Missing on the record.
    pub lost: AtomicU64,
}

/// Takes views down. Dropping it writes what waits.
pub struct ReadsLog {
    queue: Sender<View>,
    running: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<Counts>,
}

impl ReadsLog {
    /// Opens today's journal below `folder`, or makes it. Blocks for as long as verifying one day takes.
    ///
    /// # Errors
    /// Another process has it, it is damaged, or the file system refuses.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (queue, waiting) = bounded(ROOM);
        let (running, ended) = bounded(0);
        let counts = Arc::new(Counts::default());
        let writer = Writer::open(folder, waiting, ended, counts.clone())?;
        let thread = Builder::new().name("reads".to_owned()).spawn(move || writer.run());
        let thread = Mutex::new(Some(thread.map_err(OpenError::io(folder))?));
        Ok(Self { queue, running: Mutex::new(Some(running)), thread, counts })
    }

    /// Takes a view down, or counts that it could not.
    pub fn viewed(&self, view: View) {
        if self.queue.try_send(view).is_err() {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were written and how many are missing.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Writes what waits, and gives the folder back. Blocks.
    pub fn close(&self) {
        self.running.lock().take();
        if self.thread.lock().take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that records views panicked");
        }
    }
}

impl Drop for ReadsLog {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
