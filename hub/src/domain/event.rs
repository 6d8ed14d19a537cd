//! What has happened: every kind of event that the journal holds, with the stream it belongs to.
//!
//! `kind` and `data` are the journal's own members; an event is read back with `Event::from_entry`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::client::Status;
use super::delivery::{Attempted, Delivered, Failed, Parked};
use super::device::{DeviceType, Enrolment};
use super::kyc::{Document, DocumentStatus, Verdict};
use super::parked::{JobEnded, JobStarted, Settled};
use super::profile::Profile;

/// One changed member of a record, as history shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// A JSON Pointer (RFC 6901) into the record.
    pub pointer: String,
    /// What it was; null where it was not there.
    #[serde(default)]
    pub from: Value,
    /// What it is; null where it is not there any more.
    #[serde(default)]
    pub to: Value,
}

/// The data of `client.created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// The profile at version 1.
    pub profile: Arc<Profile>,
    /// The caller's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// `pending`, or what an import took over.
    pub status: Status,
    /// Whether screening and the welcome message follow.
    pub onboarding: bool,
}

/// The data of `client.updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    /// The profile from now on.
    pub profile: Arc<Profile>,
    /// The status from now on, where the same request changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why the status changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// What is different.
    pub changes: Vec<Change>,
}

/// The data of `client.activated` and `client.rejected`, which follow a screening or a review.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Because {
    /// Why, as the caller or the verdict said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is different.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// The data of `kyc.reviewed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviewed {
    /// Approved or rejected.
    pub approved: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The digest of what was decided on.
    pub screened: String,
}

/// The data of `document.checked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentChecked {
    /// Which document.
    pub id: String,
    /// Verified or refused.
    pub status: DocumentStatus,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The data of `device.changed`: what the identity system says of the device now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The type of the device.
    #[serde(rename = "type")]
    pub device_type: DeviceType,
    /// The model.
    #[serde(default)]
    pub model: Option<String>,
    /// The owner's name for it.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether it may be used.
    pub active: bool,
    /// Whether it is locked.
    pub locked: bool,
    /// What is different.
    pub changes: Vec<Change>,
}

/// The data of the commands on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCommanded {
    /// The owner at the time.
    pub client: String,
    /// Why, as the caller said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is different.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// The data of `device.transferred`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transferred {
    /// The owner before.
    pub from: String,
    /// The owner from now on.
    pub to: String,
    /// Why, as the caller said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is different.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// The data of `device.pin-reset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PinReset {
    /// `PR-…`.
    pub reset_id: String,
    /// The owner at the time.
    pub client: String,
    /// Why, as the caller said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the announcement goes, masked.
    pub sent_to: String,
    /// Until when the reset holds.
    #[serde(with = "super::moment")]
    pub expires_at: DateTime<Utc>,
}

/// The data of `client.starred` and `client.unstarred`, in the stream of the member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starred {
    /// The client.
    pub reference: String,
}

/// The data of `request.answered`: an idempotent request that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The client or device that was answered with.
    pub reference: String,
}

/// The data of `relationship.refreshed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    /// What the CRM knew.
    pub relationship: super::client::Relationship,
}

/// The data of `adapter.configured` and `adapter.removed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// Which adapter.
    pub adapter: super::delivery::Adapter,
}

/// The data of `adapter.loaded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loaded {
    /// Which adapter.
    pub adapter: super::delivery::Adapter,
    /// SHA-256 of the component.
    pub digest: String,
    /// Its own version, as it says.
    pub version: String,
    /// The version of the contract that it was made for.
    pub contract: String,
    /// SHA-256 of the component before; none where there was none, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The id of the key that has signed it, where a signature is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// What it may do beyond the one before, as an operator has confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gains: Vec<String>,
}

/// The data of `adapter.shadowed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shadowed {
    /// Which adapter.
    pub adapter: super::delivery::Adapter,
    /// SHA-256 of the component that is asked beside.
    pub digest: String,
    /// How often, at most.
    pub calls: u32,
}

/// The data of `adapter.refused`: the one that is loaded stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// Which adapter.
    pub adapter: super::delivery::Adapter,
    /// SHA-256 of the component, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// SHA-256 of the one that is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Why.
    pub reason: String,
    /// What it may do beyond the one that is loaded, where that is why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gains: Vec<String>,
}

/// The data of `adapter.rolled-back`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolledBack {
    /// Which adapter.
    pub adapter: super::delivery::Adapter,
    /// SHA-256 of the component that was given up.
    pub from: String,
    /// SHA-256 of the one before, which is back.
    pub to: String,
    /// What it did, where it was given up by itself; none where an operator did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The data of `policy.changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyChanged {
    /// The digest of the files that were in force before, where there were any.
    pub from: Option<String>,
    /// The digest of the files that are in force from now on, or were refused.
    pub to: Option<String>,
    /// Whether they are in force; else the last good ones stay.
    pub in_force: bool,
}

