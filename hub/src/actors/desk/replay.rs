//! The same idempotent request again: its first answer, made from the entries that it committed.

use std::sync::Arc;

use super::{Desk, Outcome, request_claim};
use crate::actors::command::{Answer, Ask, CommandError, Done, Order, PinResetView};
use crate::actors::jobs::JobView;
use crate::domain::event::{Answered, Event};
use crate::domain::parked::Decision;
use crate::journal::{Entry, ReadError};
use crate::state::StoreError;

impl Desk {
    /// What an idempotent request is answered the first time, which is what its repeats will be answered: the client or
    /// device as the request has left it, though a delivery may have moved it on since.
    pub(super) async fn first_answer(self: &Arc<Self>, ask: &Ask, done: Done) -> Done {
        let claimed = request_claim(ask).and_then(|claim| self.journal.claimed(&claim));
        let Some(seq) = claimed.filter(|_| matches!(done, Done::Client(_) | Done::Device(_))) else { return done };
        self.replay(ask, seq).await.map_or(done, |answer| answer.value)
    }

    /// Answers from the append that began at entry `seq`. Reads files, so not on the actor's own thread.
    pub(super) async fn replay(self: &Arc<Self>, ask: &Ask, seq: u64) -> Outcome {
        let (desk, order, key) = (self.clone(), ask.order.clone(), ask.meta.key.clone());
        let read = tokio::task::spawn_blocking(move || {
            let entry = desk.journal.entry(seq).map_err(unread)?.ok_or(CommandError::StorageUnavailable)?;
            if entry.key.as_ref().zip(key.as_ref()).is_none_or(|(was, is)| was.body != is.body) {
                return Err(CommandError::KeyReused);
            }
            let value = desk.earlier(&order, &entry)?;
            value.map(|value| Answer { value, replayed: true }).ok_or(CommandError::StorageUnavailable)
        });
        read.await.unwrap_or(Err(CommandError::Restarting))
    }

    fn earlier(&self, order: &Order, entry: &Entry) -> Result<Option<Done>, CommandError> {
        let event = entry.event().ok().flatten().map(Arc::unwrap_or_clone);
        let about = match (&event, entry.stream.split_once('/')) {
            (Some(Event::RequestAnswered(Answered { reference })), _) => reference.clone(),
            (_, Some((_, reference))) => reference.to_owned(),
            _ => return Ok(None),
        };
        let last = entry.seq.saturating_add(u64::from(entry.more));
        let journal = self.journal.as_ref();
        Ok(match (order, event) {
            (Order::Star(_), Some(Event::ClientStarred(_))) => Some(Done::Starred(true)),
            (Order::Star(_), Some(Event::ClientUnstarred(_))) => Some(Done::Starred(false)),
            (Order::Star(starred), _) => starred.map(Done::Starred),
            (Order::Document(_), Some(Event::DocumentReceived(document))) => Some(Done::Document(document)),
            (Order::ResetPin(_), Some(Event::DevicePinReset(reset))) => Some(Done::Reset(PinResetView {
                reset_id: reset.reset_id,
                device: about,
                requested_at: entry.time,
                expires_at: reset.expires_at,
                sent_to: reset.sent_to,
            })),
            (Order::Decide(_), Some(Event::DeliveryRetried(settled))) => {
                Some(Done::Delivery(Box::new(settled.after(Decision::Retry))))
            }
            (Order::Decide(_), Some(Event::DeliveryDiscarded(settled))) => {
                Some(Done::Delivery(Box::new(settled.after(Decision::Discard))))
            }
            (Order::Job(_), Some(Event::JobStarted(job))) => {
                Some(Done::Job(Box::new(JobView::new(job, &entry.actor.member, entry.time))))
            }
            (Order::Lock(_) | Order::Transfer(_) | Order::Activate(_), _) => {
                self.state.device_at(journal, &about, last).map_err(unreadable)?.map(Done::Device)
            }
            _ => self.state.client_at(journal, &about, last).map_err(unreadable)?.map(Done::Client),
        })
    }
}

fn unread(error: ReadError) -> CommandError {
    tracing::error!(%error, "an earlier answer can't be read");
    CommandError::StorageUnavailable
}

fn unreadable(error: StoreError) -> CommandError {
    tracing::error!(%error, "an earlier answer can't be read");
    CommandError::StorageUnavailable
}
