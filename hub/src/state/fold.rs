//! One journal entry after another into records, rows, favourites and lanes. The only writer of the state.
//!
//! It knows nothing of requests or outside systems, and never fails: an entry that it can't read is reported and passed over,
//! the same way on every machine, so that all who fold the same journal have the same state.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::follow::{Batch, Mark as BatchMark};
use super::record::{ClientRecord, DeviceRecord, Record};
use super::shared::Shared;
use crate::domain::client::{Client, Mark};
use crate::domain::delivery::{Adapter, Function, Link, Template};
use crate::domain::device::Device;
use crate::domain::due::is_moot;
use crate::domain::event::{Configured, Event, Published, Starred};
use crate::domain::owed::Owing;
use crate::journal::Entry;

/// Folds entries, in the order of the journal.
pub struct Fold {
    shared: Arc<Shared>,
    /// How far it has come, and what the journal has said so far of the hub itself.
    mark: BatchMark,
    /// What the entries since the last batch have changed.
    changed: Vec<Record>,
    stars: Vec<(String, bool)>,
    history: Vec<(String, u64)>,
}

impl Fold {
    /// A fold that goes on after `mark`.
    #[must_use]
    pub fn new(shared: Arc<Shared>, mark: &BatchMark) -> Self {
        let (changed, stars, history) = (Vec::new(), Vec::new(), Vec::new());
        Self { shared, mark: mark.clone(), changed, stars, history }
    }

    /// How far it has come, and what the journal has said so far of the hub itself.
    #[must_use]
    pub const fn mark(&self) -> &BatchMark {
        &self.mark
    }

    /// Folds a group, and gives the follower what has changed.
    pub fn group(&mut self, entries: &[Arc<Entry>]) -> Batch {
        for entry in entries {
            if entry.seq > self.mark.seq {
                self.entry(entry);
                self.mark.seq = entry.seq;
                self.mark.hash = Some(entry.hash);
            }
        }
        self.shared.folded(self.mark.seq);
        self.batch()
    }

    fn batch(&mut self) -> Batch {
        Batch {
            records: std::mem::take(&mut self.changed),
            stars: std::mem::take(&mut self.stars),
            history: std::mem::take(&mut self.history),
            mark: self.mark.clone(),
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let event = match entry.event() {
            Ok(Some(event)) => event,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(seq = entry.seq, kind = %entry.kind, %error, "an entry does not have the shape of its kind");
                return;
            }
        };
        let (family, rest) = entry.stream.split_once('/').unwrap_or((&entry.stream, ""));
        match family {
            "client" | "kyc" | "relationship" => self.on_client(entry, &event, rest),
            "device" => self.on_device(entry, &event, rest),
            "delivery" => self.on_delivery(entry, &event, rest),
            "star" => self.on_star(entry, &event, rest),
            "adapter" => self.on_adapter(&event),
            "notify" => self.on_notify(&event),
            "policy" => self.on_policy(&event),
            _ => {}
        }
    }

    fn client(&self, reference: &str) -> Option<Arc<ClientRecord>> {
        match self.shared.store.get(reference) {
            Some(Record::Client(record)) => Some(record),
            _ => None,
        }
    }

    fn device(&self, reference: &str) -> Option<Arc<DeviceRecord>> {
        match self.shared.store.get(reference) {
            Some(Record::Device(record)) => Some(record),
            _ => None,
        }
    }

    /// Puts the new version of a record in place.
    fn keep(&mut self, before: Option<u64>, record: Record) {
        if before != Some(record.version()) {
            self.mark.digest.replace(record.reference(), before, record.version());
        }
        if let Record::Client(client) = &record {
            self.shared.rows.put(&client.client);
        }
        // The record first: whoever is woken by a lane finds it.
        self.shared.store.put(self.mark.seq.saturating_add(1), &record);
        self.shared.note_lanes(&record);
        self.changed.push(record);
    }

    fn keep_client(&mut self, before: Option<u64>, record: ClientRecord) {
        self.keep(before, Record::Client(Arc::new(record)));
    }

    /// Puts the entry into the history of a client or device.
    fn remember(&mut self, reference: &str, entry: &Entry) {
        self.shared.store.put_history(reference, entry.seq);
        self.history.push((reference.to_owned(), entry.seq));
    }

