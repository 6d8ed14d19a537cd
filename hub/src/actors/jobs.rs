//! Decisions on all deliveries that match, made behind the request: started, watched and cancelled.
//!
//! A bounded number of jobs is held in memory; how each began and ended is in the journal, where those of earlier runs of the
//! hub are found. What a job has decided is there too, and what it has not is still set aside when the hub stops. A job that
//! ends by a panic says so instead of running for ever.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::records;
use crate::domain::parked::{Decision, JobStarted, JobState, ParkedFilter};
use crate::sync::decide::{Bulk, Tally};

/// Jobs that run at once.
const RUNNING: usize = 4;
/// Jobs that are remembered, the newest.
const KEPT: usize = 50;

/// A decision on all deliveries that match, and how far it has come.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub struct JobView {
    /// `JB-…`.
    pub id: String,
    /// What is decided.
    pub decision: Decision,
    /// On which deliveries.
    pub filter: ParkedFilter,
    /// Why, as the operator said.
    pub reason: Option<String>,
    /// Who started it.
    pub member: String,
    /// How it stands.
    pub state: JobState,
    /// How many matched when it was started.
    pub matched: usize,
    /// Decisions that are in the journal.
    pub decided: usize,
    /// Deliveries left as they are: superseded, so that a retry would change nothing, or decided on by somebody else meanwhile.
    pub passed_over: usize,
    /// When it was started.
    #[serde(with = "crate::domain::moment")]
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "crate::domain::moment::option")]
    pub ended_at: Option<DateTime<Utc>>,
}

impl JobView {
    /// As it is when it begins.
    #[must_use]
    pub fn new(started: JobStarted, member: &str, started_at: DateTime<Utc>) -> Self {
        let JobStarted { id, decision, filter, reason, matched } = started;
        let member = member.to_owned();
        let state = JobState::Running;
        Self {
            id,
            decision,
            filter,
            reason,
            member,
            state,
            matched,
            decided: 0,
            passed_over: 0,
            started_at,
            ended_at: None,
        }
    }
}

struct Job {
    view: Mutex<JobView>,
    cancel: CancellationToken,
}

/// The jobs of this hub.
pub(super) struct Jobs {
    kept: Mutex<VecDeque<Arc<Job>>>,
    running: Arc<Semaphore>,
}

/// The right to run one job.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { kept: Mutex::default(), running: Arc::new(Semaphore::new(RUNNING)) }
    }
}

impl Jobs {
    /// A turn, where fewer than the most are running.
    pub fn turn(&self) -> Option<Turn> {
        self.running.clone().try_acquire_owned().ok().map(|permit| Turn { _permit: permit })
    }

    /// Starts a job.
    pub fn start(&self, turn: Turn, view: JobView, bulk: Bulk) {
        let bulk = Arc::new(bulk);
        let job = Arc::new(Job { view: Mutex::new(view), cancel: CancellationToken::new() });
        let mut kept = self.kept.lock();
        kept.push_front(job.clone());
        kept.truncate(KEPT);
        drop(kept);
        tokio::spawn(async move {
            let (inner, work) = (job.clone(), bulk.clone());
            // In a task of its own, so that a panic ends the job and not what is told of it.
            let ended = tokio::spawn(async move { inner.run(&work).await }).await;
            let view = job.end(ended.unwrap_or(JobState::Failed));
            records::note_end(bulk.journal.as_ref(), &bulk.by, &view).await;
            drop(turn);
        });
    }

    /// Remembers a job that has ended, behind those of this run.
    pub fn remember(&self, view: JobView) {
        let mut kept = self.kept.lock();
        if kept.len() < KEPT && kept.iter().all(|job| job.view.lock().id != view.id) {
            kept.push_back(Arc::new(Job { view: Mutex::new(view), cancel: CancellationToken::new() }));
        }
    }

    /// All that are remembered, newest first.
    pub fn list(&self) -> Vec<JobView> {
        self.kept.lock().iter().map(|job| job.view.lock().clone()).collect()
    }

    /// One of them.
    pub fn get(&self, id: &str) -> Option<JobView> {
        self.find(id).map(|job| job.view.lock().clone())
    }

    /// Tells a job to stop with the batch that it is at. One that has ended stays as it is.
    pub fn cancel(&self, id: &str) -> Option<JobView> {
        let job = self.find(id)?;
        job.cancel.cancel();
        let mut view = job.view.lock();
        if view.state == JobState::Running {
            view.state = JobState::Cancelling;
        }
        Some(view.clone())
    }

    fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.kept.lock().iter().find(|job| job.view.lock().id == id).cloned()
    }
}

impl Job {
    async fn run(&self, bulk: &Bulk) -> JobState {
        let told = |Tally { decided, passed_over }: Tally| {
            let mut view = self.view.lock();
            (view.decided, view.passed_over) = (decided, passed_over);
        };
        match bulk.run(|| self.cancel.is_cancelled(), told).await {
            // Cancelled too late to stop anything, it is done all the same.
            Ok(tally) if self.cancel.is_cancelled() && !self.is_all(tally) => JobState::Cancelled,
            Ok(_) => JobState::Done,
            Err(error) => {
                let view = self.view.lock();
                tracing::error!(job = %view.id, decided = view.decided, %error, "a job was broken off");
                JobState::Failed
            }
        }
    }

    fn is_all(&self, tally: Tally) -> bool {
        tally.decided + tally.passed_over >= self.view.lock().matched
    }

    fn end(&self, state: JobState) -> JobView {
        let mut view = self.view.lock();
        view.state = state;
        view.ended_at = Some(Utc::now());
        tracing::info!(
            job = %view.id, decision = view.decision.as_str(), matched = view.matched, decided = view.decided,
            passed_over = view.passed_over, state = ?state, "a job has ended"
        );
        view.clone()
    }
}
