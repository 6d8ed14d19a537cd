//! A device: enrolled in the identity system, known to the hub by listing, commanded through the hub.
//!
//! Locking remembers what was active; unlocking restores exactly that. A transferred device is inactive.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::changes;
use super::client::Status;
use super::event::{Change, DeviceCommanded, Event, Observed, PinReset, Transferred};
use super::refusal::Refusal;

/// What kind of device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceType {
    /// A phone or tablet.
    Mobile,
    /// A one-time-password token.
    Token,
    /// A card reader.
    CardReader,
    /// A point-of-sale terminal.
    Pos,
    /// A browser.
    Browser,
}

impl DeviceType {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Token => "token",
            Self::CardReader => "card-reader",
            Self::Pos => "pos",
            Self::Browser => "browser",
        }
    }
}

/// The data of `device.enrolled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolment {
    /// The owner.
    pub client: String,
    /// The identity system's own id.
    pub external_id: String,
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
    /// When, as the identity system says.
    #[serde(default)]
    pub enrolled_at: Option<DateTime<Utc>>,
}

/// A device as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// `DV-…`.
    pub reference: String,
    /// The organisation of its owner.
    pub org: String,
    /// The owner.
    pub client: String,
    /// The identity system's own id.
    pub external_id: String,
    /// The type of the device.
    #[serde(rename = "type")]
    pub device_type: DeviceType,
    /// The model.
    pub model: Option<String>,
    /// The owner's name for it.
    pub label: Option<String>,
    /// Whether it may be used.
    pub active: bool,
    /// Whether it is locked.
    pub locked: bool,
    /// What `active` was when it was locked.
    pub active_before_lock: bool,
    /// Why it is locked.
    pub lock_reason: Option<String>,
    /// When a new PIN was last asked for.
    pub pin_reset_at: Option<DateTime<Utc>>,
    /// When it was enrolled.
    pub enrolled_at: DateTime<Utc>,
    /// Not listed by the identity system any more.
    pub removed: bool,
    /// Grows by one with each change.
    pub version: u64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What may be done with a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceCommand {
    /// Lock or unlock (CL010).
    Lock {
        /// Which of the two.
        locked: bool,
        /// Why.
        reason: Option<String>,
    },
    /// Activate or deactivate (CL012), or deactivate with the client (CL005).
    Activate {
        /// Which of the two.
        active: bool,
        /// Why.
        reason: Option<String>,
    },
    /// Hand over (CL011).
    Transfer {
        /// Who must own it now.
        from: String,
        /// Who is to own it.
        to: String,
        /// The status of that client.
        to_status: Status,
        /// Why.
        reason: Option<String>,
    },
    /// Have a PIN issued (CL013).
    ResetPin {
        /// `PR-…`.
        reset_id: String,
        /// Where the announcement goes, masked.
        sent_to: String,
        /// Until when the reset holds.
        expires_at: DateTime<Utc>,
        /// Why.
        reason: Option<String>,
    },
    /// What the identity system lists.
    Observe(Enrolment),
    /// The identity system does not list it any more.
    Remove,
}

impl Device {
    /// A device at its enrolment.
    #[must_use]
    pub fn enrolled(reference: &str, org: &str, data: &Enrolment, at: DateTime<Utc>) -> Self {
        Self {
            reference: reference.to_owned(),
            org: org.to_owned(),
            client: data.client.clone(),
            external_id: data.external_id.clone(),
            device_type: data.device_type,
            model: data.model.clone(),
            label: data.label.clone(),
            active: data.active,
            locked: data.locked,
            active_before_lock: data.active,
            lock_reason: None,
            pin_reset_at: None,
            enrolled_at: data.enrolled_at.unwrap_or(at),
            removed: false,
            version: 1,
            updated_at: at,
        }
    }

    /// What happens when `command` is given. No event: it is so already.
    ///
    /// # Errors
    /// The state does not allow it.
    pub fn decide(&self, command: &DeviceCommand) -> Result<Option<Event>, Refusal> {
        if self.removed && !matches!(command, DeviceCommand::Observe(_) | DeviceCommand::Remove) {
            return Err(Refusal::DeviceNotFound);
        }
        match command {
            DeviceCommand::Lock { locked, reason } => Ok(self.lock(*locked, reason.clone())),
            DeviceCommand::Activate { active, reason } => self.activate(*active, reason.clone()),
            DeviceCommand::Transfer { from, to, to_status, reason } => {
                self.transfer((from, to), *to_status, reason.clone())
            }
            DeviceCommand::ResetPin { reset_id, sent_to, expires_at, reason } => {
                Ok(Some(Event::DevicePinReset(PinReset {
                    reset_id: reset_id.clone(),
                    sent_to: sent_to.clone(),
                    client: self.client.clone(),
                    reason: reason.clone(),
                    expires_at: *expires_at,
                })))
            }
            DeviceCommand::Observe(seen) => Ok(self.observe(seen)),
            DeviceCommand::Remove => {
                Ok((!self.removed).then(|| Event::DeviceRemoved(self.commanded(None, &self.gone()))))
            }
        }
    }

