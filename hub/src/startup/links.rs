//! The links to the outside systems as supervised tasks, and the hints that make them look sooner.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::DateTime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::actors::{RestartPolicy, Seat, TaskSpec, Tree, TreeError, group, supervise_task};
use crate::adapters::Adapters;
use crate::config::SyncConfig;
use crate::domain::delivery::Adapter;
use crate::domain::filter::Filter;
use crate::journal::Journal;
use crate::notify::DeviceHint;
use crate::state::State;
use crate::sync::breaker::BreakerPolicy;
use crate::sync::call::Caller;
use crate::sync::clock::Clock;
use crate::sync::documents::Documents;
use crate::sync::inbox::Inbox;
use crate::sync::link::{self, LinkPolicy, Side};
use crate::sync::schedule::Schedule;
use crate::sync::work::Worker;

/// How often the devices of every client are listed, even if nobody hints at a change.
const LIST_EVERY: Duration = Duration::from_secs(6 * 3600);
/// Those who may have devices.
const IN_USE: &str = r#"status eq "active" or status eq "suspended""#;
/// Those whose screening may wait for a case.
const IN_REVIEW: &str = r#"kyc.status eq "review""#;
/// Between two clients of such a round, so that it never crowds out deliveries.
const LIST_PAUSE: Duration = Duration::from_millis(50);

/// What others may do with the links: make one look at a client again, and see how it is.
#[derive(Clone, Default)]
pub struct Links(Arc<BTreeMap<Adapter, Arc<Side>>>);

impl Links {
    /// Asks a link to look at a client; where too many wait already it is left out.
    pub fn hint(&self, adapter: Adapter, client: &str) {
        if let Some(side) = self.0.get(&adapter) {
            side.inbox.give(client.to_owned());
        }
    }

    /// Whether an outside system is left alone for a while, since it does not answer.
    pub fn is_away(&self, adapter: Adapter) -> bool {
        self.0.get(&adapter).is_some_and(|side| side.away.load(Ordering::Relaxed))
    }
}

/// What the links work with.
#[derive(Clone)]
pub struct Linked {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// What is so.
    pub state: State,
    /// The adapters.
    pub adapters: Adapters,
    /// The contents of documents.
    pub documents: Documents,
}

/// Starts a link for each adapter, with its number of lanes at once.
///
/// # Errors
/// The tree refuses a name.
pub fn start(
    tree: &Tree,
    linked: &Linked,
    config: &SyncConfig,
    concurrency: &BTreeMap<Adapter, usize>,
) -> Result<Links, TreeError> {
    group(tree, "", "sync", RestartPolicy::default())?;
    let schedule = Arc::new(Schedule::new(config.retry.clone(), config.ask_again));
    let clock = clock(linked.journal.as_ref());
    let mut sides = BTreeMap::new();
    for (adapter, lanes) in concurrency {
        let side = Arc::new(Side::default());
        sides.insert(*adapter, side.clone());
        let worker = worker(*adapter, linked, (&schedule, &clock));
        let policy = LinkPolicy { concurrency: *lanes, breaker: breaker(config) };
        supervise_link(tree, worker, policy, side)?;
    }
    let rounds = [
        Round { adapter: Adapter::Identity, every: LIST_EVERY, filter: IN_USE },
        Round { adapter: Adapter::Kyc, every: config.ask_again, filter: IN_REVIEW },
    ];
    for round in rounds {
        supervise_rounds(tree, linked.state.clone(), round, &sides)?;
    }
    Ok(Links(Arc::new(sides)))
}

/// What was written last was written in the past, whatever the wall clock says.
fn clock(journal: &dyn Journal) -> Clock {
    let newest = journal.entry(journal.head().seq).ok().flatten();
    Clock::not_before(newest.map_or(DateTime::UNIX_EPOCH, |entry| entry.time))
}

fn worker(adapter: Adapter, linked: &Linked, (schedule, clock): (&Arc<Schedule>, &Clock)) -> Worker {
    let Linked { journal, state, adapters, documents } = linked.clone();
    let caller = Caller { adapters, state: state.clone(), documents };
    let leaving = CancellationToken::new();
    Worker { adapter, journal, state, caller, schedule: schedule.clone(), clock: clock.clone(), leaving }
}

