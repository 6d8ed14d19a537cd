//! How records look in the API: the shapes of `api.md`, and the JSON that is kept of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::record::{ClientRecord, DeviceRecord};
use crate::domain::client::{Relationship, Status};
use crate::domain::delivery::{Adapter, Delivery, Link, Progress};
use crate::domain::device::DeviceType;
use crate::domain::due::mirror_due;
use crate::domain::kyc::{Document, Kyc, KycStatus};
use crate::domain::profile::{Address, Corporate, Individual, Kind};

/// What the JSON of a record without deliveries takes, in bytes.
const USUAL: usize = 1024;

/// How far an outside system is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncState {
    /// Something is owed and has not been tried.
    Pending,
    /// Nothing is owed.
    Synced,
    /// The last attempt failed; another follows.
    Retrying,
    /// Commands wait behind one that was set aside.
    Held,
    /// A delivery was set aside, and nothing newer takes its place.
    Parked,
}

/// How one adapter stands for a client.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncView {
    /// How far it is behind.
    pub state: SyncState,
    /// The newest version that was delivered.
    pub version: u64,
    /// When something was last delivered.
    #[serde(with = "crate::domain::moment::option")]
    pub at: Option<DateTime<Utc>>,
    /// The outside system's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Commands that wait behind one that was set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<usize>,
    /// Attempts of the delivery under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::domain::moment::option")]
    pub next_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The screening as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KycView<'a> {
    /// How it stands.
    pub status: KycStatus,
    /// When it was last screened or decided.
    #[serde(with = "crate::domain::moment::option")]
    pub checked_at: Option<DateTime<Utc>>,
    /// When it has to be screened again.
    #[serde(with = "crate::domain::moment::option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it is in review, refused, or lacks documents.
    pub reasons: &'a [String],
    /// What was handed in.
    pub documents: &'a [Document],
}

impl<'a> From<&'a Kyc> for KycView<'a> {
    fn from(kyc: &'a Kyc) -> Self {
        Self {
            status: kyc.status,
            checked_at: kyc.checked_at,
            expires_at: kyc.expires_at,
            reasons: &kyc.reasons,
            documents: &kyc.documents,
        }
    }
}

/// A client: the answer of CL002, CL003, CL004 and CL005.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Client)]
pub struct ClientView<'a> {
    /// `CL-…`, stable for ever.
    reference: &'a str,
    kind: Kind,
    status: Status,
    /// Why the status is what it is, where somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<&'a str>,
    /// Grows by one with each change of profile or status; the `ETag`.
    version: u64,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    corporate: Option<&'a Corporate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    individual: Option<&'a Individual>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    address: Option<&'a Address>,
    segment: Option<&'a str>,
    language: Option<&'a str>,
    tags: &'a [String],
    /// The members who look after the client.
    assigned_to: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    external_reference: Option<&'a str>,
    kyc: KycView<'a>,
    relationship: Option<&'a Relationship>,
    /// One entry for each configured adapter.
    #[schema(value_type = BTreeMap<String, SyncView>)]
    sync: BTreeMap<Adapter, SyncView>,
    #[serde(with = "crate::domain::moment")]
    created_at: DateTime<Utc>,
    created_by: &'a str,
    #[serde(with = "crate::domain::moment")]
    updated_at: DateTime<Utc>,
    updated_by: &'a str,
    /// Whether the reader has made it a favourite.
    starred: bool,
}

/// A client as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClientSummary)]
pub struct SummaryView<'a> {
    reference: &'a str,
    kind: Kind,
    status: Status,
    version: u64,
    name: &'a str,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    address: Option<&'a Address>,
    segment: Option<&'a str>,
    language: Option<&'a str>,
    tags: &'a [String],
    assigned_to: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    external_reference: Option<&'a str>,
    kyc: KycSummary,
    #[serde(with = "crate::domain::moment")]
    created_at: DateTime<Utc>,
    created_by: &'a str,
    #[serde(with = "crate::domain::moment")]
    updated_at: DateTime<Utc>,
    updated_by: &'a str,
    starred: bool,
}

/// The one member of the screening that lists show.
#[derive(Debug, Serialize, ToSchema)]
pub struct KycSummary {
    status: KycStatus,
}

/// How a device's commands stand.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceSyncView {
    state: SyncState,
    /// Commands that wait behind one that was set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<usize>,
    #[serde(with = "crate::domain::moment::option")]
    at: Option<DateTime<Utc>>,
}

/// A device: the answer of CL007, CL010, CL011 and CL012.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Device)]
pub struct DeviceView<'a> {
    /// `DV-…`.
    device: &'a str,
    /// The owner, `CL-…`.
    client: &'a str,
    #[serde(rename = "type")]
    device_type: DeviceType,
    model: Option<&'a str>,
    label: Option<&'a str>,
    active: bool,
    locked: bool,
    lock_reason: Option<&'a str>,
    #[serde(with = "crate::domain::moment::option")]
    pin_reset_at: Option<DateTime<Utc>>,
    #[serde(with = "crate::domain::moment")]
    enrolled_at: DateTime<Utc>,
    version: u64,
    #[serde(with = "crate::domain::moment")]
    updated_at: DateTime<Utc>,
    sync: DeviceSyncView,
}

