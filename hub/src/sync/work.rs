//! One lane's next attempt from beginning to end: work out, write down, call, write down.
//!
//! The attempt is durable before anything is sent, so that a crash at any moment leaves either nothing done or an outcome
//! that is known to be unknown. A conflict means that somebody else has moved the lane; it is looked at again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::call::{Caller, Effect, Subject};
use super::clock::Clock;
use super::devices::{self, FollowError};
use super::entries::{By, client_stream, delivery_stream, kyc_stream, stream_of};
use super::schedule::Schedule;
use super::settle::{self, Failure};
use super::step::{self, Body, Step};
use crate::adapters::wit::types::RepeatSafety;
use crate::adapters::{CallError, noting};
use crate::domain::client::ClientCommand;
use crate::domain::delivery::{Adapter, CallDone, Function};
use crate::domain::due::screening_digest;
use crate::domain::event::{DocumentChecked, Event};
use crate::domain::kyc::{DocumentStatus, Verdict};
use crate::journal::{Append, AppendError, Journal, NewEntry, conflict};
use crate::state::{ClientRecord, State};
use crate::telemetry::TraceContext;

/// How often a verdict is decided anew because the client has moved meanwhile.
const CONFLICTS: u32 = 8;
/// Between two tries to write down an outcome that the journal does not take.
const NOTE_AGAIN: Duration = Duration::from_millis(200);

/// What a lane's work needs.
#[derive(Clone)]
pub struct Worker {
    /// For which adapter.
    pub adapter: Adapter,
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// What is so.
    pub state: State,
    /// Makes the calls.
    pub caller: Caller,
    /// When to repeat.
    pub schedule: Arc<Schedule>,
    /// What is due by now.
    pub clock: Clock,
    /// The link leaves: an outcome that the journal does not take now is not kept any longer.
    pub leaving: CancellationToken,
}

/// How a lane's work has ended, for the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// The outside system did what was asked.
    Delivered(Function),
    /// The outside system answered with something else.
    Answered,
    /// The outside system did not work.
    Failed,
    /// Nothing was asked of it.
    Idle,
    /// Nothing could be asked of it yet: another lane's delivery has to come first.
    Waiting,
}

impl Worker {
    /// Does the lane's next attempt, if it has one.
    ///
    /// # Errors
    /// The journal did not take an entry. What was written stays; the lane is looked at again.
    pub async fn run(&self, lane: &str) -> Result<Worked, AppendError> {
        let now = self.clock.now();
        let (subject, step, org) = if let Some(record) = self.state.any_device(lane) {
            let org = record.device.org.clone();
            (Subject::Device(record.clone()), step::of_device(&record, now), org)
        } else if let Some(record) = self.state.any_client(lane) {
            let org = record.client.org.clone();
            (Subject::Client(record.clone()), step::of_client(self.adapter, &record, now), org)
        } else {
            return Ok(Worked::Idle);
        };
        let Some(step) = step else { return Ok(Worked::Idle) };
        if self.caller.must_wait(&step) {
            return Ok(Worked::Waiting);
        }
        let trace = self.trace_of(&step).await;
        let trace_id = trace.map(|trace| trace.trace_id_hex());
        let function = step.function.as_str();
        let span = tracing::info_span!("delivery", adapter = self.adapter.as_str(), lane, function, trace_id);
        TraceContext::scope(trace, self.attempt(lane, &org, step, subject)).instrument(span).await
    }

    /// The trace of the request that owes the step, one step further; a new one where that is not known.
    async fn trace_of(&self, step: &Step) -> Option<TraceContext> {
        let (journal, owing) = (self.journal.clone(), step.owing);
        let read = tokio::task::spawn_blocking(move || journal.entry(owing)).await;
        let owing = read.ok().and_then(Result::ok).flatten();
        let trace = owing.and_then(|entry| TraceContext::parse(entry.trace.as_deref()?));
        Some(trace.map_or_else(TraceContext::new, |trace| trace.child()))
    }

    async fn attempt(&self, lane: &str, org: &str, step: Step, subject: Subject) -> Result<Worked, AppendError> {
        let by = By::hub(org, &step.key);
        if step.repeats_unknown && !self.is_loaded(step.function) {
            return Ok(Worked::Failed);
        }
        if step.repeats_unknown && !self.repeatable(step.function) {
            // Begun before a restart: nobody knows whether it had its effect, and the system can't tell.
            let lost = Failure::of(CallError::Unknown("the hub stopped during the attempt".to_owned()), None);
            return self.fail(lane, (&step, &by), &lost).await.map(|()| Worked::Idle);
        }
        self.begin(lane, (&step, &by), &subject).await?;
        let (called, done) = noting(Box::pin(self.call(lane, &subject, &step))).await;
        let done = done.map(Box::new);
        match called? {
            Ok(effect) => {
                self.succeed(lane, (&step, &by), (effect, done)).await?;
                Ok(Worked::Delivered(step.function))
            }
            Err(error) => {
                let failure = Failure::of(error, done);
                self.fail(lane, (&step, &by), &failure).await?;
                Ok(if failure.trips { Worked::Failed } else { Worked::Answered })
            }
        }
    }

