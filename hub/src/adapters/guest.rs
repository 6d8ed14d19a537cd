//! What the host keeps for one call while the component runs, and what an adapter is granted at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use wasmtime::Store;

use super::AdapterName;
use super::bindings::types::Description;
use super::call_record::CallRecord;
use super::egress::Egress;
use super::host_store::SmallStore;
use super::limits::{Bounds, Limits};
use super::wasi::Wasi;
use crate::telemetry::TraceContext;

/// What one loaded adapter may use; the same for each of its calls.
pub struct Grants {
    /// Whose it is.
    pub adapter: AdapterName,
    /// What `settings.get` answers.
    pub settings: BTreeMap<String, String>,
    /// Where it may send requests.
    pub egress: Egress,
    /// What it keeps between calls, where that is allowed.
    pub store: Option<Arc<SmallStore>>,
    /// Where its requests run.
    pub io: tokio::runtime::Handle,
}

impl Grants {
    /// What a component may use to describe itself: nobody has agreed to it yet, so it asks nobody and keeps nothing.
    pub fn to_describe(&self) -> Self {
        Self { settings: self.settings.clone(), store: None, ..self.only(&[]) }
    }

    /// What it may use from then on: what it has said that it uses, of what the operator gives.
    pub fn to_call(&self, description: &Description) -> Self {
        let said = self.settings.iter().filter(|(name, _)| description.settings.contains(name));
        let settings = said.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { settings, ..self.only(&description.endpoints) }
    }

    fn only(&self, endpoints: &[String]) -> Self {
        Self {
            adapter: self.adapter,
            settings: BTreeMap::new(),
            egress: self.egress.only(endpoints),
            store: self.store.clone(),
            io: self.io.clone(),
        }
    }
}

/// The host's side of one call.
pub struct Guest {
    pub(super) limits: Limits,
    pub(super) grants: Arc<Grants>,
    pub(super) record: Arc<CallRecord>,
    pub(super) trace: Option<TraceContext>,
    pub(super) log_lines: u32,
    pub(super) requests: u32,
    wasi: Option<Box<Wasi>>,
}

impl Guest {
    /// A call that has done nothing yet.
    pub fn new(bounds: Bounds, grants: Arc<Grants>, record: Arc<CallRecord>, trace: Option<TraceContext>) -> Self {
        Self {
            limits: Limits::new(bounds, Arc::clone(&record)),
            grants,
            record,
            trace,
            log_lines: 0,
            requests: 0,
            wasi: None,
        }
    }

    /// The state behind WASI, made when it is first asked for.
    pub(super) fn wasi(&mut self) -> &mut Wasi {
        self.wasi.get_or_insert_default()
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

/// Types alone: nothing to call.
impl super::bindings::types::Host for Guest {}