    fn on_client(&mut self, entry: &Entry, event: &Event, reference: &str) {
        let before = match event {
            // Nobody was there before: not even the store need be asked. Where its history begins the record itself says.
            Event::ClientCreated(_) => None,
            _ => {
                self.remember(reference, entry);
                self.client(reference)
            }
        };
        let now = Now { shown: &self.shared.configured, owed: &self.mark.configured };
        let Some(record) = touched_client(before.as_deref(), entry, event, now) else { return self.lost(entry) };
        self.keep_client(before.map(|before| before.client.version), record);
    }

    fn on_device(&mut self, entry: &Entry, event: &Event, reference: &str) {
        let owing = owing(entry);
        self.remember(reference, entry);
        if let Event::DeviceEnrolled(data) = event {
            let device = Device::enrolled(reference, &entry.org, data, entry.time);
            self.remember(&data.client, entry);
            self.keep(None, Record::Device(Arc::new(DeviceRecord { device, link: Link::default() })));
            return self.owner(&data.client, |record| record.devices.push(reference.to_owned()));
        }
        let Some(before) = self.device(reference) else { return self.lost(entry) };
        let mut record = DeviceRecord::clone(&before);
        record.device.evolve(event, entry.version, entry.time);
        if self.mark.configured.contains(&Adapter::Identity) {
            record.link.owe(owing.device_command(event, &record.device));
        }
        let after = record.device.clone();
        self.keep(Some(before.device.version), Record::Device(Arc::new(record)));
        self.remember(&before.device.client, entry);
        if let Event::DeviceTransferred(data) = event {
            self.remember(&data.to, entry);
            self.owner(&data.from, |record| record.devices.retain(|device| device != reference));
            let expected = self.mark.configured.contains(&Adapter::Identity);
            self.owner(&data.to, |record| {
                record.devices.push(reference.to_owned());
                if expected {
                    record.link_mut(Adapter::Identity).expected = true;
                }
            });
            self.tell(&owing, Template::DeviceTransferred, (&data.from, &after));
        }
        // Without an identity system nobody issues the PIN, so its announcement waits for the delivery (`on_delivery`).
        if let Some(template) = owing.device_template(event) {
            self.tell(&owing, template, (&after.client, &after));
        }
    }

    /// Owes the owner of a device a message about it.
    fn tell(&mut self, owing: &Owing<'_>, template: Template, (client, device): (&str, &Device)) {
        let configured = self.mark.configured.contains(&Adapter::Messaging);
        self.owner(client, |record| {
            if let Some(message) = owing.message(template, &record.client, Some(device)).filter(|_| configured) {
                record.link_mut(Adapter::Messaging).owe([message]);
            }
        });
    }

    /// Changes the record of a client without changing its version.
    fn owner(&mut self, reference: &str, change: impl FnOnce(&mut ClientRecord)) {
        let Some(before) = self.client(reference) else { return };
        let mut record = before.next();
        change(&mut record);
        self.keep_client(Some(before.client.version), record);
    }

    fn on_delivery(&mut self, entry: &Entry, event: &Event, rest: &str) {
        let Some((adapter, lane)) = rest.split_once('/') else { return };
        let Some(adapter) = Adapter::parse(adapter) else { return };
        self.remember(lane, entry);
        if lane.starts_with("DV-") {
            let Some(before) = self.device(lane) else { return self.lost(entry) };
            let mut record = DeviceRecord::clone(&before);
            settled(&mut record.link, event, None, entry);
            self.remember(&record.device.client, entry);
            let device = record.device.clone();
            self.keep(Some(before.device.version), Record::Device(Arc::new(record)));
            if matches!(event, Event::DeliveryDelivered(data) if data.function == Function::ResetPin) {
                self.tell(&owing(entry), Template::PinReset, (&device.client, &device));
            }
            return;
        }
        self.owner(lane, |record| {
            let (client, link) = (record.client.clone(), record.links.entry(adapter).or_default());
            settled(Arc::make_mut(link), event, Some(&client), entry);
            drop_moot(adapter, &client, link);
        });
    }

