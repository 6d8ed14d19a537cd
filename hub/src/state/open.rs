//! Opening the state: from sled where it can be trusted, from the journal where it can't.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::State;
use super::digest::Digest;
use super::fold::Fold;
use super::follow::{Follower, MARK, Mark};
use super::record::Record;
use super::shared::Shared;
use super::stars;
use super::store::{Store, StoreError, unpack};
use crate::domain::delivery::Adapter;
use crate::journal::Entry;

/// Grows with every change of what records look like in the store: an older one is made again.
pub(super) const SCHEMA: &str = "7";
const SCHEMA_KEY: &[u8] = b"m/schema";
/// Entries that are folded as one group while catching up.
const CHUNK: usize = 500;

/// The state, and the one that may write it.
pub struct Opened {
    /// For everybody.
    pub state: State,
    /// For the journal alone.
    pub writer: Writer,
    /// Why the state has to be made again from the journal, where it has.
    pub rebuild: Option<StoreError>,
}

/// Folds what the journal commits, and hands it to the thread that follows.
pub struct Writer {
    fold: Fold,
    follower: Follower,
}

/// Opens the state in `folder`. Where that can't be trusted it is emptied: `Writer::catch_up` makes it again.
///
/// # Errors
/// Even an empty store can't be had there.
pub fn open(folder: &Path, configured: &[Adapter]) -> Result<Opened, StoreError> {
    match load(folder, configured) {
        Ok((shared, mark)) => started(shared, &mark, None),
        Err(reason) => {
            discard(folder)?;
            let store = Store::open(folder, configured)?;
            store.tree().insert(SCHEMA_KEY, SCHEMA)?;
            started(Arc::new(Shared::new(store)), &Mark::default(), Some(reason))
        }
    }
}

/// Deletes the state. What it held is made again from the journal.
///
/// # Errors
/// The folder can't be removed.
pub fn discard(folder: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn started(shared: Arc<Shared>, mark: &Mark, rebuild: Option<StoreError>) -> Result<Opened, StoreError> {
    shared.folded(mark.seq);
    shared.published.store(mark.published, Ordering::Release);
    let follower = Follower::start(shared.clone())?;
    let writer = Writer { fold: Fold::new(shared.clone(), mark), follower };
    Ok(Opened { state: State(shared), writer, rebuild })
}

fn load(folder: &Path, configured: &[Adapter]) -> Result<(Arc<Shared>, Mark), StoreError> {
    let is_new = std::fs::read_dir(folder).map_or(true, |mut content| content.next().is_none());
    let store = Store::open(folder, configured)?;
    if is_new {
        store.tree().insert(SCHEMA_KEY, SCHEMA)?;
    }
    let found = store.tree().get(SCHEMA_KEY)?.map(|mark| String::from_utf8_lossy(&mark).into_owned());
    if found.as_deref() != Some(SCHEMA) {
        let found = found.unwrap_or_else(|| "no schema".to_owned());
        return Err(StoreError::Stale { found, wanted: SCHEMA.to_owned() });
    }
    let mark = store.tree().get(MARK)?.map(|mark| unpack::<Mark>(&mark)).transpose()?;
    let mark = mark.unwrap_or_default();
    let shared = Arc::new(Shared::new(store));
    if read_records(&shared)? != mark.digest {
        return Err(StoreError::Digest);
    }
    read_stars(&shared)?;
    Ok((shared, mark))
}

fn read_records(shared: &Shared) -> Result<Digest, StoreError> {
    let mut digest = Digest::default();
    for item in shared.store.tree().scan_prefix(b"r/") {
        let (key, bytes) = item?;
        let reference = String::from_utf8_lossy(key.get(2..).unwrap_or_default()).into_owned();
        let record = shared.store.decode(&reference, &bytes)?;
        digest.replace(&reference, None, record.version());
        if let Record::Client(client) = &record {
            shared.rows.put(&client.client);
        }
        shared.note_lanes(&record);
    }
    Ok(digest)
}

fn read_stars(shared: &Shared) -> Result<(), StoreError> {
    for key in shared.store.tree().scan_prefix(b"s/").keys() {
        let key = key?;
        let text = String::from_utf8_lossy(key.get(2..).unwrap_or_default()).into_owned();
        if let Some((org, member, reference)) = stars::parts(&text) {
            shared.stars.set(org, member, reference, true);
        }
    }
    Ok(())
}

impl Writer {
    /// How far it has come, and what the journal has said so far of the hub itself.
    #[must_use]
    pub const fn mark(&self) -> &Mark {
        self.fold.mark()
    }

    /// Folds a group that the journal has committed.
    pub fn group(&mut self, entries: &[Arc<Entry>]) {
        let batch = self.fold.group(entries);
        self.follower.write(batch);
    }

    /// Folds what the journal has and the state has not. `progress` is told the number of each chunk's last entry.
    ///
    /// # Errors
    /// The journal can't be read.
    pub fn catch_up<E>(
        &mut self,
        entries: impl Iterator<Item = Result<Arc<Entry>, E>>,
        mut progress: impl FnMut(u64),
    ) -> Result<(), E> {
        let mut chunk = Vec::with_capacity(CHUNK);
        for entry in entries {
            chunk.push(entry?);
            if chunk.len() == CHUNK {
                self.group(&chunk);
                progress(self.mark().seq);
                chunk.clear();
            }
        }
        if !chunk.is_empty() {
            self.group(&chunk);
            progress(self.mark().seq);
        }
        Ok(())
    }
}