    /// The call itself. A list of devices is compared with what is known and written down at once.
    async fn call(&self, lane: &str, subject: &Subject, step: &Step) -> Result<Result<Effect, CallError>, AppendError> {
        if step.function != Function::ListDevices {
            return Ok(self.caller.call(self.adapter, subject, step).await);
        }
        match devices::list(self, lane).await {
            Ok(()) => Ok(Ok(Effect::Listed)),
            Err(FollowError::Call(error)) => Ok(Err(error)),
            Err(FollowError::Append(error)) => Err(error),
        }
    }

    /// While the adapter is not there, nobody knows whether it could repeat: the lane waits.
    fn is_loaded(&self, function: Function) -> bool {
        function == Function::ListDevices
            || self.caller.adapters.repeat_safety(self.adapter, function.as_str()).is_some()
    }

    fn repeatable(&self, function: Function) -> bool {
        let said = self.caller.adapters.repeat_safety(self.adapter, function.as_str());
        // A question has no effect, whatever is said of it.
        function == Function::ListDevices || matches!(said, Some(RepeatSafety::Safe | RepeatSafety::LookUp))
    }

    async fn begin(&self, lane: &str, (step, by): (&Step, &By), subject: &Subject) -> Result<(), AppendError> {
        let entry = by.entry(delivery_stream(self.adapter, lane), settle::attempted(step))?;
        // A mirror's body is the client as it is when the attempt is written down, so it must be this version.
        let expects = match (&step.body, subject) {
            (Body::Mirror(body), Subject::Client(record)) if body.version == record.client.version => {
                vec![(client_stream(lane), record.client.version)]
            }
            _ => Vec::new(),
        };
        self.journal.append(Append { entries: vec![entry], expects, ..Append::default() }).await.map(|_| ())
    }

    async fn fail(&self, lane: &str, (step, by): (&Step, &By), failure: &Failure) -> Result<(), AppendError> {
        let at = (self.clock.now(), rand::random::<f64>());
        let event = settle::failed(step, failure, self.repeatable(step.function), &self.schedule, at);
        tracing::info!(attempt = step.attempt, outcome = event.kind(), error = %failure.error, "an attempt failed");
        self.note(vec![by.entry(delivery_stream(self.adapter, lane), event)?], Vec::new()).await
    }

    /// Writes down what an attempt has come to. On a full disk that waits in memory: forgotten, the attempt would count as one
    /// of which nobody knows whether it had its effect.
    async fn note(&self, entries: Vec<NewEntry>, expects: Vec<(String, u64)>) -> Result<(), AppendError> {
        let append = Append { entries, expects, ..Append::default() };
        loop {
            let refused = match self.journal.append(append.clone()).await {
                Err(refused @ AppendError::StorageUnavailable(_)) => refused,
                noted => return noted.map(|_| ()),
            };
            tokio::select! {
                () = self.leaving.cancelled() => return Err(refused),
                () = tokio::time::sleep(NOTE_AGAIN) => {}
            }
        }
    }

    async fn succeed(
        &self,
        lane: &str,
        (step, by): (&Step, &By),
        (effect, done): (Effect, Option<Box<CallDone>>),
    ) -> Result<(), AppendError> {
        if let Effect::Document { status: DocumentStatus::Pending, .. } = effect {
            let undecided = settle::undecided(step, (&self.schedule, self.clock.now()), done);
            return self.note(vec![by.entry(delivery_stream(self.adapter, lane), undecided)?], Vec::new()).await;
        }
        let delivered = by.entry(delivery_stream(self.adapter, lane), settle::delivered(step, &effect, done))?;
        let mut entries = vec![delivered];
        match effect {
            Effect::Screened(verdict) => return self.screened(lane, by, &entries, (&verdict, |_| true)).await,
            Effect::Document { id, status, reason } => {
                let checked = Event::DocumentChecked(DocumentChecked { id, status, reason });
                entries.push(by.entry(stream_of(&checked, lane), checked)?);
            }
            Effect::Receipt { .. } | Effect::Listed => {}
        }
        self.note(entries, Vec::new()).await
    }

    /// Writes down what a case has come to, unless it is `wanted` no more when that is decided.
    pub(super) async fn judged(
        &self,
        lane: &str,
        verdict: &Verdict,
        wanted: impl Fn(&ClientRecord) -> bool,
    ) -> Result<(), AppendError> {
        let Some(record) = self.state.any_client(lane) else { return Ok(()) };
        let by = By::hub(&record.client.org, verdict.case.as_deref().unwrap_or_default());
        self.screened(lane, &by, &[], (verdict, wanted)).await
    }

    async fn screened(
        &self,
        lane: &str,
        by: &By,
        first: &[NewEntry],
        (verdict, wanted): (&Verdict, impl Fn(&ClientRecord) -> bool),
    ) -> Result<(), AppendError> {
        for round in 0..CONFLICTS {
            let Some(record) = self.state.any_client(lane).filter(|record| wanted(record)) else { return Ok(()) };
            let (client, current) = (&record.client, screening_digest(&record.client));
            let events = client.decide(&ClientCommand::Screened { verdict: verdict.clone(), current });
            let mut entries = first.to_vec();
            for event in events.unwrap_or_default() {
                entries.push(by.entry(stream_of(&event, lane), event)?);
            }
            let expects = vec![(client_stream(lane), client.version), (kyc_stream(lane), client.kyc.version)];
            match self.note(entries, expects).await {
                Err(AppendError::Conflict { .. }) => conflict::pause(round).await,
                other => return other,
            }
        }
        Err(AppendError::Invalid("the client keeps changing under its screening"))
    }
}
