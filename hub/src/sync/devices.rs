//! Which devices a client has, as the identity system lists them: the difference becomes entries.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

use super::convert;
use super::entries::{By, client_stream, device_stream};
use super::work::Worker;
use crate::adapters::CallError;
use crate::domain::delivery::Adapter;
use crate::domain::device::{DeviceCommand, Enrolment};
use crate::domain::event::Event;
use crate::domain::reference::{DEVICE, reference};
use crate::journal::{Append, AppendError, Claim, conflict};
use crate::state::{ClientRecord, DeviceRecord};

/// Why something that follows a delivery did not work.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The adapter could not say.
    #[error("{0}")]
    Call(#[from] CallError),
    /// The journal did not take it.
    #[error("{0}")]
    Append(#[from] AppendError),
}

/// How often a list is compared anew because the client has moved meanwhile.
const CONFLICTS: u32 = 8;

/// Asks for the devices of a client and writes down what is different.
///
/// # Errors
/// The identity system or the journal did not answer.
pub async fn list(worker: &Worker, client: &str) -> Result<(), FollowError> {
    for round in 1..CONFLICTS {
        match compare(worker, client).await {
            Err(FollowError::Append(AppendError::Conflict { .. })) => conflict::pause(round).await,
            other => return other,
        }
    }
    compare(worker, client).await
}

/// A client that is gone gets no devices any more: those that it had were deactivated with it.
async fn compare(worker: &Worker, client: &str) -> Result<(), FollowError> {
    let Some(record) = worker.state.any_client(client).filter(|record| !record.client.status.is_gone()) else {
        return Ok(());
    };
    let Some(identity) = record.link(Adapter::Identity).external_id.clone() else { return Ok(()) };
    // As they are before the question: a list that was made before a command must not undo it.
    let known = known_devices(worker, &record);
    let listed = worker.caller.adapters.list_devices(&identity).await?;
    let listed: Vec<Enrolment> = listed.into_iter().map(|device| convert::enrolment(device, client)).collect();
    for seen in &listed {
        match known.get(&seen.external_id) {
            Some(device) => change(worker, device, &DeviceCommand::Observe(seen.clone())).await?,
            None => enrol(worker, &record, seen).await?,
        }
    }
    let listed: HashSet<&str> = listed.iter().map(|seen| seen.external_id.as_str()).collect();
    for device in known.values().filter(|device| !listed.contains(device.device.external_id.as_str())) {
        change(worker, device, &DeviceCommand::Remove).await?;
    }
    Ok(())
}

fn known_devices(worker: &Worker, record: &ClientRecord) -> HashMap<String, Arc<DeviceRecord>> {
    let devices = record.devices.iter().filter_map(|device| worker.state.any_device(device));
    devices.map(|device| (device.device.external_id.clone(), device)).collect()
}

async fn enrol(worker: &Worker, record: &ClientRecord, seen: &Enrolment) -> Result<(), FollowError> {
    let org = &record.client.org;
    let stream = device_stream(&reference(DEVICE, Uuid::now_v7()));
    let entry = By::hub(org, &seen.external_id).entry(stream.clone(), Event::DeviceEnrolled(seen.clone()))?;
    let claims = vec![Claim::lasting(format!("device/{org}/{}", seen.external_id))];
    // A device that comes while its client is being archived would be missed there.
    let expects = vec![(stream, 0), (client_stream(&seen.client), record.client.version)];
    match worker.journal.append(Append { entries: vec![entry], expects, claims, releases: Vec::new() }).await {
        // Somebody else's listing was faster, or the device belongs to another client and is on its way here.
        Err(AppendError::Claimed { .. }) => Ok(()),
        other => Ok(other.map(|_| ())?),
    }
}

/// A device with commands under way is about to differ from the list: it is looked at again when they are through.
async fn change(worker: &Worker, record: &DeviceRecord, command: &DeviceCommand) -> Result<(), FollowError> {
    if !record.link.commands.is_empty() {
        return Ok(());
    }
    let Ok(Some(event)) = record.device.decide(command) else { return Ok(()) };
    let device = &record.device;
    let stream = device_stream(&device.reference);
    let entry = By::hub(&device.org, &device.external_id).entry(stream.clone(), event)?;
    let expects = vec![(stream, device.version)];
    worker.journal.append(Append { entries: vec![entry], expects, ..Append::default() }).await?;
    Ok(())
}
