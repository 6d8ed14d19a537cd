//! Stops a component that computes for too long.
//!
//! Each tick of the epoch the component is interrupted and the wall clock is read: before the deadline it yields, so
//! that others on its thread go on, and after it the call ends. A component that waits for the outside is not
//! interrupted by ticks; whoever waits for the call ends it then (see `adapter`).

use std::time::Instant;

use thiserror::Error;
use wasmtime::{Store, UpdateDeadline};

/// The deadline has passed while the component was computing.
#[derive(Debug, Error)]
#[error("its time was over")]
pub struct Expired;

/// Gives a store its deadline. To be called before the component is instantiated.
pub fn set<T: 'static>(store: &mut Store<T>, deadline: Instant) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if Instant::now() >= deadline { Err(wasmtime::Error::new(Expired)) } else { Ok(UpdateDeadline::Yield(1)) }
    });
}
