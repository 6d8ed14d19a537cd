//! The documents that go out, as the contract describes them. Clients and devices are rendered by `state`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::client::{Relationship, Status};
use crate::domain::device::DeviceType;
use crate::domain::event::Change;
use crate::domain::kyc::{Document, KycStatus};
use crate::domain::profile::{Address, Corporate, Individual, Kind};

pub use super::schema_in::{
    ActivateRequest, ArchiveRequest, ClientInput, DocumentForm, LockRequest, ResetPinRequest, ReviewRequest,
    StarRequest, TransferRequest,
};

/// A client.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "Client")]
pub struct Client {
    /// The client's reference.
    #[schema(example = "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE")]
    reference: String,
    /// The caller's own reference.
    external_reference: Option<String>,
    /// A business or a person.
    kind: Kind,
    /// Where the client stands.
    status: Status,
    /// Why.
    status_reason: Option<String>,
    /// Grows with each change of profile or status.
    #[schema(minimum = 1)]
    version: u64,
    /// The display name.
    #[schema(example = "Meridian Freight Ltd")]
    name: String,
    /// Of a business.
    corporate: Option<Corporate>,
    /// Of a person.
    individual: Option<Individual>,
    /// An e-mail address.
    email: Option<String>,
    /// E.164.
    phone: Option<String>,
    /// The postal address.
    address: Option<Address>,
    /// The market segment.
    segment: Option<String>,
    /// BCP 47.
    language: Option<String>,
    /// Labels.
    tags: Vec<String>,
    /// The members who look after the client.
    assigned_to: Vec<String>,
    /// Whether it is a favourite of the caller.
    starred: bool,
    /// The screening.
    kyc: Screening,
    /// What the CRM knows.
    relationship: Option<Relationship>,
    /// How each configured adapter stands.
    sync: BTreeMap<String, Sync>,
    /// When it was accepted.
    created_at: DateTime<Utc>,
    /// By which member.
    created_by: String,
    /// When profile or status last changed.
    updated_at: DateTime<Utc>,
    /// By which member.
    updated_by: String,
}

/// The screening of a client.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Screening {
    /// How it stands.
    status: KycStatus,
    /// When it was last screened or decided.
    checked_at: Option<DateTime<Utc>>,
    /// When it has to be screened again.
    expires_at: Option<DateTime<Utc>>,
    /// Why it is in review, refused, or lacks documents.
    reasons: Vec<String>,
    /// What was handed in.
    documents: Vec<DocumentLine>,
}

/// A document of a client, in short.
#[derive(Serialize, ToSchema)]
pub struct DocumentLine {
    /// `DC-…`.
    id: String,
    /// For example `passport`.
    r#type: String,
    /// How its check stands.
    status: crate::domain::kyc::DocumentStatus,
}

/// How an outside system stands to a client or device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sync {
    /// `synced` where nothing is owed.
    state: SyncState,
    /// The newest version that it has.
    #[schema(nullable = false)]
    version: Option<u64>,
    /// When it took something last.
    at: Option<DateTime<Utc>>,
    /// Its own id for the client.
    external_id: Option<String>,
    /// How often the delivery was tried.
    #[schema(nullable = false)]
    attempts: Option<u32>,
    /// When it is tried again.
    next_at: Option<DateTime<Utc>>,
    /// Why it failed.
    error: Option<String>,
}

/// Where a link stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum SyncState {
    /// Something is owed and not tried yet.
    Pending,
    /// Nothing is owed.
    Synced,
    /// It failed and is tried again.
    Retrying,
    /// It waits for something else.
    Held,
    /// It was set aside.
    Parked,
}

/// A client in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSummary {
    /// The client's reference.
    #[schema(example = "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE")]
    reference: String,
    /// The caller's own reference.
    external_reference: Option<String>,
    /// A business or a person.
    kind: Kind,
    /// Where the client stands.
    status: Status,
    /// Why.
    status_reason: Option<String>,
    /// Grows with each change of profile or status.
    #[schema(minimum = 1)]
    version: u64,
    /// The display name.
    name: String,
    /// An e-mail address.
    email: Option<String>,
    /// E.164.
    phone: Option<String>,
    /// The postal address.
    address: Option<Address>,
    /// The market segment.
    segment: Option<String>,
    /// BCP 47.
    language: Option<String>,
    /// Labels.
    tags: Vec<String>,
    /// The members who look after the client.
    assigned_to: Vec<String>,
    /// Whether it is a favourite of the caller.
    starred: bool,
    /// The screening.
    kyc: ScreeningSummary,
    /// When it was accepted.
    created_at: DateTime<Utc>,
    /// By which member.
    created_by: String,
    /// When profile or status last changed.
    updated_at: DateTime<Utc>,
    /// By which member.
    updated_by: String,
}