/// The client's JSON up to and including `"starred":`; the flag and a brace follow.
#[must_use]
pub fn client(record: &ClientRecord) -> Vec<u8> {
    let (client, profile) = (&record.client, &record.client.profile);
    up_to_starred(&ClientView {
        reference: &client.reference,
        kind: profile.kind,
        status: client.status,
        status_reason: client.status_reason.as_deref(),
        version: client.version,
        name: &profile.name,
        corporate: profile.corporate.as_deref(),
        individual: profile.individual.as_deref(),
        email: profile.email.as_deref(),
        phone: profile.phone.as_deref(),
        address: profile.address.as_deref(),
        segment: profile.segment.as_deref(),
        language: profile.language.as_deref(),
        tags: &profile.tags,
        assigned_to: &profile.assigned_to,
        external_reference: client.external_reference.as_deref(),
        kyc: (&client.kyc).into(),
        relationship: record.relationship.as_ref(),
        sync: record.shown().map(|(adapter, link)| (adapter, sync(adapter, record, &link))).collect(),
        created_at: client.created_at,
        created_by: &client.created_by,
        updated_at: client.updated_at,
        updated_by: &client.updated_by,
        starred: false,
    })
}

/// The summary's JSON, up to the same place.
#[must_use]
pub fn summary(record: &ClientRecord) -> Vec<u8> {
    let (client, profile) = (&record.client, &record.client.profile);
    up_to_starred(&SummaryView {
        reference: &client.reference,
        kind: profile.kind,
        status: client.status,
        version: client.version,
        name: &profile.name,
        email: profile.email.as_deref(),
        phone: profile.phone.as_deref(),
        address: profile.address.as_deref(),
        segment: profile.segment.as_deref(),
        language: profile.language.as_deref(),
        tags: &profile.tags,
        assigned_to: &profile.assigned_to,
        external_reference: client.external_reference.as_deref(),
        kyc: KycSummary { status: client.kyc.status },
        created_at: client.created_at,
        created_by: &client.created_by,
        updated_at: client.updated_at,
        updated_by: &client.updated_by,
        starred: false,
    })
}

/// The device's JSON.
#[must_use]
pub fn device(record: &DeviceRecord) -> Vec<u8> {
    let device = &record.device;
    let link = &record.link;
    json(&DeviceView {
        device: &device.reference,
        client: &device.client,
        device_type: device.device_type,
        model: device.model.as_deref(),
        label: device.label.as_deref(),
        active: device.active,
        locked: device.locked,
        lock_reason: device.lock_reason.as_deref(),
        pin_reset_at: device.pin_reset_at,
        enrolled_at: device.enrolled_at,
        version: device.version,
        updated_at: device.updated_at,
        sync: DeviceSyncView { state: state_of(link, false).0, held: held(link), at: link.at },
    })
}

fn sync(adapter: Adapter, record: &ClientRecord, link: &Link) -> SyncView {
    let due = mirror_due(adapter, &record.client, link).is_some();
    let (state, told) = state_of(link, due);
    let begun = link.mirror.iter().chain(link.front()).find(|delivery| delivery.attempts > 0);
    let current = told.or(begun);
    SyncView {
        state,
        version: link.version,
        at: link.at,
        external_id: link.external_id.clone(),
        held: held(link),
        attempts: current.map(|delivery| delivery.attempts),
        next_at: current.and_then(|delivery| delivery.next_at),
        error: current.and_then(|delivery| delivery.error.clone()),
    }
}

/// How a link stands, and which of its deliveries says so. A command that was set aside holds its lane; a mirror does not hold a
/// newer version (`due`).
fn state_of(link: &Link, due: bool) -> (SyncState, Option<&Delivery>) {
    let is = |progress: Progress| move |delivery: &&Delivery| delivery.progress == progress;
    let front = link.front().filter(is(Progress::Parked));
    if let Some(parked) = front.filter(|_| link.commands.len() > 1) {
        return (SyncState::Held, Some(parked));
    }
    if let Some(parked) = front.or_else(|| link.mirror.as_ref().filter(is(Progress::Parked)).filter(|_| !due)) {
        return (SyncState::Parked, Some(parked));
    }
    let mut all = link.all();
    let failed = |delivery: &&Delivery| matches!(delivery.progress, Progress::Retrying | Progress::Unknown);
    if let Some(failed) = all.find(failed) {
        return (SyncState::Retrying, Some(failed));
    }
    (if due || !link.is_idle() { SyncState::Pending } else { SyncState::Synced }, None)
}

/// How many commands wait behind one that was set aside; none where nothing holds them.
fn held(link: &Link) -> Option<usize> {
    let parked = link.front().is_some_and(|front| front.progress == Progress::Parked);
    (parked && link.commands.len() > 1).then(|| link.commands.len() - 1)
}

/// JSON of our own types can't fail; should it ever, the reader gets an empty object and not a panic.
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut text = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut text, value).map_or_else(|_| b"{}".to_vec(), |()| text)
}

/// `starred` is the last member of both shapes, so the flag and the brace are the end of the text.
fn up_to_starred<T: Serialize>(value: &T) -> Vec<u8> {
    let mut head = json(value);
    head.truncate(head.len().saturating_sub("false}".len()));
    head
}
