//! The journal as the notifier sees it.

use std::sync::Arc;

use crate::domain::event::{Event, Published};
use crate::journal::{Append, Journal, ReadError, Subscription};
use crate::notify::{Entries, Source, SourceEntry, SourceError};
use crate::state::State;
use crate::sync::entries::By;

/// The stream of what was announced.
const STREAM: &str = "notify";

/// The journal, and what the state knows of it.
pub struct Announced {
    journal: Arc<dyn Journal>,
    state: State,
}

impl Announced {
    /// Of this journal.
    pub fn new(journal: Arc<dyn Journal>, state: State) -> Self {
        Self { journal, state }
    }
}

/// Entries as they come.
pub struct Coming(Subscription);

impl Source for Announced {
    type Entries = Coming;

    async fn entries(&self, seq: u64) -> Result<Coming, SourceError> {
        Ok(Coming(self.journal.subscribe(seq.max(1))))
    }

    fn head(&self) -> u64 {
        self.journal.head().seq
    }

    async fn published(&self) -> Result<u64, SourceError> {
        Ok(self.state.published())
    }

    async fn mark_published(&self, seq: u64) -> Result<(), SourceError> {
        let event = Event::NotifyPublished(Published { seq });
        let entry = By::hub("", STREAM).entry(STREAM.to_owned(), event).map_err(failed)?;
        self.journal.append(Append { entries: vec![entry], ..Append::default() }).await.map_err(failed)?;
        Ok(())
    }
}

impl Entries for Coming {
    async fn next(&mut self) -> Result<Option<SourceEntry>, SourceError> {
        let next: Option<Result<_, ReadError>> = self.0.next().await;
        let Some(entry) = next.transpose().map_err(failed)? else { return Ok(None) };
        Ok(Some(SourceEntry {
            seq: entry.seq,
            id: entry.id,
            time: entry.time,
            org: entry.org.clone(),
            stream: entry.stream.clone(),
            version: entry.version,
            kind: entry.kind.to_string(),
            action: entry.action.to_string(),
            data: entry.data.clone(),
        }))
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> SourceError {
    SourceError(Box::new(error))
}