/// The screening of a client in a list.
#[derive(Serialize, ToSchema)]
pub struct ScreeningSummary {
    /// How it stands.
    status: KycStatus,
}

/// A page of clients.
#[derive(Serialize, ToSchema)]
pub struct ClientPage {
    /// The clients.
    #[schema(max_items = 200)]
    items: Vec<ClientSummary>,
    /// The cursor of the next page; null on the last.
    #[schema(required)]
    next: Option<String>,
    /// How many there are on all pages.
    total: u64,
}

/// A device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The device's reference.
    #[schema(example = "DV-01JD3ZB2W6M8C4H0R7TQ5X9KVN")]
    device: String,
    /// Its owner.
    client: String,
    /// What kind of device it is.
    r#type: DeviceType,
    /// The model.
    model: Option<String>,
    /// The owner's name for it.
    label: Option<String>,
    /// Whether it may be used.
    active: bool,
    /// Whether it is locked.
    locked: bool,
    /// Why it is locked.
    lock_reason: Option<String>,
    /// When a new PIN was last asked for.
    pin_reset_at: Option<DateTime<Utc>>,
    /// When it was enrolled.
    enrolled_at: DateTime<Utc>,
    /// Grows with each change.
    #[schema(minimum = 1)]
    version: u64,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// How the identity system stands.
    sync: Sync,
}

/// The devices of a client.
#[derive(Serialize, ToSchema)]
pub struct Devices {
    /// The devices.
    items: Vec<Device>,
}

/// A PIN reset on its way.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinReset {
    /// `PR-…`.
    reset_id: String,
    /// The device.
    device: String,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// Until when it holds.
    expires_at: DateTime<Utc>,
    /// Where it is announced, masked; null where the owner has no phone number and no e-mail address.
    #[schema(example = "+44•••••0000")]
    sent_to: Option<String>,
}

/// How a favourite stands.
#[derive(Serialize, ToSchema)]
pub struct Starred {
    /// The client.
    pub reference: String,
    /// Whether it is a favourite of the caller.
    pub starred: bool,
}

/// The accounts of a client.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accounts {
    /// The accounts.
    items: Vec<Account>,
    /// When core banking was asked.
    as_of: Option<DateTime<Utc>>,
    /// Whether this is an old answer, since core banking can't be asked.
    stale: bool,
}

/// An account in core banking.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Core banking's own id.
    id: String,
    /// For example `savings`.
    r#type: String,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$", example = "GBP")]
    currency: String,
    /// Decimal.
    #[schema(pattern = r"^-?[0-9]+(\.[0-9]+)?$", example = "1250.00")]
    balance: String,
    /// Decimal.
    #[schema(pattern = r"^-?[0-9]+(\.[0-9]+)?$")]
    available: Option<String>,
    /// As core banking says.
    status: String,
    /// Where it has one.
    iban: Option<String>,
    /// When it was opened.
    opened_on: Option<NaiveDate>,
}

/// A page of a client's history.
#[derive(Serialize, ToSchema)]
pub struct History {
    /// Newest first.
    #[schema(max_items = 200)]
    items: Vec<HistoryItem>,
    /// The cursor of the next page; null on the last.
    #[schema(required)]
    next: Option<String>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryItem {
    /// Its place in the journal.
    seq: u64,
    /// The journal entry.
    #[schema(format = "uuid")]
    id: String,
    /// When.
    at: DateTime<Utc>,
    /// What.
    #[schema(example = "client.updated")]
    kind: String,
    /// Through which action.
    action: Option<String>,
    /// By which member.
    member: Option<String>,
    /// In which request.
    request_id: Option<String>,
    /// What is different.
    changes: Vec<Change>,
}

/// The KYC documents of a client.
#[derive(Serialize, ToSchema)]
pub struct Documents {
    /// The documents.
    items: Vec<Document>,
}

