//! What is owed to one outside system for one client or device, and how far its delivery has come.
//!
//! A *mirror* owes the newest version and nothing older; a *command* is owed for itself, in order. An attempt whose outcome is
//! unknown keeps its key and body until it is known. All of it is folded from the journal; nothing here knows a schedule.
//!
//! `names` says whom is asked for what, `steps` is what the journal tells of a delivery, `done` what a
//! call did meanwhile, `link` what it comes to.

mod done;
mod link;
mod names;
mod steps;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::done::{CallDone, Outbound};
pub use self::link::Link;
pub use self::names::{Adapter, Function, UnknownAdapter, UnknownFunction};
pub use self::steps::{Attempted, Delivered, Failed, Parked};
use super::client::Client;

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
        body: Option<Arc<Client>>,
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
        /// To the phone rather than the e-mail address, whatever the text.
        #[serde(default)]
        by_phone: bool,
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
    /// Since when it, or what it took the place of, is owed; not known of deliveries that an older hub kept.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
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
