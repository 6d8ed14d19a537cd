//! The journal and the state in a hub's data folder, opened together: what the server and the commands that work on a
//! stopped hub begin with.
//!
//! The journal comes first: its lock says that the folder is ours, and without it the state is not touched. What the
//! state does not have yet it is given before anybody may append. A state that speaks of another journal than this
//! one, which a cut or a restored backup leaves behind, is made again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;

use crate::domain::delivery::Adapter;
use crate::journal::{self, FileJournal, FlushObserver, Journal, OpenError, Options, ReadError};
use crate::state::{self, Mark, Opened, State, StoreError, Writer};

/// An open journal and the state that follows it. Dropping the journal closes both.
pub struct Data {
    /// For whoever appends or reads entries.
    pub journal: Arc<FileJournal>,
    /// For whoever reads records.
    pub state: State,
    /// What the journal says of the hub itself, as of the newest entry.
    pub mark: Mark,
    /// Why the state was made again, where it was.
    pub rebuilt: Option<Doubt>,
}

/// Why the state was not trusted.
#[derive(Debug, Error)]
pub enum Doubt {
    /// It can't be used as it is.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its newest entry is not in this journal.
    #[error("the read model was made from a journal that is not this one: entry {seq} differs")]
    Elsewhere {
        /// The newest entry that the state has.
        seq: u64,
    },
}

/// Why the data can't be had.
#[derive(Debug, Error)]
pub enum DataError {
    /// Somebody else has the journal, or it is damaged.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// Not even an empty state can be had.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The journal ends before what the state has seen, and nobody has decided that.
    #[error(
        "the read model has seen entry {seq}, and the journal ends with entry {head}: it is not the whole journal. Look \
         whether `store.path` is right and its disk is there, and restore it; only where the journal is meant to be this \
         one, delete `{}`", state.display()
    )]
    Lost {
        /// The newest entry that the state has.
        seq: u64,
        /// The newest entry that the journal has.
        head: u64,
        /// The state's folder.
        state: PathBuf,
    },
    /// An entry can't be read any more.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Opens the data in `store` and brings the state up to the journal's newest entry. Blocks for as long as verifying
/// the journal and folding take. `progress` is told the number of the entry that was folded, and of the newest.
///
/// # Errors
/// Another process has the journal, it is damaged, or the file system refuses.
pub fn open(
    store: &Path,
    adapters: &[Adapter],
    flush_observer: Option<Arc<dyn FlushObserver>>,
    progress: impl FnMut(u64, u64),
) -> Result<Data, DataError> {
    open_following(store, flush_observer, progress, |journal| follow(journal, &state_in(store), adapters))
}

/// As `open`, with a state that is made again whatever there is.
///
/// # Errors
/// As `open`.
pub fn rebuild(store: &Path, adapters: &[Adapter], progress: impl FnMut(u64, u64)) -> Result<Data, DataError> {
    open_following(store, None, progress, |_| {
        state::discard(&state_in(store))?;
        Ok((state::open(&state_in(store), adapters)?, None))
    })
}

fn open_following(
    store: &Path,
    observer: Option<Arc<dyn FlushObserver>>,
    mut progress: impl FnMut(u64, u64),
    follow: impl FnOnce(&FileJournal) -> Result<(Opened, Option<Doubt>), DataError>,
) -> Result<Data, DataError> {
    let slot: Arc<Mutex<Option<Writer>>> = Arc::default();
    let fold = slot.clone();
    let (journal, report) =
        FileJournal::open(Options { observer, ..Options::new(journal_in(store)) }, move |entries| {
            if let Some(writer) = fold.lock().as_mut() {
                writer.group(entries);
            }
        })?;
    if !report.end_known && report.entries > 0 {
        let journal = journal_in(store);
        tracing::warn!(
            journal = %journal.display(),
            "the journal's file head was missing or could not be read: entries that were cut off the end would not show"
        );
    }
    let (Opened { state, mut writer, .. }, rebuilt) = follow(&journal)?;
    let head = journal.head().seq;
    writer.catch_up(journal.read(writer.mark().seq + 1), |seq| progress(seq, head))?;
    let mark = writer.mark().clone();
    // Nobody has the journal yet, so nothing was appended that the writer has not seen.
    *slot.lock() = Some(writer);
    Ok(Data { journal: Arc::new(journal), state, mark, rebuilt })
}

/// The journal's folder.
#[must_use]
pub fn journal_in(store: &Path) -> PathBuf {
    store.join("journal")
}

/// The decision log's folder.
#[must_use]
pub fn decisions_in(store: &Path) -> PathBuf {
    store.join("decisions")
}

/// The folder of the record of views.
#[must_use]
pub fn reads_in(store: &Path) -> PathBuf {
    store.join("reads")
}

/// The state's folder.
#[must_use]
pub fn state_in(store: &Path) -> PathBuf {
    store.join("state")
}

