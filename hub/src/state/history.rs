//! Who did what to a client, read from the journal; and what a client or device was at an earlier entry.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::fold::{Now, settled, touched_client};
use super::record::{ClientRecord, DeviceRecord};
use super::store::StoreError;
use crate::domain::delivery::{Adapter, Function, Link};
use crate::domain::device::Device;
use crate::domain::event::{Change, Event};
use crate::journal::{Entry, Journal};

/// Entries that make up one record at most, when an earlier one is made again.
const LONGEST: usize = 100_000;

/// One entry as CX001 shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryItem {
    /// The journal's number.
    pub seq: u64,
    /// The journal entry's id.
    pub id: String,
    /// When.
    #[serde(with = "crate::domain::moment")]
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: String,
    /// Through which operation; empty where the hub acted by itself.
    pub action: String,
    /// Who did it.
    pub member: String,
    /// The request that it came from.
    pub request_id: String,
    /// What is different.
    pub changes: Vec<Change>,
    /// Why, as the caller, a reviewer or an outside system said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// What came of a screening, a review or the check of a document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "approved")]
    pub outcome: Option<String>,
    /// Of `delivery.…`: what was brought where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery: Option<DeliveryItem>,
}

/// What a step of a delivery was about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryItem {
    /// To which outside system.
    pub adapter: Adapter,
    /// Asking for what.
    pub function: Function,
    /// The client's version that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub version: Option<u64>,
}

/// A part of a client's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryPage {
    /// Newest first.
    pub items: Vec<HistoryItem>,
    /// The number below which the next part begins.
    pub next: Option<u64>,
}

/// What the data of the kinds have in common, as far as a history shows it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    changes: Vec<Change>,
    reason: Option<String>,
    /// Of `client.updated`.
    status_reason: Option<String>,
    /// Of `kyc.checked`.
    reasons: Vec<String>,
    /// Of deliveries that failed.
    error: Option<String>,
    /// Of `kyc.checked` and `document.checked`.
    status: Option<String>,
    /// Of `kyc.reviewed`.
    approved: Option<bool>,
    /// Of deliveries.
    function: Option<Function>,
    version: Option<u64>,
}

impl Told {
    fn why(&mut self) -> Option<String> {
        let joined = Some(self.reasons.join("; ")).filter(|reasons| !reasons.is_empty());
        let said = [self.reason.take(), self.status_reason.take(), joined];
        let said = said.into_iter().flatten().find(|text| !text.is_empty());
        // A code such as `rejected` is followed by what the outside system said.
        match (said, self.error.take()) {
            (Some(code), Some(error)) => Some(format!("{code}: {error}")),
            (said, error) => said.or(error),
        }
    }

    fn outcome(&mut self, kind: &str) -> Option<String> {
        match kind {
            "kyc.checked" | "document.checked" => self.status.take(),
            _ => self.approved.map(|approved| if approved { "approved" } else { "rejected" }.to_owned()),
        }
    }
}

impl From<&Entry> for HistoryItem {
    fn from(entry: &Entry) -> Self {
        let told = entry.data.as_deref().and_then(|data| serde_json::from_str::<Told>(data.get()).ok());
        let mut told = told.unwrap_or_default();
        let adapter = entry.stream.strip_prefix("delivery/").and_then(|rest| rest.split_once('/'));
        let delivery = adapter.and_then(|(name, _)| Adapter::parse(name)).zip(told.function);
        Self {
            seq: entry.seq,
            id: entry.id.to_string(),
            at: entry.time,
            kind: entry.kind.to_string(),
            action: entry.action.to_string(),
            member: entry.actor.member.clone(),
            request_id: entry.request_id.clone(),
            reason: told.why(),
            outcome: told.outcome(&entry.kind),
            delivery: delivery.map(|(adapter, function)| DeliveryItem { adapter, function, version: told.version }),
            changes: told.changes,
        }
    }
}

