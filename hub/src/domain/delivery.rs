//! What is owed to one outside system for one client or device, and how far its delivery has come.
//!
//! A *mirror* owes the newest version and nothing older; a *command* is owed for itself, in order. An attempt whose outcome is
//! unknown keeps its key and body until it is known. All of it is folded from the journal; nothing here knows a schedule.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::client::Client;
use super::parked::OUTCOME_UNKNOWN;

/// A name that is none of the five.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown adapter `{0}`: expected one of `core-banking`, `crm`, `kyc`, `identity`, `messaging`")]
pub struct UnknownAdapter(String);

/// The outside systems, one adapter of each kind. The names are those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Adapter {
    /// Customers and accounts.
    CoreBanking,
    /// Relationships.
    Crm,
    /// Screening and documents.
    Kyc,
    /// Credentials and devices.
    Identity,
    /// Messages to clients.
    Messaging,
}

impl Adapter {
    /// All of them, in the order of the specification's table.
    pub const ALL: [Self; 5] = [Self::CoreBanking, Self::Crm, Self::Kyc, Self::Identity, Self::Messaging];

    /// As it stands in the configuration and the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CoreBanking => "core-banking",
            Self::Crm => "crm",
            Self::Kyc => "kyc",
            Self::Identity => "identity",
            Self::Messaging => "messaging",
        }
    }

    /// The adapter of this name, which is also its interface's in the contract for adapters.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|adapter| adapter.as_str() == name)
    }
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Adapter {
    type Err = UnknownAdapter;

    fn from_str(name: &str) -> Result<Self, UnknownAdapter> {
        Self::parse(name).ok_or_else(|| UnknownAdapter(name.to_owned()))
    }
}

/// What is asked of the outside system, by the name in the contract for adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Core banking: create or bring up to date.
    UpsertCustomer,
    /// Core banking: close.
    CloseCustomer,
    /// CRM: create or bring up to date.
    UpsertContact,
    /// CRM: archive.
    ArchiveContact,
    /// KYC: screen.
    Verify,
    /// KYC: hand a document over.
    SubmitDocument,
    /// Identity: create.
    Provision,
    /// Identity: bring up to date.
    Update,
    /// Identity: disable.
    Disable,
    /// Identity: tell the devices.
    ListDevices,
    /// Identity: lock, unlock, activate, deactivate.
    SetDeviceState,
    /// Identity: hand over.
    TransferDevice,
    /// Identity: have a PIN issued.
    ResetPin,
    /// Messaging: send.
    Send,
}

impl Function {
    /// All of them, in the order of the specification's table of adapters.
    pub const ALL: [Self; 14] = [
        Self::UpsertCustomer,
        Self::CloseCustomer,
        Self::UpsertContact,
        Self::ArchiveContact,
        Self::Verify,
        Self::SubmitDocument,
        Self::Provision,
        Self::Update,
        Self::Disable,
        Self::ListDevices,
        Self::SetDeviceState,
        Self::TransferDevice,
        Self::ResetPin,
        Self::Send,
    ];

    /// The function of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.as_str() == name)
    }

    /// As it stands in the contract for adapters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpsertCustomer => "upsert-customer",
            Self::CloseCustomer => "close-customer",
            Self::UpsertContact => "upsert-contact",
            Self::ArchiveContact => "archive-contact",
            Self::Verify => "verify",
            Self::SubmitDocument => "submit-document",
            Self::Provision => "provision",
            Self::Update => "update",
            Self::Disable => "disable",
            Self::ListDevices => "list-devices",
            Self::SetDeviceState => "set-device-state",
            Self::TransferDevice => "transfer-device",
            Self::ResetPin => "reset-pin",
            Self::Send => "send",
        }
    }

    /// Whether only the newest version matters. Everything else is a command.
    #[must_use]
    pub const fn is_mirror(self) -> bool {
        !matches!(
            self,
            Self::SubmitDocument
                | Self::ListDevices
                | Self::SetDeviceState
                | Self::TransferDevice
                | Self::ResetPin
                | Self::Send
        )
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no function's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown function `{0}`: expected a name of the contract for adapters, such as `upsert-contact` or `send`")]
pub struct UnknownFunction(String);

impl FromStr for Function {
    type Err = UnknownFunction;

    fn from_str(name: &str) -> Result<Self, UnknownFunction> {
        Self::parse(name).ok_or_else(|| UnknownFunction(name.to_owned()))
    }
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The client's name.
    pub name: String,
    /// An e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// E.164.
    #[serde(default)]
    pub phone: Option<String>,
}

/// The message templates, by the names of the contract for adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the meaning; api.md lists when each is sent")]
pub enum Template {
    Welcome,
    ProfileUpdated,
    Deactivated,
    DeviceLocked,
    DeviceUnlocked,
    DeviceActivated,
    DeviceDeactivated,
    DeviceTransferred,
    PinReset,
}

/// What a command carries. A mirror's body is the client itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Payload {
    /// The client as it was when the first attempt began; none before that.
    Mirror {
        /// The body of the attempt.
        body: Option<Box<Client>>,
    },
    /// The question for a client's devices.
    Devices,
    /// A document's id.
    Document {
        /// `DC-…`.
        id: String,
    },
    /// The state that a device is to have.
    DeviceState {
        /// Whether it may be used.
        active: bool,
        /// Whether it is locked.
        locked: bool,
        /// Why.
        reason: Option<String>,
    },
    /// A device's new owner.
    Transfer {
        /// The owner before, `CL-…`.
        from: String,
        /// The owner from now on, `CL-…`.
        to: String,
    },
    /// A PIN reset.
    PinReset {
        /// `PR-…`.
        reset_id: String,
    },
    /// A message to the client.
    Message {
        /// Which text.
        template: Template,
        /// To whom.
        to: Recipient,
        /// BCP 47.
        language: String,
        /// The device that it is about.
        #[serde(default)]
        device: Option<String>,
        /// That device's type.
        #[serde(default)]
        device_type: Option<String>,
        /// When it happened.
        at: DateTime<Utc>,
    },
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// To be sent as it is, with its own key and body: never tried, or tried with an unknown outcome and asked for again by an
    /// operator.
    Pending,
    /// An attempt was begun; after a restart its outcome is unknown.
    Attempted,
    /// The last attempt surely had no effect; another follows.
    Retrying,
    /// The last attempt may have had an effect; it is repeated with its own key and body.
    Unknown,
    /// Set aside, for an operator to decide.
    Parked,
}

