//! Jobs as they are written down: how each began and how it ended, and what is to be said of one that an earlier run of the hub
//! has left behind.
//!
//! A claim leads to either entry, so that a job is found by its reference without reading the journal through.

use std::sync::Arc;

use super::jobs::JobView;
use crate::domain::event::Event;
use crate::domain::parked::{JobEnded, JobState};
use crate::journal::{Append, Claim, Entry, Journal, ReadError};
use crate::sync::entries::By;

/// The stream of a job, which is also the claim that leads to its beginning.
pub(super) fn stream(id: &str) -> String {
    format!("job/{id}")
}

fn end(id: &str) -> String {
    format!("job/{id}/end")
}

/// Writes down how a job ended. Where the journal takes no more, the next run finds it interrupted, which it was.
pub(super) async fn note_end(journal: &dyn Journal, by: &By, view: &JobView) {
    let JobView { id, state, decided, passed_over, .. } = view;
    let event = Event::JobEnded(JobEnded { state: *state, decided: *decided, passed_over: *passed_over });
    let entry = match by.entry(stream(id), event) {
        Ok(entry) => entry,
        Err(error) => return tracing::error!(job = %id, %error, "the end of a job can't be written"),
    };
    let claims = vec![Claim::lasting(end(id))];
    if let Err(error) = journal.append(Append { entries: vec![entry], claims, ..Append::default() }).await {
        tracing::warn!(job = %id, %error, "the end of a job is not in the journal");
    }
}

/// A job of an earlier run, as the journal has it. Reads files: all that came behind its beginning, where it has no end.
///
/// # Errors
/// The journal can't be read.
pub(super) fn read(journal: &dyn Journal, id: &str) -> Result<Option<JobView>, ReadError> {
    let Some(began) = journal.claimed(&stream(id)) else { return Ok(None) };
    let Some(entry) = journal.entry(began)? else { return Ok(None) };
    let Some(Event::JobStarted(started)) = event(&entry) else { return Ok(None) };
    let mut view = JobView::new(started, &entry.actor.member, entry.time);
    let ended = journal.claimed(&end(id)).map(|seq| journal.entry(seq)).transpose()?.flatten();
    match ended.as_ref().and_then(|entry| Some((entry.time, event(entry)?))) {
        Some((at, Event::JobEnded(JobEnded { state, decided, passed_over }))) => {
            (view.state, view.decided, view.passed_over, view.ended_at) = (state, decided, passed_over, Some(at));
        }
        _ => interrupted(journal, &entry, &mut view)?,
    }
    Ok(Some(view))
}

/// Nobody has written how it ended: it ended with its last decision, or with its beginning.
fn interrupted(journal: &dyn Journal, began: &Entry, view: &mut JobView) -> Result<(), ReadError> {
    (view.state, view.ended_at) = (JobState::Interrupted, Some(began.time));
    for entry in journal.read(began.seq.saturating_add(1)) {
        let entry = entry?;
        let own = entry.request_id == began.request_id && entry.actor.member == began.actor.member;
        if own && ["delivery.retried", "delivery.discarded"].contains(&entry.kind.as_ref()) {
            view.decided += 1;
            view.ended_at = Some(entry.time);
        }
    }
    Ok(())
}

fn event(entry: &Entry) -> Option<Event> {
    entry.event().ok().flatten().map(Arc::unwrap_or_clone)
}
