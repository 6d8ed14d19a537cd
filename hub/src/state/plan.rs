//! When a record's lanes want to be looked at, worked out from the record alone.

use chrono::{DateTime, Utc};

use super::lanes::Plan;
use super::record::{ClientRecord, DeviceRecord, Record};
use crate::domain::delivery::{Adapter, Delivery, Link, Payload, Progress};
use crate::domain::due::{mirror_due, mirror_since, screening_lapses};

/// The plan of a record's lane.
#[must_use]
pub fn of(adapter: Adapter, record: &Record) -> Plan {
    match record {
        Record::Client(record) => of_client(adapter, record),
        Record::Device(record) => of_device(record),
    }
}

/// The plan of one adapter's lane for a client: due when the next step of the lane is.
#[must_use]
pub fn of_client(adapter: Adapter, record: &ClientRecord) -> Plan {
    let link = record.link(adapter);
    let changed = record.client.updated_at;
    let function = mirror_due(adapter, &record.client, &link);
    let newer = function.map(|_| changed);
    let begun_since = link.owed_since(changed);
    let newest_since = function.map(|function| mirror_since(function, &record.client, changed));
    let begun = link.mirror.as_ref().filter(|mirror| newer.is_none() && mirror.progress != Progress::Parked);
    let due = match begun {
        // Nothing else of the lane is begun before this one has ended.
        Some(mirror) => moment(mirror, changed),
        None => newer.or_else(|| link.front().and_then(|command| moment(command, changed))),
    };
    Plan {
        due,
        later: (adapter == Adapter::Kyc).then(|| screening_lapses(&record.client, &link)).flatten(),
        since: begun_since.into_iter().chain(newest_since).min(),
        parked: is_parked(&link),
    }
}

/// The plan of the identity system's lane for a device.
#[must_use]
pub fn of_device(record: &DeviceRecord) -> Plan {
    let changed = record.device.updated_at;
    let due = record.link.front().and_then(|command| moment(command, changed));
    Plan { due, later: None, since: record.link.owed_since(changed), parked: is_parked(&record.link) }
}

fn is_parked(link: &Link) -> bool {
    link.mirror.iter().chain(link.front()).any(|delivery| delivery.progress == Progress::Parked)
}

/// When a delivery is due: never while it is set aside, at its own time where it has one, else since it was owed.
fn moment(delivery: &Delivery, changed: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let owed = match &delivery.payload {
        Payload::Message { at, .. } => *at,
        _ => changed,
    };
    (delivery.progress != Progress::Parked).then(|| delivery.next_at.unwrap_or(owed))
}
