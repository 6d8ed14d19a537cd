//! What a lane does next, worked out from its record: pure, so that a restart at any moment comes to the same answer.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::client::Client;
use crate::domain::delivery::{Adapter, Delivery, Function, Link, Payload, Progress};
use crate::domain::due::{delivery_key, mirror_due, screening_lapses};
use crate::domain::moment;
use crate::state::{ClientRecord, DeviceRecord};

/// One attempt.
#[derive(Debug, Clone)]
pub struct Step {
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
    /// What is sent.
    pub body: Body,
    /// The last attempt's outcome is not known, so this one must be safe to repeat.
    pub repeats_unknown: bool,
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum Body {
    /// The client as it was when the first attempt began.
    Mirror(Arc<Client>),
    /// A command's own payload.
    Command(Payload),
}

/// What the lane of a client does at `now`; `None` where it has nothing to do, or must wait.
#[must_use]
pub fn of_client(adapter: Adapter, record: &ClientRecord, now: DateTime<Utc>) -> Option<Step> {
    let link = record.link(adapter);
    if let Some(mirror) = &link.mirror {
        match mirror.progress {
            Progress::Pending | Progress::Attempted | Progress::Unknown => return again(mirror, now),
            Progress::Retrying if mirror_due(adapter, &record.client, &link).is_none() => return again(mirror, now),
            Progress::Retrying | Progress::Parked => {}
        }
    }
    newest(adapter, record, &link, now).or_else(|| command(&link, now))
}

/// What the identity system's lane of a device does at `now`.
#[must_use]
pub fn of_device(record: &DeviceRecord, now: DateTime<Utc>) -> Option<Step> {
    command(&record.link, now)
}

fn newest(adapter: Adapter, record: &ClientRecord, link: &Link, now: DateTime<Utc>) -> Option<Step> {
    let client = &record.client;
    let expired = adapter == Adapter::Kyc && screening_lapses(client, link).is_some_and(|lapses| lapses <= now);
    let function = mirror_due(adapter, client, link).or(expired.then_some(Function::Verify))?;
    // A screening may be repeated for the same version: what came out last tells the two apart.
    let part = client.kyc.checked_at.filter(|_| function == Function::Verify).map(|at| moment::text(&at));
    Some(Step {
        key: delivery_key(client.entry, adapter, function, part.as_deref().unwrap_or("")),
        function,
        version: client.version,
        owing: client.seq,
        attempt: 1,
        body: Body::Mirror(client.clone()),
        repeats_unknown: false,
    })
}

fn command(link: &Link, now: DateTime<Utc>) -> Option<Step> {
    link.front().and_then(|front| again(front, now))
}

/// The next attempt of a delivery that has one.
fn again(delivery: &Delivery, now: DateTime<Utc>) -> Option<Step> {
    let waits = delivery.progress == Progress::Parked || delivery.next_at.is_some_and(|at| at > now);
    if waits {
        return None;
    }
    let body = match &delivery.payload {
        Payload::Mirror { body } => Body::Mirror(body.clone()?),
        payload => Body::Command(payload.clone()),
    };
    Some(Step {
        key: delivery.key.clone(),
        function: delivery.function,
        version: delivery.version,
        owing: delivery.owing,
        attempt: delivery.attempts.saturating_add(1),
        body,
        repeats_unknown: matches!(delivery.progress, Progress::Attempted | Progress::Unknown),
    })
}
