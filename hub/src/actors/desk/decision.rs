//! Decisions of operators: on one delivery that was set aside, or the start of a job that decides on many.

use super::{Attempt, Change, Desk};
use crate::actors::command::{Ask, CommandError, Done};
use crate::actors::jobs::JobView;
use crate::actors::records;
use crate::domain::event::Event;
use crate::domain::parked::{JobStarted, ParkedDelivery};
use crate::domain::refusal::Refusal;
use crate::journal::Claim;
use crate::sync::decide::{self, Ruling};
use crate::sync::entries::delivery_stream;
use crate::sync::parked;

impl Desk {
    /// The lane of this command is the delivery's key, so that two decisions on it take turns.
    pub(super) async fn decide(&self, ask: &Ask, ruling: &Ruling) -> Result<Done, Attempt> {
        let (state, id) = (self.state.clone(), ask.lane.clone());
        // It looks through every lane with something set aside: not on the actor's own thread.
        let found = tokio::task::spawn_blocking(move || {
            let parked = parked::find(&state, &id)?;
            decide::current(&state, parked.adapter, parked.lane(), &id)
        });
        let found = found.await.map_err(|_| CommandError::Restarting)?;
        let (delivery, revision) = found.ok_or(Refusal::DeliveryNotFound)?;
        let stream = delivery_stream(delivery.adapter, delivery.lane());
        let change = Change {
            org: Some(delivery.org.clone()),
            events: vec![(stream.clone(), ruling.event(delivery.clone()))],
            expects: vec![(stream, revision)],
            ..Change::default()
        };
        self.commit(ask, &ask.lane, change).await?;
        Ok(Done::Delivery(Box::new(ParkedDelivery { state: ruling.decision.leaves(), ..delivery })))
    }

    pub(super) async fn start_job(&self, ask: &Ask, job: &JobStarted) -> Result<Done, Attempt> {
        let stream = records::stream(&job.id);
        let change = Change {
            events: vec![(stream.clone(), Event::JobStarted(job.clone()))],
            claims: vec![Claim::lasting(stream.clone())],
            expects: vec![(stream, 0)],
            ..Change::default()
        };
        let committed = self.commit(ask, &ask.lane, change).await?;
        let entry = committed.entries.first().ok_or(CommandError::StorageUnavailable)?;
        Ok(Done::Job(Box::new(JobView::new(job.clone(), ask.permit.member(), entry.time))))
    }
}