/// One thing that is owed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The idempotency key: a digest of the owing entry's id, the adapter and the function.
    pub key: String,
    /// What is asked.
    pub function: Function,
    /// The journal's number of the entry that owes it.
    pub owing: u64,
    /// The version of the client or device that it speaks of.
    pub version: u64,
    /// What it carries.
    pub payload: Payload,
    /// How far it has come.
    pub progress: Progress,
    /// Attempts begun so far.
    #[serde(default)]
    pub attempts: u32,
    /// Not before then.
    #[serde(default)]
    pub next_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, for operators.
    #[serde(default)]
    pub error: Option<String>,
    /// Why it was parked, as a code.
    #[serde(default)]
    pub parked: Option<String>,
    /// An attempt before the operator's decision may have had an effect: an attempt that surely had none says nothing of that one.
    #[serde(default)]
    pub uncertain: bool,
}

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
    /// The mirror's delivery under way or parked.
    #[serde(default)]
    pub mirror: Option<Delivery>,
    /// Commands, oldest first.
    #[serde(default)]
    pub commands: VecDeque<Delivery>,
}

/// The data of `delivery.attempted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempted {
    /// The delivery's key.
    pub key: String,
    /// What is asked.
    pub function: Function,
    /// The version that is sent.
    pub version: u64,
    /// The entry that owes it.
    pub owing: u64,
    /// 1 for the first.
    pub attempt: u32,
}

/// The data of `delivery.failed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The delivery's key.
    pub key: String,
    /// What was asked.
    pub function: Function,
    /// Whether it may have had an effect.
    pub unknown: bool,
    /// Why, for operators.
    pub error: String,
    /// When it is tried again.
    pub next_at: DateTime<Utc>,
}

/// The data of `delivery.delivered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// The delivery's key.
    pub key: String,
    /// What was asked.
    pub function: Function,
    /// The version that was sent.
    pub version: u64,
    /// The outside system's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The adapter's remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The data of `delivery.parked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// The delivery's key.
    pub key: String,
    /// What was asked.
    pub function: Function,
    /// A code: `rejected`, `retries-used-up`, `outcome-unknown`.
    pub reason: String,
    /// Why, for operators.
    pub error: String,
}

impl Link {
    /// The delivery with this key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Delivery> {
        self.mirror.iter().chain(&self.commands).find(|delivery| delivery.key == key)
    }

    fn find_mut(&mut self, key: &str) -> Option<&mut Delivery> {
        self.mirror.iter_mut().chain(&mut self.commands).find(|delivery| delivery.key == key)
    }

    /// Whether anything was begun or waits here; an undelivered newer version of a mirror shows only beside its client.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.mirror.is_none() && self.commands.is_empty()
    }

    /// An attempt begins. `body` is the client as it is now, for a mirror.
    pub fn attempted(&mut self, data: &Attempted, body: Option<&Client>) {
        if data.function.is_mirror() && self.mirror.as_ref().is_none_or(|mirror| mirror.key != data.key) {
            self.given_up = None;
            self.mirror = Some(Delivery {
                key: data.key.clone(),
                function: data.function,
                owing: data.owing,
                version: data.version,
                payload: Payload::Mirror { body: body.cloned().map(Box::new) },
                progress: Progress::Attempted,
                attempts: data.attempt,
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
