//! One configured adapter: what is loaded for it, who may call it now, and how its calls went.
//!
//! A call takes its permit first and makes its instance then, so that too many calls wait outside the sandbox. A
//! component is swapped under a lock that is held for a pointer's time; calls in flight keep the one they began with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;
use wasmtime::Store;

use super::AdapterName;
use super::answer::Answer;
use super::bindings::types::Disposition;
use super::call_record::CallRecord;
use super::config::AdapterConfig;
use super::guest::Guest;
use super::host_store::SmallStore;
use super::loading::{self, LoadError, Loaded, Services};
use super::outcome::{Blame, CallError, Fault, Outcome};
use super::quarantine::Strikes;
use super::ready::CallFrame;
use super::report::{self, AdapterReport, AdapterState, Reloaded};
use super::stats::Stats;
use super::world::World;
use crate::telemetry::TraceContext;

/// Why nothing is loaded, or what is.
enum Current {
    Up(Arc<Loaded>),
    Down(String),
}

/// One adapter.
pub struct Adapter {
    name: AdapterName,
    config: AdapterConfig,
    current: RwLock<Current>,
    permits: Arc<Semaphore>,
    store: Option<Arc<SmallStore>>,
    strikes: Mutex<Strikes>,
    last_fault: Mutex<Option<String>>,
    stats: Stats,
    /// Held while a component is loaded, so that two reloads do not race.
    loading: tokio::sync::Mutex<()>,
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
                Current::Down(error.to_string())
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
            loading: tokio::sync::Mutex::default(),
        }
    }

    /// Loads the component again and swaps it in when it has passed every check.
    ///
    /// # Errors
    /// [`LoadError`]; then the one that was loaded stays.
    pub async fn reload(&self, services: &Services) -> Result<Reloaded, LoadError> {
        let _one_at_a_time = self.loading.lock().await;
        let loaded = match loading::load(services, self.name, &self.config, self.store.clone()).await {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::warn!(adapter = %self.name, reason = %error, "adapter reload refused");
                if let Current::Down(reason) = &mut *self.current.write() {
                    *reason = error.to_string();
                }
                return Err(error);
            }
        };
        announce(self.name, &loaded);
        let info = loaded.info.clone();
        let old = std::mem::replace(&mut *self.current.write(), Current::Up(Arc::new(loaded)));
        *self.strikes.lock() = Strikes::default();
        Ok(match &old {
            Current::Up(old) => Reloaded::new(Some(&old.info), info),
            Current::Down(_) => Reloaded::new(None, info),
        })
    }

    /// What is loaded now, if anything is.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        match &*self.current.read() {
            Current::Up(loaded) => Some(Arc::clone(loaded)),
            Current::Down(_) => None,
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
        let result = self.attempt::<W, T, F>(services, body).instrument(span.clone()).await;
        let outcome = result.as_ref().map_or_else(CallError::outcome, |_| Outcome::Ok);
        span.record("outcome", outcome.as_str());
        self.stats.ended(outcome, started.elapsed());
        result
    }

    async fn attempt<W, T, F>(&self, services: &Services, body: F) -> Result<T, CallError>
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
        let ready = Arc::clone(&loaded.ready);
        match ready.run::<W, _, F>(&lanes, frame, permit, body).await {
            Ok(Err(disposition)) => {
                self.strikes.lock().answered();
                Err(disposition.into())
            }
            Ok(Ok(answer)) => match answer.measured() {
                Ok(answer) => {
                    self.strikes.lock().answered();
                    Ok(answer)
                }
                Err(why) => Err(self.charge(Fault::answer(&why), &record)),
            },
            Err(fault) => Err(self.charge(fault, &record)),
        }
    }

    fn usable(&self) -> Result<Arc<Loaded>, CallError> {
        if let AdapterState::Quarantined { reason, .. } = self.state() {
            return Err(CallError::Down(reason));
        }
        match &*self.current.read() {
            Current::Up(loaded) => Ok(Arc::clone(loaded)),
            Current::Down(reason) => Err(CallError::Down(reason.clone())),
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.config.deadline(), waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(CallError::Busy),
        }
    }

    /// Records a call without an answer; what the caller is told.
    fn charge(&self, fault: Fault, record: &CallRecord) -> CallError {
        let span = tracing::Span::current();
        span.record("blame", fault.blame.as_str());
        span.record("fault", fault.kind.as_str());
        tracing::warn!(fault = %fault, blame = fault.blame.as_str(), "adapter gave no answer");
        self.stats.fault(fault.kind, fault.blame);
        *self.last_fault.lock() = Some(fault.to_string());
        if fault.blame == Blame::Guest && self.strikes.lock().failed(Instant::now()) {
            tracing::error!(fault = %fault, "adapter is quarantined");
        }
        fault.into_call_error(record)
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
            Current::Down(reason) => AdapterState::Down { reason: reason.clone() },
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
        }
    }
}

/// A call into an instance of a world, owned and ready to be sent to another thread.
pub trait GuestCall<W, T>:
    for<'a> FnOnce(&'a W, &'a mut Store<Guest>) -> BoxFuture<'a, wasmtime::Result<T>> + Send + 'static
{
}

impl<W, T, F> GuestCall<W, T> for F where
    F: for<'a> FnOnce(&'a W, &'a mut Store<Guest>) -> BoxFuture<'a, wasmtime::Result<T>> + Send + 'static
{
}

fn announce(name: AdapterName, loaded: &Loaded) {
    let info = &loaded.info;
    tracing::info!(
        adapter = %name,
        digest = %info.digest,
        contract = %info.contract,
        product = %info.description.product,
        version = %info.description.version,
        "adapter loaded"
    );
    for warning in &info.warnings {
        tracing::warn!(adapter = %name, warning, "adapter configuration");
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
