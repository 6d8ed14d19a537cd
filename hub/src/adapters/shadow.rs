//! A component that is asked beside the one whose answers count, to see whether it would answer the same.
//!
//! Only functions that read, one call at a time, behind the caller's back, and no more than were asked for. What it asks
//! of the outside may only read too: any other method is refused, and so is a write to the adapter's store. Of the
//! answers nothing is kept but whether they were the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use super::Digest;
use super::answer::Answer;
use super::bindings::types::Disposition;
use super::guest::GuestCall;
use super::loading::{Loaded, Services};
use super::outcome::{CallError, Fault};
use super::ready::CallFrame;
use super::world::World;

/// The component, and how its answers compare.
pub struct Shadow {
    loaded: Arc<Loaded>,
    wanted: u32,
    deadline: Duration,
    one_at_a_time: Arc<Semaphore>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    asked: u32,
    functions: BTreeMap<&'static str, Compared>,
}

/// How the answers of one function compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ShadowComparison)]
pub struct Compared {
    /// The same answer, or the same kind of failure.
    pub same: u32,
    /// Another one.
    pub different: u32,
    /// No answer of the new one where the old one had one.
    pub failed: u32,
}

/// What is shown of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ShadowCalls)]
pub struct ShadowReport {
    /// SHA-256 of the component that is asked beside.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Calls that were asked for.
    pub wanted: u32,
    /// Calls so far.
    pub asked: u32,
    /// By function.
    #[schema(value_type = BTreeMap<String, Compared>)]
    pub functions: BTreeMap<&'static str, Compared>,
}

impl Shadow {
    /// Asks `loaded` beside for the next `wanted` calls.
    pub fn new(loaded: Arc<Loaded>, wanted: u32, deadline: Duration) -> Self {
        Self { loaded, wanted, deadline, one_at_a_time: Arc::new(Semaphore::new(1)), seen: Mutex::default() }
    }

    /// The turn of one call; none where enough were made, or one is under way.
    pub fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.one_at_a_time).try_acquire_owned().ok()?;
        let mut seen = self.seen.lock();
        (seen.asked < self.wanted).then(|| seen.asked += 1)?;
        Some(turn)
    }

    /// Asks what the other one was asked, and compares; nobody waits for it.
    pub fn compare<W, T, F>(
        self: Arc<Self>,
        services: &Services,
        (function, body): (&'static str, F),
        other: Result<T, CallError>,
        turn: OwnedSemaphorePermit,
    ) where
        W: World,
        T: Answer + PartialEq,
        F: GuestCall<W, Result<T, Disposition>>,
    {
        let Some(lanes) = services.guests.lanes() else { return };
        let ready = Arc::clone(&self.loaded.ready);
        let frame = CallFrame::reading(Instant::now() + self.deadline);
        services.io.spawn(async move {
            let answer = ready.run::<W, _, F>(&lanes, frame, turn, body).await;
            let answer = answer.and_then(Fault::unless_measured).map(|answer| answer.map_err(CallError::from));
            let mut seen = self.seen.lock();
            let compared = seen.functions.entry(function).or_default();
            match (answer, other) {
                (Ok(Ok(new)), Ok(old)) if new == old => compared.same += 1,
                (Ok(Err(new)), Err(old)) if new.outcome() == old.outcome() => compared.same += 1,
                (Err(_) | Ok(Err(_)), Ok(_)) => compared.failed += 1,
                _ => compared.different += 1,
            }
        });
    }

    /// What is shown of it.
    pub fn report(&self) -> ShadowReport {
        let seen = self.seen.lock();
        let functions = seen.functions.clone();
        ShadowReport { digest: self.loaded.info.digest, wanted: self.wanted, asked: seen.asked, functions }
    }
}
