//! What an operator decides on deliveries that were set aside, as journal entries.
//!
//! * One entry for each decision, in the delivery's own stream, with who and why.
//! * It is appended against the version of that stream at which the delivery was seen set aside: of two operators at once one
//!   decides, and the other finds nothing to decide.
//! * All that match are decided on in batches of a bounded size, each lane once, so that what is set aside again meanwhile waits
//!   for the next decision. Stopping in between loses nothing.

use std::sync::Arc;

use futures::future::join_all;

use super::entries::{By, delivery_stream};
use super::parked::{adapters, of_lane};
use crate::domain::delivery::Adapter;
use crate::domain::event::Event;
use crate::domain::parked::{Decision, ParkedDelivery, ParkedFilter, Settled};
use crate::journal::{Append, AppendError, Journal, conflict};
use crate::state::State;

/// Lanes that are decided on at once: they share the journal's flushes.
const BATCH: usize = 64;
/// How often a decision is looked at anew because its lane has moved.
const CONFLICTS: u32 = 8;

/// What is decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Try again or give up.
    pub decision: Decision,
    /// As the operator said.
    pub reason: Option<String>,
}

impl Ruling {
    /// The event of this ruling on a delivery.
    #[must_use]
    pub fn event(&self, delivery: ParkedDelivery) -> Event {
        let settled = Settled { delivery, reason: self.reason.clone() };
        match self.decision {
            Decision::Retry => Event::DeliveryRetried(settled),
            Decision::Discard => Event::DeliveryDiscarded(settled),
        }
    }
}

/// The delivery with this key, and the stream's version to decide against; none where it is not set aside (any more).
#[must_use]
pub fn current(state: &State, adapter: Adapter, lane: &str, id: &str) -> Option<(ParkedDelivery, u64)> {
    let (found, revision) = of_lane(state, adapter, lane);
    found.into_iter().find(|delivery| delivery.id == id).map(|delivery| (delivery, revision))
}

/// Decides on one delivery. `by` is told the organisation by the delivery. `None`: it is not set aside (any more).
///
/// # Errors
/// The journal does not take the entry.
pub async fn one(
    (journal, state): (&dyn Journal, &State),
    delivery: &ParkedDelivery,
    ruling: &Ruling,
    by: &By,
) -> Result<Option<ParkedDelivery>, AppendError> {
    let (adapter, lane) = (delivery.adapter, delivery.lane());
    for round in 0..CONFLICTS {
        let Some((found, revision)) = current(state, adapter, lane, &delivery.id) else { return Ok(None) };
        let (stream, by) = (delivery_stream(adapter, lane), By { org: found.org.clone(), ..by.clone() });
        let entry = by.entry(stream.clone(), ruling.event(found.clone()))?;
        let append = Append { entries: vec![entry], expects: vec![(stream, revision)], ..Append::default() };
        match journal.append(append).await {
            Err(AppendError::Conflict { .. }) => conflict::pause(round).await,
            other => return other.map(|_| Some(ParkedDelivery { state: ruling.decision.leaves(), ..found })),
        }
    }
    Ok(None)
}

/// How far the deciding on all that match has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Decisions that were written.
    pub decided: usize,
    /// Deliveries left as they are: superseded, so that a retry would change nothing, or decided on by somebody else meanwhile.
    pub passed_over: usize,
}

/// A decision on all that match.
pub struct Bulk {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// What is so.
    pub state: State,
    /// Which deliveries.
    pub filter: ParkedFilter,
    /// What is decided.
    pub ruling: Ruling,
    /// By whom.
    pub by: By,
}

impl Bulk {
    /// Decides until all are done or `stopped` says so, which is asked before each batch. `told` hears of each batch.
    ///
    /// # Errors
    /// The journal takes no more. What was decided stays.
    pub async fn run(
        &self,
        stopped: impl Fn() -> bool + Send,
        mut told: impl FnMut(Tally) + Send,
    ) -> Result<Tally, AppendError> {
        let mut tally = Tally::default();
        for adapter in adapters(&self.state, &self.filter) {
            for lanes in self.state.lanes().parked(adapter).chunks(BATCH) {
                if stopped() {
                    return Ok(tally);
                }
                let mut refused = None;
                for done in join_all(lanes.iter().map(|lane| self.lane(adapter, lane))).await {
                    match done {
                        Ok(done) => {
                            tally.decided += done.decided;
                            tally.passed_over += done.passed_over;
                        }
                        Err(error) => refused = Some(error),
                    }
                }
                told(tally);
                if let Some(error) = refused {
                    return Err(error);
                }
            }
        }
        Ok(tally)
    }

    async fn lane(&self, adapter: Adapter, lane: &str) -> Result<Tally, AppendError> {
        let mut tally = Tally::default();
        let found = of_lane(&self.state, adapter, lane).0;
        for delivery in found.iter().filter(|delivery| self.filter.matches(delivery)) {
            let pointless = delivery.superseded && self.ruling.decision == Decision::Retry;
            let at = (self.journal.as_ref(), &self.state);
            let decided = !pointless && one(at, delivery, &self.ruling, &self.by).await?.is_some();
            tally.decided += usize::from(decided);
            tally.passed_over += usize::from(!decided);
        }
        Ok(tally)
    }
}
