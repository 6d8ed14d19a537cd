//! One configured adapter: what is loaded for it, who may call it now, and how its calls went.
//!
//! A call takes its permit first and makes its instance then, so that too many calls wait outside the sandbox. How a
//! component takes the place of another is in `takeover`; calls in flight keep the one they began with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::AdapterName;
use super::answer::Answer;
use super::bindings::types::Disposition;
use super::config::AdapterConfig;
use super::guest::GuestCall;
use super::host_store::SmallStore;
use super::loading::{self, LoadError, Loaded, Services};
use super::noted;
use super::outcome::{CallError, Fault, Outcome};
use super::quarantine::Strikes;
use super::ready::CallFrame;
use super::recent::{Recent, RecentCall};
use super::report::{self, AdapterReport, AdapterState};
use super::stats::Stats;
use super::swap::Swaps;
use super::takeover::announce;
use super::world::World;
use crate::domain::delivery::CallDone;
use crate::telemetry::TraceContext;

/// What is loaded, or why nothing is.
pub(super) enum Current {
    Up(Arc<Loaded>),
    Down {
        /// For the operator.
        reason: String,
        /// For whoever called, and for what is kept ([`LoadError::told`]).
        told: String,
    },
}

impl Current {
    pub(super) fn down(why: &LoadError) -> Self {
        Self::Down { reason: why.to_string(), told: why.told() }
    }
}

/// One adapter.
pub struct Adapter {
    pub(super) name: AdapterName,
    pub(super) config: AdapterConfig,
    pub(super) current: RwLock<Current>,
    permits: Arc<Semaphore>,
    pub(super) store: Option<Arc<SmallStore>>,
    pub(super) strikes: Mutex<Strikes>,
    last_fault: Mutex<Option<String>>,
    stats: Stats,
    recent: Recent,
    pub(super) swaps: Mutex<Swaps>,
    /// Held while a component is on its way in, so that two swaps do not race.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

impl Adapter {
    /// Loads an adapter; one whose component is refused is down, with the reason.
    pub async fn start(services: &Services, name: AdapterName, config: AdapterConfig) -> Self {
        let store = config.store.then(Arc::default);
        let permits = usize::try_from(config.concurrency.get()).unwrap_or(1);
        let current = match loading::load(services, name, &config, store.clone()).await {
            Ok(loaded) => {
                announce(name, &loaded);
                Current::Up(Arc::new(loaded))
            }
            Err(error) => {
                tracing::error!(adapter = %name, reason = %error, "adapter is down");
                Current::down(&error.why)
            }
        };
        Self {
            name,
            config,
            current: RwLock::new(current),
            permits: Arc::new(Semaphore::new(permits)),
            store,
            strikes: Mutex::default(),
            last_fault: Mutex::default(),
            stats: Stats::default(),
            recent: Recent::default(),
            swaps: Mutex::default(),
            turn: Arc::default(),
        }
    }

    /// What is loaded now, if anything is.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        match &*self.current.read() {
            Current::Up(loaded) => Some(Arc::clone(loaded)),
            Current::Down { .. } => None,
        }
    }

    /// Calls a function of the component and records how that went.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn call<W, T, F>(&self, services: &Services, function: &'static str, body: F) -> Result<T, CallError>
    where
        W: World,
        T: Answer,
        F: GuestCall<W, Result<T, Disposition>>,
    {
        let span = tracing::info_span!(
            "adapter_call",
            adapter = self.name.as_str(),
            function,
            outcome = tracing::field::Empty,
            blame = tracing::field::Empty,
            fault = tracing::field::Empty,
        );
        let started = Instant::now();
        let result = self.attempt::<W, T, F>(services, function, body).instrument(span.clone()).await;
        let outcome = result.as_ref().map_or_else(CallError::outcome, |_| Outcome::Ok);
        span.record("outcome", outcome.as_str());
        self.stats.ended(outcome, started.elapsed());
        result
    }

    async fn attempt<W, T, F>(&self, services: &Services, function: &'static str, body: F) -> Result<T, CallError>
    where
        W: World,
        T: Answer,
        F: GuestCall<W, Result<T, Disposition>>,
    {
        self.usable()?;
        let permit = self.permit().await?;
        // Asked again: it may have been swapped or have failed while this call waited.
        let loaded = self.usable()?;
        let lanes = services.guests.lanes().ok_or_else(|| CallError::Down("the hub is stopping".to_owned()))?;
        let deadline = Instant::now() + self.config.deadline();
        let frame = CallFrame::until(deadline, TraceContext::current());
        let record = Arc::clone(&frame.record);
        let (ready, began) = (Arc::clone(&loaded.ready), Instant::now());
        let answer = ready.run::<W, _, F>(&lanes, frame, permit, body).await;
        let answer = answer.and_then(Fault::unless_measured);
        self.ended(&loaded, answer.as_ref().err());
        let done = CallDone { component: loaded.info.digest.short(), ms: millis(began.elapsed()), ..record.done() };
        let result = match answer {
            Ok(answer) => answer.map_err(CallError::from),
            Err(fault) => Err(fault.into_call_error(&record)),
        };
        let outcome = result.as_ref().map_or_else(CallError::outcome, |_| Outcome::Ok).as_str();
        noted::note(|| done.clone());
        self.recent.ended(RecentCall { at: chrono::Utc::now(), function, outcome, done });
        result
    }

    fn usable(&self) -> Result<Arc<Loaded>, CallError> {
        if let AdapterState::Quarantined { reason, .. } = self.state() {
            return Err(CallError::Down(reason));
        }
        match &*self.current.read() {
            Current::Up(loaded) => Ok(Arc::clone(loaded)),
            Current::Down { told, .. } => Err(CallError::Down(told.clone())),
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.config.deadline(), waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(CallError::Busy),
        }
    }

    pub(super) fn note(&self, fault: &Fault) {
        let span = tracing::Span::current();
        span.record("blame", fault.blame.as_str());
        span.record("fault", fault.kind.as_str());
        tracing::warn!(%fault, blame = fault.blame.as_str(), "adapter gave no answer");
        self.stats.fault(fault.kind, fault.blame);
        *self.last_fault.lock() = Some(fault.to_string());
    }

    fn state(&self) -> AdapterState {
        if let Some(left) = self.strikes.lock().remaining(Instant::now()) {
            let fault = self.last_fault.lock().clone().unwrap_or_default();
            return AdapterState::Quarantined {
                reason: format!("it is quarantined, since it failed again and again ({fault})"),
                remaining_ms: millis(left),
            };
        }
        match &*self.current.read() {
            Current::Up(_) => AdapterState::Up,
            Current::Down { reason, .. } => AdapterState::Down { reason: reason.clone() },
        }
    }

    /// What is shown of it.
    pub fn report(&self) -> AdapterReport {
        let all = usize::try_from(self.config.concurrency.get()).unwrap_or(1);
        AdapterReport {
            name: self.name,
            state: self.state(),
            component: self.config.component.clone(),
            loaded: self.loaded().map(|loaded| loaded.info.clone()),
            limits: (&self.config).into(),
            in_flight: all.saturating_sub(self.permits.available_permits()),
            calls: self.stats.calls(),
            failures: report::failures(&self.stats),
            faults: report::faults(&self.stats),
            blamed_on_guest: self.stats.blamed_on_guest(),
            last_fault: self.last_fault.lock().clone(),
            latency: (&self.stats).into(),
            recent: self.recent.newest(),
            swaps: self.swaps.lock().report(self.config.watch),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
