//! A component that is compiled, linked and granted what it may use: everything that one call needs.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use tracing::Instrument as _;
use wasmtime::{Engine, Store};

use super::call_record::CallRecord;
use super::deadline;
use super::egress::MAX_REQUEST_BODY_BYTES;
use super::guest::{Grants, Guest, GuestCall};
use super::limits::Bounds;
use super::outcome::Fault;
use super::runtime::{Lanes, Pace};
use super::world::{Linked, World};
use crate::telemetry::TraceContext;

/// What a component may hand to the host at once, in bytes: the largest request body, and room for the rest.
const MAX_HANDED_OVER_BYTES: usize = MAX_REQUEST_BODY_BYTES + 1024 * 1024;

/// The most handles to objects, its own or the host's, that a component may hold at the same time.
const MAX_HANDLES: usize = 10_000;

/// A component that can be called.
pub struct Ready {
    /// Where it runs.
    pub engine: Engine,
    /// What is instantiated.
    pub linked: Linked,
    /// What it may use.
    pub grants: Arc<Grants>,
    /// What each call may allocate.
    pub bounds: Bounds,
    /// Which threads its calls begin on.
    pub pace: Pace,
}

/// What one call is given beside its arguments.
#[derive(Clone)]
pub struct CallFrame {
    /// What it has done so far.
    pub record: Arc<CallRecord>,
    /// When it is over.
    pub deadline: Instant,
    /// The trace that its requests belong to.
    pub trace: Option<TraceContext>,
}

impl CallFrame {
    /// A call that begins now.
    pub fn until(deadline: Instant, trace: Option<TraceContext>) -> Self {
        Self { record: Arc::default(), deadline, trace }
    }

    /// A call that may change nothing, and belongs to no trace.
    pub fn reading(deadline: Instant) -> Self {
        Self { record: Arc::new(CallRecord::reading()), deadline, trace: None }
    }
}

impl Ready {
    /// The same component with other grants.
    pub fn granted(&self, grants: Grants) -> Arc<Self> {
        let (engine, linked, grants) = (self.engine.clone(), self.linked.clone(), Arc::new(grants));
        Arc::new(Self { engine, linked, grants, bounds: self.bounds, pace: Pace::default() })
    }

    /// A store with its limits and its deadline, before anything is instantiated in it.
    fn store(&self, frame: CallFrame) -> Store<Guest> {
        let CallFrame { record, deadline, trace } = frame;
        let guest = Guest::new(self.bounds, Arc::clone(&self.grants), record, trace);
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_hostcall_fuel(MAX_HANDED_OVER_BYTES);
        store.set_max_component_handles(MAX_HANDLES);
        deadline::set(&mut store, deadline);
        store
    }

    /// Makes a fresh instance and calls it.
    async fn call<W, T, F>(&self, frame: CallFrame, body: F) -> Result<T, Fault>
    where
        W: World,
        F: for<'a> FnOnce(&'a W, &'a mut Store<Guest>) -> BoxFuture<'a, wasmtime::Result<T>>,
    {
        let record = Arc::clone(&frame.record);
        let mut store = self.store(frame);
        let result = match W::instantiate(&self.linked, &mut store).await {
            Ok(Some(world)) => body(&world, &mut store).await,
            Ok(None) => return Err(Fault::host(format!("it is not of the world of `{}`", W::NAME))),
            Err(error) => Err(error),
        };
        let ended = store.data();
        result.map_err(|error| Fault::from_error(&error, ended.limits.denied(), &record))
    }

    /// Calls it on the threads for components, and waits until its deadline and no longer.
    ///
    /// `held` is given back when the call has really ended, which may be a tick after the deadline.
    ///
    /// # Errors
    /// [`Fault`] where the component gave no answer.
    pub async fn run<W, T, F>(
        self: Arc<Self>,
        lanes: &Lanes,
        frame: CallFrame,
        held: impl Send + 'static,
        body: F,
    ) -> Result<T, Fault>
    where
        W: World,
        T: Send + 'static,
        F: GuestCall<W, T>,
    {
        let record = Arc::clone(&frame.record);
        let deadline = frame.deadline.into();
        let pace = self.pace.clone();
        let call = async move {
            let result = self.call(frame, body).await;
            drop(held);
            result
        };
        let mut running = std::pin::pin!(lanes.run(call.in_current_span(), &pace));
        match tokio::time::timeout_at(deadline, &mut running).await {
            Ok(Ok(result)) => result,
            Ok(Err(ended)) => Err(Fault::host(format!("the host's side ended: {ended}"))),
            // The record is read while the call still stands where it was; it is ended after that.
            Err(_) => Err(Fault::deadline(&record)),
        }
    }
}