    fn on_star(&mut self, entry: &Entry, event: &Event, member: &str) {
        let (reference, on) = match event {
            Event::ClientStarred(Starred { reference }) => (reference, true),
            Event::ClientUnstarred(Starred { reference }) => (reference, false),
            _ => return,
        };
        self.shared.stars.set(&entry.org, member, reference, on);
        self.stars.push((super::stars::key(&entry.org, member, reference), on));
    }

    fn on_adapter(&mut self, event: &Event) {
        match event {
            Event::AdapterConfigured(Configured { adapter }) if !self.mark.configured.contains(adapter) => {
                self.mark.configured.push(*adapter);
            }
            Event::AdapterRemoved(Configured { adapter }) => self.mark.configured.retain(|kept| kept != adapter),
            _ => {}
        }
    }

    fn on_notify(&mut self, event: &Event) {
        if let Event::NotifyPublished(Published { seq }) = event {
            self.mark.published = *seq;
            self.shared.published.store(*seq, Ordering::Release);
        }
    }

    fn on_policy(&mut self, event: &Event) {
        if let Event::PolicyChanged(changed) = event
            && changed.in_force
        {
            self.mark.policy.clone_from(&changed.to);
        }
    }

    fn lost(&self, entry: &Entry) {
        tracing::error!(seq = entry.seq, stream = %entry.stream, kind = %entry.kind, "an entry speaks of a record that is not there");
    }
}

/// The adapters that matter to a client's record.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    /// Those of today's configuration, which are shown.
    pub shown: &'a Arc<[Adapter]>,
    /// Those that were configured when the entry was written: no other is owed commands and messages.
    pub owed: &'a [Adapter],
}

/// A client's record after an event on the client itself; none where it was never created.
pub(super) fn touched_client(
    before: Option<&ClientRecord>,
    entry: &Entry,
    event: &Event,
    now: Now<'_>,
) -> Option<ClientRecord> {
    if let Event::ClientCreated(data) = event {
        let reference = entry.stream.strip_prefix("client/")?;
        let client = Client::created(reference, &entry.org, data, mark(entry));
        return Some(ClientRecord::new(client, now.shown.clone()));
    }
    let before = before?;
    let mut record = before.next();
    match event {
        Event::RelationshipRefreshed(data) => record.relationship = Some(data.relationship.clone()),
        _ => Arc::make_mut(&mut record.client).evolve(event, mark(entry)),
    }
    let documents = match event {
        Event::DocumentReceived(document) => vec![owing(entry).document(&document.id)],
        _ => Vec::new(),
    };
    let messages = owing(entry).messages_of_client(event, &before.client, &record.client);
    for (adapter, deliveries) in [(Adapter::Kyc, documents), (Adapter::Messaging, messages)] {
        if now.owed.contains(&adapter) && !deliveries.is_empty() {
            record.link_mut(adapter).owe(deliveries);
        }
    }
    for (adapter, link) in &mut record.links {
        drop_moot(*adapter, &record.client, link);
    }
    Some(record)
}

fn mark(entry: &Entry) -> Mark<'_> {
    Mark { entry: entry.id, seq: entry.seq, version: entry.version, at: entry.time, member: &entry.actor.member }
}

fn drop_moot(adapter: Adapter, client: &Client, link: &mut Arc<Link>) {
    if is_moot(adapter, client, link) {
        Arc::make_mut(link).mirror = None;
    }
}

pub(super) fn owing(entry: &Entry) -> Owing<'_> {
    Owing { entry: entry.id, seq: entry.seq, version: entry.version, at: entry.time, action: &entry.action }
}

/// A link after a step of one of its deliveries.
pub(super) fn settled(link: &mut Link, event: &Event, body: Option<&Arc<Client>>, entry: &Entry) {
    match event {
        Event::DeliveryAttempted(data) => link.attempted(data, body, entry.time),
        Event::DeliveryFailed(data) => link.failed(data),
        Event::DeliveryDelivered(data) => {
            link.delivered(data, entry.time);
            if data.function == Function::Provision {
                link.owe([owing(entry).device_list()]);
            }
        }
        Event::DeliveryParked(data) => link.parked(data),
        Event::DeliveryRetried(data) => link.retried(&data.delivery.id),
        Event::DeliveryDiscarded(data) => link.discarded(&data.delivery.id, entry.time),
        _ => return,
    }
    link.revision = entry.version;
}
