//! The host for adapters: WebAssembly components of vendors, run without trusting them.
//!
//! For each call a fresh instance from a linked component, within its memory, its time and its endpoints; nothing that
//! it does, fails to do or says can harm more than that call. Refuses to know anything of tenants, the journal, routes
//! or schedules: it is handed the contract's types and hands them back.
//!
//! Invariants:
//! * limits and deadline are set before a component is instantiated;
//! * a permit is taken before an instance is made;
//! * a component names endpoints, never hosts, and never sees a credential;
//! * whatever may have had an effect is recorded before it leaves, so that a failure tells `retry` from `unknown`;
//! * a component that is missing or refused takes down its own adapter, and nothing else.

mod adapter;
mod answer;
mod bindings;
mod call_record;
mod calls;
mod config;
mod config_endpoint;
mod contract;
mod deadline;
mod description;
mod difference;
mod egress;
mod engine;
mod examine;
mod files;
mod footprint;
mod guest;
mod host_http;
mod host_log;
mod host_settings;
mod host_store;
mod limits;
mod loading;
pub mod lock;
mod noted;
mod outcome;
mod quarantine;
mod ready;
mod recent;
mod registry;
mod report;
mod runtime;
mod secret;
mod shadow;
mod signature;
mod source;
mod stats;
mod swap;
mod takeover;
mod text;
mod ticker;
mod wasi;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter::Adapter;
use answer::Answer;
use guest::GuestCall;
use loading::Services;
use outcome::Outcome;
use world::World;

pub use crate::domain::delivery::{Adapter as AdapterName, UnknownAdapter};
pub use config::{AdapterConfig, Bounded, Digest, NotADigest, OutOfBounds, Probation, TimeoutMs};
pub use config_endpoint::{AuthConfig, BaseUrl, ClientCert, EndpointConfig, OAuth2Config};
pub use contract::{CONTRACT, Meaning};
pub use difference::{Changed, Difference};
pub use engine::EngineError;
pub use examine::{Examined, Import, Package, Producer};
pub use files::{Contents, Stamp};
pub use footprint::Footprint;
pub use loading::{LoadError, Refused};
pub use noted::noting;
pub use outcome::CallError;
pub use recent::RecentCall;
pub use registry::{RegistryConfig, RegistryError};
pub use report::{AdapterReport, AdapterState, DescriptionReport, LatencyReport, LimitsReport, LoadedInfo};
pub use secret::{Secret, SecretError, SecretRef};
pub use shadow::{Compared, ShadowReport};
pub use signature::{PublicKey, Signature, SignatureError};
pub use source::{ComponentSource, NotAnArtifact};
pub use swap::{Candidate, Pending, Refusal, RolledBack, SwapReport};
pub use world::functions;

/// The contract's types, one module for each interface of `wit/`.
pub mod wit {
    pub use super::bindings::core_banking::exports::backoffice::adapter::core_banking;
    pub use super::bindings::crm::exports::backoffice::adapter::crm;
    pub use super::bindings::identity::exports::backoffice::adapter::identity;
    pub use super::bindings::kyc::exports::backoffice::adapter::kyc;
    pub use super::bindings::messaging::exports::backoffice::adapter::messaging;
    pub use super::bindings::types;
}

use wit::types::{Disposition, RepeatSafety};

/// Hears of every call that ended; for metrics. Called on the caller's thread: it must not block.
pub trait CallObserver: Send + Sync {
    /// `outcome` is `ok` or the name of the [`CallError`]; `elapsed` includes the wait for a permit.
    fn call_ended(&self, adapter: AdapterName, function: &'static str, outcome: &'static str, elapsed: Duration);
}

/// The configured adapters. A handle: cheap to clone.
#[derive(Clone)]
pub struct Adapters(Arc<Inner>);

struct Inner {
    services: Services,
    adapters: BTreeMap<AdapterName, Adapter>,
    observer: Option<Arc<dyn CallObserver>>,
}

impl Adapters {
    /// Loads every configured adapter, all at the same time. To be called on the hub's own runtime, where their
    /// requests will run.
    ///
    /// A component that is missing, corrupt or refused is not an error: its adapter is down, and says why.
    /// `cache_dir` is for components from registries and for compiled code, which is run: only the hub may write there.
    ///
    /// # Errors
    /// [`EngineError`] where no component could ever run.
    pub async fn load(
        configs: &BTreeMap<AdapterName, AdapterConfig>,
        cache_dir: &Path,
        observer: Option<Arc<dyn CallObserver>>,
    ) -> Result<Self, EngineError> {
        let services = Services {
            cache: engine::open_cache(cache_dir)?,
            components: engine::private(&cache_dir.join("components"))?,
            ticker: ticker::Ticker::start()?,
            guests: runtime::GuestRuntime::start()?,
            io: tokio::runtime::Handle::current(),
        };
        let starting = configs.iter().map(|(name, config)| {
            let starting = Adapter::start(&services, *name, config.clone());
            async { (*name, starting.await) }
        });
        let adapters = futures::future::join_all(starting).await.into_iter().collect();
        Ok(Self(Arc::new(Inner { services, adapters, observer })))
    }