impl State {
    /// A part of a client's history, below entry `before`.
    ///
    /// # Errors
    /// The read model can't be read.
    pub fn history(
        &self,
        journal: &dyn Journal,
        (org, reference): (&str, &str),
        before: Option<u64>,
        limit: usize,
    ) -> Result<HistoryPage, StoreError> {
        if self.client(org, reference).is_none() {
            return Ok(HistoryPage { items: Vec::new(), next: None });
        }
        let seqs = self.0.store.history(reference, before.unwrap_or(u64::MAX), limit.saturating_add(1))?;
        let shown = seqs.iter().take(limit);
        let items: Vec<HistoryItem> =
            shown.filter_map(|seq| read(journal, *seq)).map(|entry| HistoryItem::from(entry.as_ref())).collect();
        let next = (seqs.len() > limit).then(|| items.last().map(|item| item.seq)).flatten();
        Ok(HistoryPage { items, next })
    }

    /// A client as it was once entry `seq` was folded: what an idempotent request is answered with again.
    ///
    /// # Errors
    /// The read model can't be read.
    pub fn client_at(
        &self,
        journal: &dyn Journal,
        reference: &str,
        seq: u64,
    ) -> Result<Option<Arc<ClientRecord>>, StoreError> {
        let mut record: Option<ClientRecord> = None;
        for entry in self.entries_until(journal, reference, seq)? {
            record = fold_client(record, &entry, reference, &self.0.configured);
        }
        Ok(record.map(Arc::new))
    }

    /// A device as it was once entry `seq` was folded.
    ///
    /// # Errors
    /// The read model can't be read.
    pub fn device_at(
        &self,
        journal: &dyn Journal,
        reference: &str,
        seq: u64,
    ) -> Result<Option<Arc<DeviceRecord>>, StoreError> {
        let mut record: Option<DeviceRecord> = None;
        for entry in self.entries_until(journal, reference, seq)? {
            record = fold_device(record, &entry, reference);
        }
        Ok(record.map(Arc::new))
    }

    fn entries_until(&self, journal: &dyn Journal, reference: &str, seq: u64) -> Result<Vec<Arc<Entry>>, StoreError> {
        let mut seqs = self.0.store.history(reference, seq.saturating_add(1), LONGEST)?;
        seqs.reverse();
        Ok(seqs.into_iter().filter_map(|seq| read(journal, seq)).collect())
    }
}

/// An entry that can't be read is reported and left out: the rest of a history is worth more than none.
fn read(journal: &dyn Journal, seq: u64) -> Option<Arc<Entry>> {
    journal.entry(seq).unwrap_or_else(|error| {
        tracing::error!(seq, %error, "an entry can't be read");
        None
    })
}

fn event_of(entry: &Entry) -> Option<Arc<Event>> {
    entry.event().ok().flatten()
}

fn fold_client(
    record: Option<ClientRecord>,
    entry: &Entry,
    reference: &str,
    configured: &Arc<[Adapter]>,
) -> Option<ClientRecord> {
    let Some(event) = event_of(entry) else { return record };
    let delivery = entry.stream.strip_prefix("delivery/").and_then(|rest| rest.split_once('/'));
    match delivery {
        Some((adapter, lane)) if lane == reference => {
            let (mut record, adapter) = record.zip(Adapter::parse(adapter))?;
            let body = record.client.clone();
            settled(record.link_mut(adapter), &event, Some(&body), entry);
            Some(record)
        }
        None => {
            let now = Now { shown: configured, owed: configured };
            touched_client(record.as_ref(), entry, &event, now).or(record)
        }
        Some(_) => record,
    }
}

fn fold_device(record: Option<DeviceRecord>, entry: &Entry, reference: &str) -> Option<DeviceRecord> {
    let Some(event) = event_of(entry) else { return record };
    if let Event::DeviceEnrolled(data) = &*event {
        let device = Device::enrolled(reference, &entry.org, data, entry.time);
        return Some(DeviceRecord { device, link: Link::default() });
    }
    let mut record = record?;
    if entry.stream.starts_with("delivery/") {
        settled(&mut record.link, &event, None, entry);
    } else {
        record.device.evolve(&event, entry.version, entry.time);
        record.link.owe(super::fold::owing(entry).device_command(&event, &record.device));
    }
    Some(record)
}