/// The data of `notify.published`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// All entries up to this one have been announced.
    pub seq: u64,
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($data:ty) = $kind:literal,)*) => {
        /// Everything that can have happened.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event { $($(#[$doc])* $variant($data),)* }

        impl Event {
            /// The journal's `kind`.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)* }
            }

            /// The journal's `data`.
            ///
            /// # Errors
            /// Only where a type can't be written as JSON, which none here is.
            pub fn data(&self) -> Result<Box<RawValue>, serde_json::Error> {
                match self { $(Self::$variant(data) => to_raw_value(data),)* }
            }

            /// Reads an entry back. `None` for a kind that the domain does not know (others' streams).
            ///
            /// # Errors
            /// The data does not have the shape of its kind.
            pub fn from_entry(kind: &str, data: &RawValue) -> Result<Option<Self>, serde_json::Error> {
                match kind {
                    $($kind => read(data).map(|data| Some(Self::$variant(data))),)*
                    _ => Ok(None),
                }
            }
        }
    };
}

impl Event {
    /// Whether it reads back as exactly itself, so that it need not be read back: of a time or a fraction the text keeps
    /// less than there was, and all who fold the same journal must have the same state.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        matches!(self, Self::ClientCreated(_) | Self::ClientUpdated(_))
    }
}

fn read<T: DeserializeOwned>(data: &RawValue) -> Result<T, serde_json::Error> {
    serde_json::from_str(data.get())
}

events! {
    /// A client was accepted.
    ClientCreated(Created) = "client.created",
    /// Its profile, or its status by hand, changed.
    ClientUpdated(Updated) = "client.updated",
    /// It passed its screening or review.
    ClientActivated(Because) = "client.activated",
    /// It failed its screening or review.
    ClientRejected(Because) = "client.rejected",
    /// It was archived.
    ClientArchived(Because) = "client.archived",
    /// It was screened.
    KycChecked(Verdict) = "kyc.checked",
    /// A member decided.
    KycReviewed(Reviewed) = "kyc.reviewed",
    /// A document was handed in.
    DocumentReceived(Document) = "document.received",
    /// A document was verified or refused.
    DocumentChecked(DocumentChecked) = "document.checked",
    /// A device became known.
    DeviceEnrolled(Enrolment) = "device.enrolled",
    /// The identity system says something else of a device than before.
    DeviceChanged(Observed) = "device.changed",
    /// The identity system does not list a device any more.
    DeviceRemoved(DeviceCommanded) = "device.removed",
    /// Locked.
    DeviceLocked(DeviceCommanded) = "device.locked",
    /// Unlocked.
    DeviceUnlocked(DeviceCommanded) = "device.unlocked",
    /// Activated.
    DeviceActivated(DeviceCommanded) = "device.activated",
    /// Deactivated.
    DeviceDeactivated(DeviceCommanded) = "device.deactivated",
    /// Handed to another client.
    DeviceTransferred(Transferred) = "device.transferred",
    /// A new PIN was asked for.
    DevicePinReset(PinReset) = "device.pin-reset",
    /// A member made the client a favourite.
    ClientStarred(Starred) = "client.starred",
    /// A member took that back.
    ClientUnstarred(Starred) = "client.unstarred",
    /// The CRM was asked for the relationship.
    RelationshipRefreshed(Refreshed) = "relationship.refreshed",
    /// A delivery is about to be tried.
    DeliveryAttempted(Attempted) = "delivery.attempted",
    /// An attempt failed and will be repeated.
    DeliveryFailed(Failed) = "delivery.failed",
    /// The outside system took it.
    DeliveryDelivered(Delivered) = "delivery.delivered",
    /// It was set aside.
    DeliveryParked(Parked) = "delivery.parked",
    /// An operator asked for another try.
    DeliveryRetried(Settled) = "delivery.retried",
    /// An operator gave it up.
    DeliveryDiscarded(Settled) = "delivery.discarded",
    /// An operator decided on all deliveries that match.
    JobStarted(JobStarted) = "job.started",
    /// Such a decision has come to its end.
    JobEnded(JobEnded) = "job.ended",
    /// An idempotent request changed nothing.
    RequestAnswered(Answered) = "request.answered",
    /// An adapter was put into the configuration.
    AdapterConfigured(Configured) = "adapter.configured",
    /// An adapter was taken out of the configuration.
    AdapterRemoved(Configured) = "adapter.removed",
    /// A component took over.
    AdapterLoaded(Loaded) = "adapter.loaded",
    /// A component was not taken.
    AdapterRefused(Refused) = "adapter.refused",
    /// A component is asked beside the one that is loaded.
    AdapterShadowed(Shadowed) = "adapter.shadowed",
    /// The component before is back.
    AdapterRolledBack(RolledBack) = "adapter.rolled-back",
    /// The policy files changed.
    PolicyChanged(PolicyChanged) = "policy.changed",
    /// So much has been announced.
    NotifyPublished(Published) = "notify.published",
}
