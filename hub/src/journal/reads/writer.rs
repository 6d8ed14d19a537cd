//! The thread that writes views down, once a second, each into the journal of its day.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{NaiveDate, Utc};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use futures::executor::block_on;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::super::entry::{Actor, Append, Head, NewEntry};
use super::super::error::{AppendError, OpenError};
use super::super::file::FileJournal;
use super::super::open::Options;
use super::super::{Digest, Journal as _};
use super::days::{Begun, days, end_of, folder_of};
use super::{BEGUN, Counts, LOST, VIEWED, View};
use crate::domain::HUB;

/// How often what has come together is written.
const EVERY: Duration = Duration::from_secs(1);
/// Views in one append: well below what a journal takes at once, whatever their members are called.
const MOST: usize = 512;

pub(super) struct Writer {
    folder: PathBuf,
    waiting: Receiver<View>,
    ended: Receiver<()>,
    counts: Arc<Counts>,
    day: NaiveDate,
    journal: FileJournal,
    /// Where the journal begins, while that is not written down: the disk was full.
    begun: Option<NewEntry>,
    /// Of the views that are missing, those that the record says so of.
    told: u64,
}

impl Writer {
    pub(super) fn open(
        folder: &Path,
        waiting: Receiver<View>,
        ended: Receiver<()>,
        counts: Arc<Counts>,
    ) -> Result<Self, OpenError> {
        let Today { day, journal, begun } = today(folder, NaiveDate::MIN)?;
        Ok(Self { folder: folder.to_owned(), waiting, ended, counts, day, journal, begun, told: 0 })
    }

    /// Writes until the log is closed, and what waits then.
    pub(super) fn run(mut self) {
        while matches!(self.ended.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout)) {
            self.empty();
        }
        self.empty();
        self.journal.close();
    }

    fn empty(&mut self) {
        if let Err(error) = self.turn() {
            tracing::error!(%error, "the record of views can't be gone on with: yesterday's is");
        }
        while !self.waiting.is_empty() || self.told < self.counts.lost.load(Ordering::Relaxed) {
            let views: Vec<View> = self.waiting.try_iter().take(MOST).collect();
            let count = views.len() as u64;
            match self.write(views) {
                Ok(()) => drop(self.counts.recorded.fetch_add(count, Ordering::Relaxed)),
                Err(error) => {
                    self.counts.lost.fetch_add(count, Ordering::Relaxed);
                    tracing::error!(%error, count, "views could not be put on the record");
                    return;
                }
            }
        }
    }

    /// Begins another journal where another day has begun. A clock that goes back does not go back a day.
    fn turn(&mut self) -> Result<(), OpenError> {
        if Utc::now().date_naive() > self.day {
            let Today { day, journal, begun } = today(&self.folder, self.day)?;
            let before = std::mem::replace(&mut self.journal, journal);
            (self.day, self.begun) = (day, begun);
            before.close();
        }
        Ok(())
    }

    fn write(&mut self, views: Vec<View>) -> Result<(), AppendError> {
        let lost = self.counts.lost.load(Ordering::Relaxed);
        let untold = lost - self.told;
        let gap = (untold > 0).then(|| own(LOST, &json!({"count": untold}))).flatten();
        let first = self.begun.iter().cloned().chain(gap);
        let entries = first.chain(views.into_iter().filter_map(entry)).collect();
        block_on(self.journal.append(Append { entries, ..Append::default() }))?;
        self.begun = None;
        self.told = lost;
        Ok(())
    }
}

/// The journal of a day.
struct Today {
    day: NaiveDate,
    journal: FileJournal,
    begun: Option<NewEntry>,
}

/// Today's journal, or the newest where that is of a later day.
fn today(folder: &Path, not_before: NaiveDate) -> Result<Today, OpenError> {
    let all = days(folder).map_err(OpenError::io(folder))?;
    let newest = all.last().map_or(not_before, |(day, _)| *day);
    let day = Utc::now().date_naive().max(newest).max(not_before);
    let before = all.iter().rev().find(|(other, _)| *other < day);
    let (journal, report) = FileJournal::open(Options::new(folder_of(folder, day)), |_| {})?;
    if report.entries == 0 {
        let Head { seq, hash } = before.map_or(Ok(Head { seq: 0, hash: Digest::ZERO }), |(_, path)| end_of(path))?;
        let begun = Begun { previous: before.map(|(day, _)| *day), seq, hash };
        let begun = own(BEGUN, &begun);
        let entries = begun.clone().into_iter().collect();
        match block_on(journal.append(Append { entries, ..Append::default() })) {
            Ok(_) => {}
            Err(AppendError::StorageUnavailable(_)) => return Ok(Today { day, journal, begun }),
            Err(error) => return Err(OpenError::io(folder)(std::io::Error::other(error))),
        }
    }
    Ok(Today { day, journal, begun: None })
}

/// An entry of the record about itself.
fn own(kind: &'static str, data: &impl serde::Serialize) -> Option<NewEntry> {
    Some(NewEntry {
        org: String::new(),
        stream: "reads".to_owned(),
        kind: kind.into(),
        actor: Actor { member: HUB.to_owned(), roles: Vec::new(), address: None },
        action: "".into(),
        request_id: String::new(),
        trace: None,
        key: None,
        data: to_raw_value(data).ok()?,
        event: None,
    })
}

fn entry(view: View) -> Option<NewEntry> {
    let data = json!({"at": crate::domain::moment::text(&view.at), "decision": view.decision});
    Some(NewEntry {
        org: view.org,
        stream: format!("client/{}", view.reference),
        kind: VIEWED.into(),
        actor: view.actor,
        action: view.action.into(),
        request_id: view.request_id,
        trace: view.trace,
        key: None,
        data: to_raw_value(&data).ok()?,
        event: None,
    })
}