    /// The configured ones.
    pub fn names(&self) -> Vec<AdapterName> {
        self.0.adapters.keys().copied().collect()
    }

    /// Loads the component that an adapter's file has now, and checks everything; nothing is swapped yet. Until the
    /// candidate has taken over or is dropped, no other one comes in.
    ///
    /// # Errors
    /// The first check that failed; then what is loaded stays.
    pub async fn prepare(&self, name: AdapterName) -> Result<Candidate, Refused> {
        let adapter = self.0.adapters.get(&name).ok_or(LoadError::NotConfigured(name))?;
        adapter.prepare(&self.0.services).await
    }

    /// The component that was loaded before, ready to take over again; nothing where there is none.
    ///
    /// # Errors
    /// There is no such adapter, or another component has been on its way in for too long.
    pub async fn restore(&self, name: AdapterName) -> Result<Option<Candidate>, LoadError> {
        self.0.adapters.get(&name).ok_or(LoadError::NotConfigured(name))?.restore().await
    }

    /// Lets a component take over. Calls in flight finish on the one that they began with.
    pub fn take_over(&self, candidate: Candidate) {
        if let Some(adapter) = self.0.adapters.get(&candidate.name) {
            adapter.take_over(candidate);
        }
    }

    /// Remembers that a component waits to be confirmed.
    pub fn hold(&self, candidate: &Candidate) {
        if let Some(adapter) = self.0.adapters.get(&candidate.name) {
            adapter.hold(candidate);
        }
    }

    /// What was shown of a component when it was held.
    #[must_use]
    pub fn shown(&self, candidate: &Candidate) -> Option<Difference> {
        self.0.adapters.get(&candidate.name)?.shown(candidate.info().digest)
    }

    /// Asks a component beside the one that is loaded, for so many calls of functions that read.
    pub fn shadow(&self, candidate: Candidate, calls: u32) {
        if let Some(adapter) = self.0.adapters.get(&candidate.name) {
            adapter.shadow(candidate, calls);
        }
    }

    /// Where the component of an adapter lies, if a change of it is to be taken over by itself.
    pub fn watched(&self, name: AdapterName) -> Option<&Path> {
        let config = &self.0.adapters.get(&name)?.config;
        config.component.file().filter(|_| config.watch)
    }

    /// SHA-256 of the component that is loaded.
    pub fn digest(&self, name: AdapterName) -> Option<Digest> {
        self.0.adapters.get(&name)?.loaded().map(|loaded| loaded.info.digest)
    }

    /// Whether an adapter has no use for a component: it is loaded, or was given up.
    pub fn has_seen(&self, name: AdapterName, component: Digest) -> bool {
        self.0.adapters.get(&name).is_some_and(|adapter| adapter.has_seen(component))
    }

    /// The ways back that components took by themselves since this was asked last.
    pub fn take_given_up(&self) -> Vec<(AdapterName, RolledBack)> {
        let all = self.0.adapters.iter();
        all.filter_map(|(name, adapter)| Some((*name, adapter.swaps.lock().take_unrecorded()?))).collect()
    }

    /// What is shown of each.
    pub fn report(&self) -> Vec<AdapterReport> {
        self.0.adapters.values().map(Adapter::report).collect()
    }

    /// Whether a function, by its WIT name, may be repeated after an unknown outcome; nothing where the adapter is not
    /// loaded or does not say.
    pub fn repeat_safety(&self, name: AdapterName, function: &str) -> Option<RepeatSafety> {
        let loaded = self.0.adapters.get(&name)?.loaded()?;
        description::repeat_safety(&loaded.description, function)
    }

    async fn call<W, T, F>(&self, function: &'static str, body: F) -> Result<T, CallError>
    where
        W: World,
        T: Answer,
        F: GuestCall<W, Result<T, Disposition>>,
    {
        let started = Instant::now();
        let result = match self.0.adapters.get(&W::NAME) {
            Some(adapter) => adapter.call::<W, T, F>(&self.0.services, function, body).await,
            None => Err(CallError::Down("it is not configured".to_owned())),
        };
        if let Some(observer) = &self.0.observer {
            let outcome = result.as_ref().map_or_else(CallError::outcome, |_| Outcome::Ok);
            observer.call_ended(W::NAME, function, outcome.as_str(), started.elapsed());
        }
        result
    }

    /// As `call`, for a function that only reads: a component that is asked beside is asked the same afterwards.
    async fn read<W, T, F>(&self, function: &'static str, body: F) -> Result<T, CallError>
    where
        W: World,
        T: Answer + Clone + PartialEq,
        F: GuestCall<W, Result<T, Disposition>> + Clone,
    {
        let shadow = self.0.adapters.get(&W::NAME).and_then(Adapter::beside);
        let Some((shadow, turn)) = shadow else { return self.call::<W, T, F>(function, body).await };
        let result = self.call::<W, T, F>(function, body.clone()).await;
        shadow.compare::<W, T, F>(&self.0.services, (function, body), result.clone(), turn);
        result
    }
}