/// The state as it is on disk, or an empty one where that is not this journal's.
fn follow(journal: &FileJournal, folder: &Path, adapters: &[Adapter]) -> Result<(Opened, Option<Doubt>), DataError> {
    let mut opened = state::open(folder, adapters)?;
    let Mark { seq, hash, .. } = *opened.writer.mark();
    if seq == 0 || journal.entry(seq)?.map(|entry| entry.hash) == hash {
        let rebuilt = opened.rebuild.take().map(Doubt::Store);
        return Ok((opened, rebuilt));
    }
    drop(opened);
    let head = journal.head().seq;
    // A cut is an operator's decision, and an entry of this stream.
    if seq > head && journal.version(journal::CUTS) == 0 {
        return Err(DataError::Lost { seq, head, state: folder.to_owned() });
    }
    state::discard(folder)?;
    Ok((state::open(folder, adapters)?, Some(Doubt::Elsewhere { seq })))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::executor::block_on;
    use serde_json::value::to_raw_value;

    use super::*;
    use crate::journal::{Actor, Append, CutOrder, NewEntry, cut};

    fn entry(number: u32) -> Append {
        let actor = Actor { member: "m-1".into(), roles: Vec::new(), address: None };
        let entry = NewEntry {
            org: "o".into(),
            stream: format!("test/{number}"),
            kind: "test.done".into(),
            actor: actor.clone(),
            action: "".into(),
            request_id: "r".into(),
            trace: None,
            key: None,
            data: to_raw_value(&number).unwrap(),
            event: None,
        };
        Append { entries: vec![entry], ..Append::default() }
    }

    fn opened(store: &Path) -> (Data, Vec<u64>) {
        let mut seen = Vec::new();
        let data = open(store, &Adapter::ALL, None, |seq, _| seen.push(seq)).unwrap();
        (data, seen)
    }

    #[test]
    fn the_state_follows_and_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let (data, seen) = opened(folder.path());
        assert!(seen.is_empty() && data.rebuilt.is_none() && data.mark.seq == 0);
        for number in 1..=3 {
            block_on(data.journal.append(entry(number))).unwrap();
        }
        assert_eq!(data.state.seq(), 3);
        drop(data);
        let (again, seen) = opened(folder.path());
        assert!(seen.is_empty() && again.rebuilt.is_none());
        assert_eq!((again.state.seq(), again.mark.seq), (3, 3));
    }

    #[test]
    fn a_lost_state_is_folded_again() {
        let folder = tempfile::tempdir().unwrap();
        let (data, _) = opened(folder.path());
        block_on(data.journal.append(entry(1))).unwrap();
        drop(data);
        state::discard(&state_in(folder.path())).unwrap();
        let (again, seen) = opened(folder.path());
        assert_eq!((seen, again.state.seq()), (vec![1], 1));
        drop(again);
        let mut seen = Vec::new();
        let again = rebuild(folder.path(), &Adapter::ALL, |seq, head| seen.push((seq, head))).unwrap();
        assert_eq!((seen, again.state.seq()), (vec![(1, 1)], 1));
    }

    #[test]
    fn a_state_of_entries_that_were_cut_off_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let (data, _) = opened(folder.path());
        for number in 1..=2 {
            block_on(data.journal.append(entry(number))).unwrap();
        }
        drop(data);
        let actor = Actor { member: "operator".into(), roles: Vec::new(), address: None };
        let (org, request_id) = ("operators".to_owned(), "r".to_owned());
        let order = CutOrder { at: 2, reason: "a test".into(), org, actor, request_id };
        cut(&journal_in(folder.path()), order).unwrap();
        // The decision has the number of the entry that is gone.
        let (again, seen) = opened(folder.path());
        assert!(matches!(again.rebuilt, Some(Doubt::Elsewhere { seq: 2 })));
        assert_eq!((seen, again.state.seq()), (vec![2], 2));
    }

    #[test]
    fn a_journal_that_lacks_what_the_state_has_seen_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (first, _) = opened(folder.path());
        block_on(first.journal.append(entry(1))).unwrap();
        drop(first);
        std::fs::rename(journal_in(folder.path()), folder.path().join("elsewhere")).unwrap();
        let refused = open(folder.path(), &Adapter::ALL, None, |_, _| {}).map(drop).unwrap_err();
        assert!(matches!(refused, DataError::Lost { seq: 1, head: 0, .. }), "{refused}");
        assert!(refused.to_string().contains("store.path"), "{refused}");
        // Nothing was done to the state by that: with its journal it is whole.
        std::fs::remove_dir_all(journal_in(folder.path())).unwrap();
        std::fs::rename(folder.path().join("elsewhere"), journal_in(folder.path())).unwrap();
        let (again, seen) = opened(folder.path());
        assert!(again.rebuilt.is_none() && seen.is_empty());
    }

    #[test]
    fn the_state_of_a_running_hub_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let (running, _) = opened(folder.path());
        block_on(running.journal.append(entry(1))).unwrap();
        let second = open(folder.path(), &Adapter::ALL, None, |_, _| {});
        assert!(matches!(second, Err(DataError::Journal(OpenError::Held { .. }))));
        block_on(running.journal.append(entry(2))).unwrap();
        drop(running);
        assert!(opened(folder.path()).0.rebuilt.is_none());
    }
}
