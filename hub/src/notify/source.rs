//! What the notifier needs of the journal.

use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the journal: {0}")]
pub struct SourceError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// An entry, as far as it is announced.
#[derive(Debug, Clone)]
pub struct SourceEntry {
    /// Its place.
    pub seq: u64,
    /// Its id, which becomes the event's.
    pub id: Uuid,
    /// When it was committed.
    pub time: DateTime<Utc>,
    /// The organisation, of `[A-Za-z0-9_-]{1,64}`.
    pub org: String,
    /// The stream, such as `client/CL-…`.
    pub stream: String,
    /// The version of that stream.
    pub version: u64,
    /// The kind, such as `client.updated`.
    pub kind: String,
    /// The action's code; empty where the hub acted by itself.
    pub action: String,
    /// The event; `None` when erased.
    pub data: Option<Arc<RawValue>>,
}

/// The journal, as the notifier sees it.
pub trait Source: Send + Sync + 'static {
    /// What [`Source::entries`] gives.
    type Entries: Entries;

    /// Every entry from `seq` on, of whatever kind, those to come included.
    fn entries(&self, seq: u64) -> impl Future<Output = Result<Self::Entries, SourceError>> + Send;

    /// The `seq` of the newest entry; 0 where there is none.
    fn head(&self) -> u64;

    /// The position in the newest `notify.published` entry; 0 where there is none.
    fn published(&self) -> impl Future<Output = Result<u64, SourceError>> + Send;

    /// Appends `notify.published`: all up to `seq` has been sent.
    fn mark_published(&self, seq: u64) -> impl Future<Output = Result<(), SourceError>> + Send;
}

/// Entries in order.
pub trait Entries: Send {
    /// The next one, waiting for it where it is yet to come. `None` when the journal is closed. Dropping the future
    /// loses no entry.
    fn next(&mut self) -> impl Future<Output = Result<Option<SourceEntry>, SourceError>> + Send;
}
