//! The link to one adapter: takes the lanes that are due, a bounded number at once, each by one attempt at a time.
//!
//! Order holds within a lane because a lane is never in work twice; lanes know nothing of each other. The link keeps nothing
//! that it can't work out again: a new one after a crash goes on where the journal says.

use std::collections::{BTreeSet, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::asides::Asides;
use super::breaker::{Breaker, BreakerPolicy, Gate};
use super::inbox::Inbox;
use super::work::{Worked, Worker};
use crate::domain::delivery::Function;
use crate::faults;
use crate::journal::AppendError;
use crate::state::lanes::Plan;
use crate::telemetry::TraceContext;

/// How often a link looks even if nobody wakes it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a lane rests that waits for another lane.
const WAIT: Duration = Duration::from_millis(500);
/// How long a lane rests after the journal refused an entry.
const REST: Duration = Duration::from_millis(250);

/// How a link is to behave.
#[derive(Debug, Clone, Copy)]
pub struct LinkPolicy {
    /// Lanes in work at once.
    pub concurrency: usize,
    /// The circuit breaker.
    pub breaker: BreakerPolicy,
}

/// What others give a link and see of it. It outlives the link.
#[derive(Default)]
pub struct Side {
    /// References of clients to ask about again.
    pub inbox: Inbox,
    /// Whether the outside system is left alone for a while, since it does not answer.
    pub away: AtomicBool,
}

/// The link's state.
struct Link {
    worker: Worker,
    policy: LinkPolicy,
    breaker: Breaker,
    busy: HashSet<Arc<str>>,
    running: JoinSet<(Arc<str>, Result<Worked, AppendError>)>,
    /// What is asked beside the deliveries.
    asides: Asides,
    /// Clients whose relationship is to be read now that the CRM has them, when no delivery needs the room. What a crash
    /// forgets of it, the next view asks for.
    delivered: BTreeSet<Arc<str>>,
    /// Lanes that were due and had nothing to do when they were last looked at.
    idle: HashSet<Arc<str>>,
    /// How the outside system is, asked where nothing is due that would show it.
    probe: JoinSet<bool>,
}

/// Works until `leaving` ends, then lets what runs come to its end.
pub async fn run(worker: Worker, policy: LinkPolicy, side: &Side, leaving: impl Future<Output = ()>) {
    let breaker = Breaker::new(policy.breaker);
    let asides = Asides::new(worker.clone(), policy.concurrency);
    let mut link = Link {
        worker,
        policy,
        breaker,
        busy: HashSet::new(),
        running: JoinSet::new(),
        asides,
        delivered: BTreeSet::new(),
        idle: HashSet::new(),
        probe: JoinSet::new(),
    };
    let mut leaving = std::pin::pin!(leaving);
    loop {
        let wait = link.start_due();
        side.away.store(link.breaker.gate(Instant::now()) != Gate::Closed, Ordering::Relaxed);
        let lanes = link.worker.state.lanes();
        tokio::select! {
            () = &mut leaving => break,
            Some(done) = link.running.join_next() => match done {
                Ok((lane, result)) => link.ended(lane, result),
                Err(error) => {
                    // A panic in one lane's work: the supervisor makes the link again, and nothing that is owed is lost.
                    // The others' attempts come to their end first, or their outcomes would be unknown.
                    while link.running.join_next().await.is_some() {}
                    std::panic::resume_unwind(Box::new(error.to_string()))
                }
            },
            Some(well) = link.probe.join_next() => link.probed(well.unwrap_or(false)),
            client = side.inbox.next(), if link.asides.has_room() => link.asides.hinted(&client),
            () = link.asides.advance() => {}
            () = lanes.changed(link.worker.adapter) => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    link.worker.leaving.cancel();
    while link.running.join_next().await.is_some() {}
}

impl Link {
    /// Starts as many due lanes as there is room for. Returns how long there is nothing more to do.
    fn start_due(&mut self) -> Duration {
        let now = Instant::now();
        let gate = self.breaker.gate(now);
        let room = match gate {
            Gate::Closed => self.policy.concurrency.saturating_sub(self.running.len()),
            Gate::Probe => usize::from(self.running.is_empty() && self.probe.is_empty()),
            Gate::Open(until) => return until.duration_since(now).min(LOOK_EVERY),
        };
        for lane in self.worker.state.lanes().due(self.worker.adapter, self.worker.clock.now(), room, &self.busy) {
            self.busy.insert(lane.clone());
            let worker = self.worker.clone();
            self.running.spawn(async move {
                // An error is nothing that a lane's work has: what it comes to is in the journal.
                let _ = faults::strike("lane", worker.adapter.as_str());
                let result = worker.run(&lane).await;
                // Whoever was faster has left something to do at once.
                if result.as_ref().is_err_and(|error| !matches!(error, AppendError::Conflict { .. })) {
                    tokio::time::sleep(REST).await;
                }
                (lane, result)
            });
        }
        match gate {
            Gate::Closed => self.read_relationships(),
            _ if self.running.is_empty() && self.probe.is_empty() => self.ask_how_it_is(),
            _ => {}
        }
        let next = self.worker.state.lanes().next_after(self.worker.adapter, self.worker.clock.now());
        next.and_then(|next| (next - self.worker.clock.now()).to_std().ok()).unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
    }

    fn ended(&mut self, lane: Arc<str>, result: Result<Worked, AppendError>) {
        if !matches!(result, Ok(Worked::Idle)) {
            self.idle.remove(&lane);
        }
        match result {
            Ok(Worked::Delivered(function)) => {
                self.breaker.succeeded();
                if function == Function::UpsertContact {
                    self.delivered.insert(lane.clone());
                }
            }
            Ok(Worked::Answered) => self.breaker.succeeded(),
            Ok(Worked::Failed) => self.breaker.failed(Instant::now()),
            Ok(Worked::Idle) => self.settle_idle(&lane),
            Ok(Worked::Waiting) => self.postpone(&lane, WAIT),
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => tracing::warn!(adapter = self.worker.adapter.as_str(), %error, "the journal took no entry"),
        }
        self.busy.remove(&lane);
    }

    /// A lane that was due and had nothing to do is worked out anew. It may have become due while it was looked at, and
    /// then comes up again at once; but not for ever.
    fn settle_idle(&mut self, lane: &Arc<str>) {
        let (adapter, now) = (self.worker.adapter, self.worker.clock.now());
        let plan = self.worker.state.plan_again(adapter, lane);
        let due = plan.due.is_some_and(|due| due <= now);
        if due && self.idle.insert(lane.clone()) {
            return;
        }
        self.idle.remove(lane);
        if due {
            tracing::error!(adapter = adapter.as_str(), %lane, "a lane is due and has nothing to do");
            self.postpone(lane, LOOK_EVERY);
        }
    }

    /// Looks at a lane again after a while, whatever its record says now.
    fn postpone(&self, lane: &str, pause: Duration) {
        let adapter = self.worker.adapter;
        let plan = self.worker.state.plan_again(adapter, lane);
        let due = plan.due.map(|due| due.max(self.worker.clock.now() + pause));
        self.worker.state.lanes().set(adapter, lane, Plan { due, ..plan });
    }

    fn ask_how_it_is(&mut self) {
        let (adapters, adapter) = (self.worker.caller.adapters.clone(), self.worker.adapter);
        self.probe.spawn(TraceContext::scope(Some(TraceContext::new()), async move {
            adapters.check_health(adapter).await.is_ok_and(|health| health.ok)
        }));
    }

    fn probed(&mut self, well: bool) {
        if well { self.breaker.succeeded() } else { self.breaker.failed(Instant::now()) }
    }

    /// Reads relationships with the room that deliveries leave.
    fn read_relationships(&mut self) {
        while self.running.len() + self.asides.running() < self.policy.concurrency
            && let Some(client) = self.delivered.pop_first()
        {
            self.asides.about(&client);
        }
    }
}
