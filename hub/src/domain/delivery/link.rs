//! All that one adapter is owed for one client or device, folded from the steps of its deliveries.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Attempted, Delivered, Delivery, Failed, Function, Parked, Payload, Progress};
use crate::domain::client::Client;
use crate::domain::due::mirror_since;
use crate::domain::parked::OUTCOME_UNKNOWN;

/// All that one adapter is owed for one client or device.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The outside system's own id for the client.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The newest version that was delivered; 0 for none.
    #[serde(default)]
    pub version: u64,
    /// When something was last delivered.
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
    /// The version of the stream that tells of these deliveries: what a decision on one of them is appended against.
    #[serde(default)]
    pub revision: u64,
    /// When an operator gave up a screening, which is not owed by version alone.
    #[serde(default)]
    pub given_up: Option<DateTime<Utc>>,
    /// A device was handed to the client: the identity system has to know it to move the device, gone as it may be by then.
    #[serde(default)]
    pub expected: bool,
    /// The mirror's delivery under way or parked.
    #[serde(default)]
    pub mirror: Option<Delivery>,
    /// Commands, oldest first; shared by all versions of the record, of which there is one for each step.
    #[serde(default)]
    pub commands: VecDeque<Arc<Delivery>>,
}

impl Link {
    /// The delivery with this key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Delivery> {
        self.all().find(|delivery| delivery.key == key)
    }

    /// The mirror's delivery and the commands.
    pub fn all(&self) -> impl Iterator<Item = &Delivery> {
        self.mirror.iter().chain(self.commands.iter().map(Arc::as_ref))
    }

    /// The command whose turn it is.
    #[must_use]
    pub fn front(&self) -> Option<&Delivery> {
        self.commands.front().map(Arc::as_ref)
    }

    /// Owes more commands, behind those that are owed.
    pub fn owe(&mut self, commands: impl IntoIterator<Item = Delivery>) {
        self.commands.extend(commands.into_iter().map(Arc::new));
    }

    /// The mirror's delivery, where it was not set aside.
    fn waiting_mirror(&self) -> Option<&Delivery> {
        self.mirror.as_ref().filter(|mirror| mirror.progress != Progress::Parked)
    }

    /// Since when the oldest delivery is owed that was begun or waits for its turn, and was not set aside. `changed` stands
    /// for what is not known.
    #[must_use]
    pub fn owed_since(&self, changed: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Commands come in the order in which they were owed.
        let command = self.commands.iter().map(Arc::as_ref).find(|command| command.progress != Progress::Parked);
        let since = |delivery: &Delivery| delivery.since.unwrap_or(changed);
        self.waiting_mirror().into_iter().chain(command).map(since).min()
    }

    fn find_mut(&mut self, key: &str) -> Option<&mut Delivery> {
        if self.mirror.as_ref().is_some_and(|mirror| mirror.key == key) {
            return self.mirror.as_mut();
        }
        self.commands.iter_mut().find(|command| command.key == key).map(Arc::make_mut)
    }

    /// Whether anything was begun or waits here; an undelivered newer version of a mirror shows only beside its client.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.mirror.is_none() && self.commands.is_empty()
    }

    /// An attempt begins, at `at`. `body` is the client as it is now, for a mirror.
    pub fn attempted(&mut self, data: &Attempted, body: Option<&Arc<Client>>, at: DateTime<Utc>) {
        if data.function.is_mirror() && self.mirror.as_ref().is_none_or(|mirror| mirror.key != data.key) {
            self.given_up = None;
            let since = self.waiting_mirror().and_then(|mirror| mirror.since);
            let since = since.or_else(|| body.map(|body| mirror_since(data.function, body, at)));
            self.mirror = Some(Delivery {
                key: data.key.clone(),
                function: data.function,
                owing: data.owing,
                version: data.version,
                payload: Payload::Mirror { body: body.cloned() },
                progress: Progress::Attempted,
                attempts: data.attempt,
                since,
                next_at: None,
                error: None,
                parked: None,
                uncertain: false,
            });
        } else if let Some(delivery) = self.find_mut(&data.key) {
            delivery.progress = Progress::Attempted;
            delivery.attempts = data.attempt;
            delivery.next_at = None;
        }
    }

    /// An attempt failed.
    pub fn failed(&mut self, data: &Failed) {
        if let Some(delivery) = self.find_mut(&data.key) {
            // Only a mirror could be superseded too early; a command keeps its place and its key whatever is known.
            let unknown = data.unknown || (delivery.uncertain && data.function.is_mirror());
            delivery.progress = if unknown { Progress::Unknown } else { Progress::Retrying };
            delivery.next_at = Some(data.next_at);
            delivery.error = Some(data.error.clone());
        }
    }

    /// The outside system took it.
    pub fn delivered(&mut self, data: &Delivered, at: DateTime<Utc>) {
        self.at = Some(at);
        if data.function.is_mirror() {
            self.version = self.version.max(data.version);
            if data.external_id.is_some() {
                self.external_id.clone_from(&data.external_id);
            }
        }
        self.remove(&data.key);
    }

    /// It was set aside.
    pub fn parked(&mut self, data: &Parked) {
        if let Some(delivery) = self.find_mut(&data.key) {
            delivery.progress = Progress::Parked;
            delivery.parked = Some(data.reason.clone());
            delivery.error = Some(data.error.clone());
            delivery.next_at = None;
        }
    }

    /// An operator asked for another try, with the whole schedule before it. What may have had an effect is sent again with
    /// its own key and body; what surely had none may be superseded.
    pub fn retried(&mut self, key: &str) {
        if let Some(delivery) = self.find_mut(key) {
            let unknown = delivery.parked.take().is_some_and(|reason| reason == OUTCOME_UNKNOWN);
            delivery.progress = if unknown { Progress::Pending } else { Progress::Retrying };
            delivery.uncertain |= unknown;
            delivery.attempts = 0;
            delivery.next_at = None;
        }
    }

    /// An operator gave it up. A mirror counts as delivered until the client changes again.
    pub fn discarded(&mut self, key: &str, at: DateTime<Utc>) {
        if let Some(mirror) = self.mirror.as_ref().filter(|mirror| mirror.key == key) {
            self.version = self.version.max(mirror.version);
            self.given_up = (mirror.function == Function::Verify).then_some(at);
        }
        self.remove(key);
    }

    fn remove(&mut self, key: &str) {
        self.mirror.take_if(|mirror| mirror.key == key);
        self.commands.retain(|command| command.key != key);
    }
}