fn breaker(config: &SyncConfig) -> BreakerPolicy {
    let of = &config.breaker;
    BreakerPolicy {
        failures: usize::try_from(of.failures.get()).unwrap_or(usize::MAX),
        window: Duration::from_secs(of.window_s.get()),
        open: Duration::from_secs(of.open_s.get()),
    }
}

fn supervise_link(tree: &Tree, worker: Worker, policy: LinkPolicy, side: Arc<Side>) -> Result<(), TreeError> {
    let name = worker.adapter.to_string();
    let factory = move |lifeline: crate::actors::Lifeline| {
        let (worker, side) = (worker.clone(), side.clone());
        async move {
            link::run(worker, policy, &side, lifeline.leaving()).await;
            Ok(())
        }
    };
    supervise_task(tree, "sync", TaskSpec { name, seat: Seat::Own, factory, policy: RestartPolicy::default() })
}

/// Which clients a link is to look at again, and how often, even if nobody hints at a change.
#[derive(Clone, Copy)]
struct Round {
    adapter: Adapter,
    every: Duration,
    /// In the filter language.
    filter: &'static str,
}

/// Goes round all clients for ever, and gives the link those that are wanted.
fn supervise_rounds(
    tree: &Tree,
    state: State,
    round: Round,
    sides: &BTreeMap<Adapter, Arc<Side>>,
) -> Result<(), TreeError> {
    let Some(link) = sides.get(&round.adapter).cloned() else { return Ok(()) };
    let factory = move |lifeline: crate::actors::Lifeline| {
        let (state, link) = (state.clone(), link.clone());
        async move {
            tokio::select! {
                () = lifeline.leaving() => Ok(()),
                ended = rounds(&state, round, &link.inbox) => ended,
            }
        }
    };
    let name = format!("{}-rounds", round.adapter);
    supervise_task(tree, "sync", TaskSpec { name, seat: Seat::Own, factory, policy: RestartPolicy::default() })
}

async fn rounds(state: &State, round: Round, inbox: &Inbox) -> Result<(), String> {
    let filter = Arc::new(Filter::parse(round.filter).map_err(|error| error.to_string())?);
    loop {
        tokio::time::sleep(round.every).await;
        let (state, filter) = (state.clone(), filter.clone());
        let found = tokio::task::spawn_blocking(move || state.references(&filter)).await;
        for client in found.map_err(|error| error.to_string())? {
            while !inbox.give(client.clone()) {
                tokio::time::sleep(LIST_PAUSE).await;
            }
            tokio::time::sleep(LIST_PAUSE).await;
        }
    }
}

/// Hands the identity system's own hints on to its link, for as long as there are any. What they say is only looked up.
pub async fn pass_on(mut inbound: mpsc::Receiver<DeviceHint>, linked: Linked, links: Links) {
    while let Some(hint) = inbound.recv().await {
        let linked = linked.clone();
        // Looking a device up reads the journal's files.
        let client = tokio::task::spawn_blocking(move || client_of(&hint, &linked)).await;
        if let Ok(Some(client)) = client {
            links.hint(Adapter::Identity, &client);
        }
    }
}

/// The client of the organisation that a hint speaks of: by its reference, which is what the identity system has as
/// `externalId`, or by a device that is known.
fn client_of(hint: &DeviceHint, linked: &Linked) -> Option<String> {
    let mut named = hint.client.iter().chain(&hint.user);
    let known = named.find_map(|name| linked.state.client(&hint.org, name));
    known.map(|record| record.client.reference.clone()).or_else(|| {
        let enrolled = linked.journal.claimed(&format!("device/{}/{}", hint.org, hint.device.as_deref()?))?;
        let entry = linked.journal.entry(enrolled).ok()??;
        let device = linked.state.device(&hint.org, entry.stream.strip_prefix("device/")?)?;
        Some(device.device.client.clone())
    })
}
