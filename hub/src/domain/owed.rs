//! Which commands and messages an event owes to the outside systems. Mirrors are not here: `due` works them out.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::client::Client;
use super::delivery::{Adapter, Delivery, Function, Payload, Progress, Recipient, Template};
use super::device::Device;
use super::due::delivery_key;
use super::event::Event;

/// The entry that owes.
#[derive(Debug, Clone, Copy)]
pub struct Owing<'a> {
    /// Its id.
    pub entry: Uuid,
    /// Its number.
    pub seq: u64,
    /// The version of its stream.
    pub version: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// The operation that wrote it, for example `CL010`.
    pub action: &'a str,
}

impl Owing<'_> {
    fn delivery(&self, (adapter, function): (Adapter, Function), part: &str, payload: Payload) -> Delivery {
        Delivery {
            key: delivery_key(self.entry, adapter, function, part),
            function,
            owing: self.seq,
            version: self.version,
            payload,
            progress: Progress::Pending,
            attempts: 0,
            since: Some(self.at),
            next_at: None,
            error: None,
            parked: None,
            uncertain: false,
        }
    }

    /// A message to `client` about itself or one of its devices; `None` where it can't be reached.
    #[must_use]
    pub fn message(&self, template: Template, client: &Client, device: Option<&Device>) -> Option<Delivery> {
        self.message_to(template, client, (recipient(client), false), device)
    }

    fn message_to(
        &self,
        template: Template,
        client: &Client,
        (to, by_phone): (Recipient, bool),
        device: Option<&Device>,
    ) -> Option<Delivery> {
        if to.email.is_none() && to.phone.is_none() {
            return None;
        }
        let (email, phone) = (to.email.as_deref(), to.phone.as_deref());
        let address = if by_phone { phone.or(email) } else { email.or(phone) };
        let part = format!("{}/{}", client.reference, address.unwrap_or(""));
        let payload = Payload::Message {
            template,
            to,
            language: client.profile.language.clone().unwrap_or_else(|| "en".to_owned()),
            device: device.map(|device| device.reference.clone()),
            device_type: device.map(|device| device.device_type.as_str().to_owned()),
            by_phone,
            at: self.at,
        };
        Some(self.delivery((Adapter::Messaging, Function::Send), &part, payload))
    }

    /// The messages that an event on a client owes to it. `before` is the client before the event.
    #[must_use]
    pub fn messages_of_client(&self, event: &Event, before: &Client, after: &Client) -> Vec<Delivery> {
        match event {
            Event::ClientActivated(_) => self.message(Template::Welcome, after, None).into_iter().collect(),
            Event::ClientArchived(_) => self.message(Template::Deactivated, after, None).into_iter().collect(),
            Event::ClientUpdated(_) => {
                let (old, new) = (recipient(before), recipient(after));
                let moved = |old: &Option<String>, new: &Option<String>| old.is_some() && old != new;
                // To the old phone where that alone has changed; the old e-mail address knows of both.
                let by_phone = !moved(&old.email, &new.email) && moved(&old.phone, &new.phone);
                let left = by_phone || moved(&old.email, &new.email);
                let also = left.then(|| self.message_to(Template::ProfileUpdated, after, (old, by_phone), None));
                let first = self.message_to(Template::ProfileUpdated, after, (new, false), None);
                first.into_iter().chain(also.flatten()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The message that an event on a device owes to its owner (both owners get the one of a transfer).
    #[must_use]
    pub fn device_template(&self, event: &Event) -> Option<Template> {
        match event {
            Event::DeviceTransferred(_) => Some(Template::DeviceTransferred),
            _ if !matches!(self.action, "CL010" | "CL012") => None,
            Event::DeviceLocked(_) => Some(Template::DeviceLocked),
            Event::DeviceUnlocked(_) => Some(Template::DeviceUnlocked),
            Event::DeviceActivated(_) => Some(Template::DeviceActivated),
            Event::DeviceDeactivated(_) => Some(Template::DeviceDeactivated),
            _ => None,
        }
    }

    /// What an event on a device owes to the identity system. `after` is the device after the event.
    #[must_use]
    pub fn device_command(&self, event: &Event, after: &Device) -> Option<Delivery> {
        let (function, payload) = match event {
            Event::DeviceLocked(data)
            | Event::DeviceUnlocked(data)
            | Event::DeviceActivated(data)
            | Event::DeviceDeactivated(data) => {
                let (active, locked, reason) = (after.active, after.locked, data.reason.clone());
                (Function::SetDeviceState, Payload::DeviceState { active, locked, reason })
            }
            Event::DeviceTransferred(data) => {
                (Function::TransferDevice, Payload::Transfer { from: data.from.clone(), to: data.to.clone() })
            }
            Event::DevicePinReset(data) => (Function::ResetPin, Payload::PinReset { reset_id: data.reset_id.clone() }),
            _ => return None,
        };
        Some(self.delivery((Adapter::Identity, function), "", payload))
    }

    /// What a provisioned identity owes: its devices are listed, which the identity system enrols by itself.
    #[must_use]
    pub fn device_list(&self) -> Delivery {
        self.delivery((Adapter::Identity, Function::ListDevices), "", Payload::Devices)
    }

    /// What a document that was handed in owes to the KYC system.
    #[must_use]
    pub fn document(&self, id: &str) -> Delivery {
        let payload = Payload::Document { id: id.to_owned() };
        self.delivery((Adapter::Kyc, Function::SubmitDocument), "", payload)
    }
}

fn recipient(client: &Client) -> Recipient {
    let profile = &client.profile;
    Recipient { name: profile.name.clone(), email: profile.email.clone(), phone: profile.phone.clone() }
}
