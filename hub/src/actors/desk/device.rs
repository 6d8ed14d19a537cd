//! Commands on devices.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::{Attempt, Change, Desk};
use crate::actors::command::{Ask, Done, Order, PinResetView};
use crate::domain::client::Client;
use crate::domain::device::DeviceCommand;
use crate::domain::reference::{PIN_RESET, reference};
use crate::domain::refusal::Refusal;
use crate::domain::validate::body::{ResetPinBody, TransferBody};
use crate::state::{ClientRecord, DeviceRecord};
use crate::sync::entries::{client_stream, device_stream};

/// How long a PIN reset holds.
const PIN_RESET_HOURS: i64 = 24;
/// Digits of a phone number that stay readable.
const SHOWN_DIGITS: usize = 4;

impl Desk {
    /// Lock, unlock, activate, deactivate.
    pub(super) async fn simple(&self, ask: &Ask) -> Result<Done, Attempt> {
        let (record, owner) = self.device(ask)?;
        let command = match &ask.order {
            Order::Lock(body) => DeviceCommand::Lock { locked: body.locked, reason: body.reason.clone() },
            Order::Activate(body) if body.active && owner.client.status.is_gone() => {
                return Err(Refusal::ClientArchived.into());
            }
            Order::Activate(body) => DeviceCommand::Activate { active: body.active, reason: body.reason.clone() },
            _ => return Err(Refusal::DeviceNotFound.into()),
        };
        let change = change(&record, &command)?;
        self.commit(ask, &ask.lane, change).await?;
        self.answered_device(ask)
    }

    pub(super) async fn transfer(&self, ask: &Ask, body: &TransferBody) -> Result<Done, Attempt> {
        let (record, _) = self.device(ask)?;
        let org = ask.permit.org();
        self.state.client(org, &body.from).ok_or(Refusal::ClientNotFound)?;
        let to = self.state.client(org, &body.to).ok_or(Refusal::ClientNotFound)?;
        let mut change = change(
            &record,
            &DeviceCommand::Transfer {
                from: body.from.clone(),
                to: body.to.clone(),
                to_status: to.client.status,
                reason: body.reason.clone(),
            },
        )?;
        change.expects.push((client_stream(&body.to), to.client.version));
        self.commit(ask, &ask.lane, change).await?;
        self.answered_device(ask)
    }

    pub(super) async fn reset_pin(&self, ask: &Ask, body: &ResetPinBody) -> Result<Done, Attempt> {
        let (record, owner) = self.device(ask)?;
        if owner.client.status.is_gone() {
            return Err(Refusal::ClientArchived.into());
        }
        let reset = DeviceCommand::ResetPin {
            reset_id: reference(PIN_RESET, Uuid::now_v7()),
            sent_to: masked(&owner.client),
            expires_at: Utc::now() + TimeDelta::hours(PIN_RESET_HOURS),
            reason: body.reason.clone(),
        };
        let change = change(&record, &reset)?;
        let committed = self.commit(ask, &ask.lane, change).await?;
        let entry = committed.entries.first();
        let DeviceCommand::ResetPin { reset_id, sent_to, expires_at, .. } = reset else {
            return Err(Refusal::DeviceNotFound.into());
        };
        let requested_at = entry.map_or_else(Utc::now, |entry| entry.time);
        Ok(Done::Reset(PinResetView { reset_id, device: ask.lane.clone(), requested_at, expires_at, sent_to }))
    }

    /// The device that a command is about, and its owner.
    fn device(&self, ask: &Ask) -> Result<(Arc<DeviceRecord>, Arc<ClientRecord>), Attempt> {
        let org = ask.permit.org();
        let record = self.state.device(org, &ask.lane).filter(|record| !record.device.removed);
        let record = record.ok_or(Refusal::DeviceNotFound)?;
        let owner = self.state.client(org, &record.device.client).ok_or(Refusal::DeviceNotFound)?;
        self.still_permitted(ask, &owner.client)?;
        Ok((record, owner))
    }

    fn answered_device(&self, ask: &Ask) -> Result<Done, Attempt> {
        let record = self.state.device(ask.permit.org(), &ask.lane);
        Ok(Done::Device(record.ok_or(Refusal::DeviceNotFound)?))
    }
}

fn change(record: &DeviceRecord, command: &DeviceCommand) -> Result<Change, Attempt> {
    let device = &record.device;
    let stream = device_stream(&device.reference);
    let events = device.decide(command)?.map(|event| (stream.clone(), event)).into_iter().collect();
    Ok(Change { events, expects: vec![(stream, device.version)], ..Change::default() })
}

/// Where the announcement of a new PIN goes, without telling it: `+44•••••0000`, or `o•••@meridian.example`.
fn masked(client: &Client) -> String {
    if let Some(phone) = &client.profile.phone {
        let code: String = phone.chars().take(3).collect();
        let hidden = phone.chars().count().saturating_sub(3 + SHOWN_DIGITS);
        let last: String = phone.chars().skip(3 + hidden).collect();
        return format!("{code}{}{last}", "•".repeat(hidden));
    }
    let Some((name, host)) = client.profile.email.as_deref().and_then(|email| email.split_once('@')) else {
        return String::new();
    };
    format!("{}•••@{host}", name.chars().take(1).collect::<String>())
}
