//! The way in for operators: deliveries that were set aside, and decisions on one or all of them.
//!
//! Looks run over every lane that has something set aside, so they run beside the threads that serve connections.

use uuid::Uuid;

use super::command::{Answer, CommandError, Done, Meta, Order};
use super::commands::{Commands, Outcome, expect};
use super::jobs::JobView;
use crate::access::Permit;
use crate::domain::parked::{JobStarted, ParkedDelivery, ParkedFilter};
use crate::domain::reference::{JOB, reference};
use crate::sync::decide::{Bulk, Ruling};
use crate::sync::parked::{self, Census, ParkedPage, Place};

impl Commands {
    /// CX030: a part of what was set aside. The permit is that it may be seen.
    ///
    /// # Errors
    /// The look was broken off.
    pub async fn parked(
        &self,
        _: &Permit,
        filter: ParkedFilter,
        after: Option<Place>,
        limit: usize,
    ) -> Result<ParkedPage, CommandError> {
        let state = self.state().clone();
        aside(move || parked::page(&state, &filter, after.as_ref(), limit)).await
    }

    /// Whether a delivery is set aside.
    ///
    /// # Errors
    /// The look was broken off.
    pub async fn is_parked(&self, _: &Permit, id: &str) -> Result<bool, CommandError> {
        let (state, id) = (self.state().clone(), id.to_owned());
        aside(move || parked::find(&state, &id).is_some()).await
    }

    /// What a decision on all that match would meet; `shown` of the superseded ones are shown.
    ///
    /// # Errors
    /// The look was broken off.
    pub async fn census(&self, _: &Permit, filter: ParkedFilter, shown: usize) -> Result<Census, CommandError> {
        let state = self.state().clone();
        aside(move || parked::census(&state, &filter, shown)).await
    }

    /// CX031, on one delivery.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn decide(&self, permit: Permit, meta: Meta, id: &str, ruling: Ruling) -> Outcome<ParkedDelivery> {
        let done = self.on_client(id.to_owned(), permit, meta, Order::Decide(ruling)).await?;
        expect(done, |done| if let Done::Delivery(delivery) = done { Some(*delivery) } else { None })
    }

    /// CX031, on all that match: a job behind the request.
    ///
    /// # Errors
    /// See [`CommandError`]; `Overloaded` while too many jobs run.
    pub async fn decide_all(
        &self,
        permit: Permit,
        meta: Meta,
        filter: ParkedFilter,
        ruling: Ruling,
    ) -> Outcome<JobView> {
        let matched = self.census(&permit, filter.clone(), 0).await?.matched;
        let turn = self.jobs().turn().ok_or(CommandError::Overloaded)?;
        let id = reference(JOB, Uuid::now_v7());
        let started = JobStarted {
            id: id.clone(),
            decision: ruling.decision,
            filter: filter.clone(),
            reason: ruling.reason.clone(),
            matched,
        };
        let by = super::desk::by_caller(&permit, &meta);
        let done = self.on_client(id, permit, meta, Order::Job(started)).await?;
        let job = expect(done, |done| if let Done::Job(view) = done { Some(*view) } else { None })?;
        if !job.replayed {
            // The decisions are the job's, not the request's: its key is used up by the job's own entry.
            let by = crate::sync::entries::By { key: None, ..by };
            let (journal, state) = (self.journal().clone(), self.state().clone());
            self.jobs().start(turn, job.value.clone(), Bulk { journal, state, filter, ruling, by });
        }
        Ok(Answer { value: job.value, replayed: job.replayed })
    }

    /// The jobs that are remembered, newest first.
    #[must_use]
    pub fn job_list(&self, _: &Permit) -> Vec<JobView> {
        self.jobs().list()
    }

    /// One job.
    #[must_use]
    pub fn job(&self, _: &Permit, id: &str) -> Option<JobView> {
        self.jobs().get(id)
    }

    /// Tells a job to stop.
    #[must_use]
    pub fn cancel_job(&self, _: &Permit, id: &str) -> Option<JobView> {
        self.jobs().cancel(id)
    }
}

async fn aside<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Result<T, CommandError> {
    tokio::task::spawn_blocking(look).await.map_err(|_| CommandError::Restarting)
}
