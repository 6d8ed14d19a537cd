//! The way in for operators: deliveries that were set aside, and decisions on one or all of them.
//!
//! Looks run over every lane that has something set aside, so they run beside the threads that serve connections.

use tracing::Instrument as _;
use uuid::Uuid;

use super::command::{Answer, CommandError, Done, Meta, Order};
use super::commands::{Commands, Outcome, expect};
use super::jobs::JobView;
use super::records;
use crate::access::Permit;
use crate::domain::parked::{JobStarted, ParkedDelivery, ParkedFilter};
use crate::domain::reference::{JOB, reference};
use crate::sync::decide::{Bulk, Ruling};
use crate::sync::parked::{self, Census, ParkedPage, Place};
use crate::telemetry::TraceContext;

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
        let turn = self.jobs().turn();
        // A repeat starts nothing, and so needs no turn.
        if turn.is_none() && !self.was_answered(&permit, &meta) {
            return Err(CommandError::Overloaded);
        }
        let id = reference(JOB, Uuid::now_v7());
        let started = JobStarted {
            id: id.clone(),
            decision: ruling.decision,
            filter: filter.clone(),
            reason: ruling.reason.clone(),
            matched,
        };
        let (commands, by) = (self.clone(), super::desk::by_caller(&permit, &meta));
        let starting = async move {
            let done = commands.on_client(id, permit, meta, Order::Job(started)).await?;
            let job = expect(done, |done| if let Done::Job(view) = done { Some(*view) } else { None })?;
            if !job.replayed {
                let turn = turn.ok_or(CommandError::Overloaded)?;
                // The decisions are the job's, not the request's: its key is used up by the job's own entry.
                let by = crate::sync::entries::By { key: None, ..by };
                let (journal, state) = (commands.journal().clone(), commands.state().clone());
                commands.jobs().start(turn, job.value.clone(), Bulk { journal, state, filter, ruling, by });
            }
            Ok(Answer { value: job.value, replayed: job.replayed })
        };
        // A task of its own: whoever asked may go away between the job's entry and its start.
        let starting = TraceContext::scope(TraceContext::current(), starting).in_current_span();
        tokio::spawn(starting).await.map_err(|_| CommandError::Restarting)?
    }

    fn was_answered(&self, permit: &Permit, meta: &Meta) -> bool {
        super::desk::claim_of(permit, meta).is_some_and(|claim| self.journal().claimed(&claim).is_some())
    }

    /// The jobs that are remembered, newest first.
    #[must_use]
    pub fn job_list(&self, _: &Permit) -> Vec<JobView> {
        self.jobs().list()
    }

    /// One job, of an earlier run of the hub too.
    ///
    /// # Errors
    /// The journal can't be read.
    pub async fn job(&self, _: &Permit, id: &str) -> Result<Option<JobView>, CommandError> {
        if let Some(view) = self.jobs().get(id) {
            return Ok(Some(view));
        }
        let (journal, of) = (self.journal().clone(), id.to_owned());
        let found = aside(move || records::read(journal.as_ref(), &of)).await?.map_err(|error| {
            tracing::error!(%error, "a job can't be read");
            CommandError::StorageUnavailable
        })?;
        if let Some(view) = &found {
            self.jobs().remember(view.clone());
        }
        Ok(found)
    }

    /// Tells a job to stop.
    ///
    /// # Errors
    /// The journal can't be read.
    pub async fn cancel_job(&self, permit: &Permit, id: &str) -> Result<Option<JobView>, CommandError> {
        match self.jobs().cancel(id) {
            Some(view) => Ok(Some(view)),
            None => self.job(permit, id).await,
        }
    }
}

async fn aside<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Result<T, CommandError> {
    tokio::task::spawn_blocking(look).await.map_err(|_| CommandError::Restarting)
}