    fn lock(&self, locked: bool, reason: Option<String>) -> Option<Event> {
        if self.locked == locked {
            return None;
        }
        let mut after = self.clone();
        after.apply_lock(locked, reason.clone());
        let data = self.commanded(reason, &after);
        Some(if locked { Event::DeviceLocked(data) } else { Event::DeviceUnlocked(data) })
    }

    fn activate(&self, active: bool, reason: Option<String>) -> Result<Option<Event>, Refusal> {
        if self.locked && active {
            return Err(Refusal::DeviceLocked);
        }
        // A locked device is not active already; deactivating it makes unlocking leave it inactive.
        if self.active == active && !(self.locked && self.active_before_lock) {
            return Ok(None);
        }
        let mut after = self.clone();
        (after.active, after.active_before_lock) = (active, active);
        let data = self.commanded(reason, &after);
        Ok(Some(if active { Event::DeviceActivated(data) } else { Event::DeviceDeactivated(data) }))
    }

    fn transfer(
        &self,
        (from, to): (&str, &str),
        to_status: Status,
        reason: Option<String>,
    ) -> Result<Option<Event>, Refusal> {
        if self.client != *from {
            return Err(Refusal::DeviceNotOwned);
        }
        if to_status != Status::Active {
            return Err(Refusal::TargetNotActive(to_status.as_str()));
        }
        // Its owner has it already: nothing is handed over, so it stays as active as it is, here and outside.
        if from == to {
            return Ok(None);
        }
        let mut after = self.clone();
        to.clone_into(&mut after.client);
        (after.active, after.active_before_lock) = (false, false);
        let changes = self.until(&after);
        Ok(Some(Event::DeviceTransferred(Transferred { from: from.to_owned(), to: to.to_owned(), reason, changes })))
    }

    fn observe(&self, seen: &Enrolment) -> Option<Event> {
        let mut after = self.clone();
        after.removed = false;
        (after.device_type, after.active, after.locked) = (seen.device_type, seen.active, seen.locked);
        (after.model, after.label) = (seen.model.clone(), seen.label.clone());
        if after == *self {
            return None;
        }
        Some(Event::DeviceChanged(Observed {
            device_type: seen.device_type,
            model: seen.model.clone(),
            label: seen.label.clone(),
            active: seen.active,
            locked: seen.locked,
            changes: self.until(&after),
        }))
    }

    fn commanded(&self, reason: Option<String>, after: &Self) -> DeviceCommanded {
        DeviceCommanded { client: self.client.clone(), reason, changes: self.until(after) }
    }

    /// What a reader of the device sees changed on the way to `after`; what a lock remembers is nobody's business.
    fn until(&self, after: &Self) -> Vec<Change> {
        let mut changes = changes::between(self, after);
        changes.retain(|change| change.pointer != "/activeBeforeLock");
        changes
    }

    fn gone(&self) -> Self {
        Self { removed: true, active: false, ..self.clone() }
    }

    fn apply_lock(&mut self, locked: bool, reason: Option<String>) {
        self.locked = locked;
        if locked {
            self.active_before_lock = self.active;
            self.active = false;
            self.lock_reason = reason;
        } else {
            self.active = self.active_before_lock;
            self.lock_reason = None;
        }
    }

    /// The device after `event`, which is at `version` of its stream.
    pub fn evolve(&mut self, event: &Event, version: u64, at: DateTime<Utc>) {
        match event {
            Event::DeviceLocked(data) => self.apply_lock(true, data.reason.clone()),
            Event::DeviceUnlocked(_) => self.apply_lock(false, None),
            Event::DeviceActivated(_) => (self.active, self.active_before_lock) = (true, true),
            Event::DeviceDeactivated(_) => (self.active, self.active_before_lock) = (false, false),
            Event::DeviceTransferred(data) => {
                self.client.clone_from(&data.to);
                (self.active, self.active_before_lock) = (false, false);
            }
            Event::DevicePinReset(_) => self.pin_reset_at = Some(at),
            Event::DeviceChanged(data) => self.apply_observed(data),
            Event::DeviceRemoved(_) => (self.removed, self.active) = (true, false),
            _ => return,
        }
        self.version = version;
        self.updated_at = at;
    }

    fn apply_observed(&mut self, data: &Observed) {
        self.removed = false;
        self.device_type = data.device_type;
        self.model.clone_from(&data.model);
        self.label.clone_from(&data.label);
        if data.locked != self.locked {
            self.lock_reason = None;
        }
        if !data.locked {
            self.active_before_lock = data.active;
        }
        (self.active, self.locked) = (data.active, data.locked);
    }
}
