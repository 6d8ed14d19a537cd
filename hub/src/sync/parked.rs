//! The deliveries that were set aside: found, paged and counted, for operators to look at and to decide on.
//!
//! They stand in a fixed order: by adapter, lane, and within a lane the mirror before the command. Nothing is kept of them
//! here: each look reads the records of the lanes that have any, so none of it is for a runtime's own threads.

use crate::domain::delivery::{Adapter, Delivery, Link, Progress};
use crate::domain::due::mirror_due;
use crate::domain::parked::{ParkedDelivery, ParkedFilter, ParkedState};
use crate::state::State;

/// Where a delivery stands among all that were set aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Owed to whom.
    pub adapter: Adapter,
    /// The client or device.
    pub lane: String,
    /// A command, not the mirror.
    pub command: bool,
}

/// A part of those that match a filter.
#[derive(Debug)]
pub struct ParkedPage {
    /// The deliveries, in order.
    pub items: Vec<ParkedDelivery>,
    /// The place of the last of them, where others follow.
    pub next: Option<Place>,
    /// How many match in all.
    pub total: usize,
}

/// What a decision on all that match would meet.
#[derive(Debug)]
pub struct Census {
    /// How many match.
    pub matched: usize,
    /// Those of them in whose place a newer version is owed already, up to a number.
    pub superseded: Vec<ParkedDelivery>,
    /// How many those are.
    pub superseded_in_all: usize,
}

/// At most `limit` of those that match, behind a place.
#[must_use]
pub fn page(state: &State, filter: &ParkedFilter, after: Option<&Place>, limit: usize) -> ParkedPage {
    let mut page = ParkedPage { items: Vec::new(), next: None, total: 0 };
    let (mut last, mut more) = (None, false);
    for (place, delivery) in matching(state, filter) {
        page.total += 1;
        if after.is_some_and(|after| place <= *after) {
            continue;
        }
        if page.items.len() < limit {
            page.items.push(delivery);
            last = Some(place);
        } else {
            more = true;
        }
    }
    page.next = last.filter(|_| more);
    page
}

/// Counts those that match; of the superseded ones at most `shown` are shown.
#[must_use]
pub fn census(state: &State, filter: &ParkedFilter, shown: usize) -> Census {
    let mut census = Census { matched: 0, superseded: Vec::new(), superseded_in_all: 0 };
    for (_, delivery) in matching(state, filter) {
        census.matched += 1;
        if delivery.superseded {
            census.superseded_in_all += 1;
            if census.superseded.len() < shown {
                census.superseded.push(delivery);
            }
        }
    }
    census
}

/// The one with this key.
#[must_use]
pub fn find(state: &State, id: &str) -> Option<ParkedDelivery> {
    matching(state, &ParkedFilter::default()).map(|(_, delivery)| delivery).find(|delivery| delivery.id == id)
}

fn matching<'a>(state: &'a State, filter: &'a ParkedFilter) -> impl Iterator<Item = (Place, ParkedDelivery)> + use<'a> {
    adapters(state, filter).into_iter().flat_map(move |adapter| {
        let lanes = state.lanes().parked(adapter).into_iter();
        lanes.flat_map(move |lane| {
            let found = of_lane(state, adapter, &lane).0.into_iter().filter(|delivery| filter.matches(delivery));
            found.map(move |delivery| {
                let command = !delivery.function.is_mirror();
                (Place { adapter, lane: lane.to_string(), command }, delivery)
            })
        })
    })
}

/// The adapters that a filter speaks of, in order.
pub(super) fn adapters(state: &State, filter: &ParkedFilter) -> Vec<Adapter> {
    let configured = state.configured().iter().copied();
    let mut wanted: Vec<Adapter> =
        configured.filter(|known| filter.adapter.is_none_or(|adapter| adapter == *known)).collect();
    wanted.sort_unstable();
    wanted
}

/// What is set aside in one lane now, and the version of the stream that says so.
#[must_use]
pub fn of_lane(state: &State, adapter: Adapter, lane: &str) -> (Vec<ParkedDelivery>, u64) {
    if let Some(record) = state.any_device(lane) {
        let (device, link) = (&record.device, &record.link);
        let about = (device.org.as_str(), device.client.as_str(), Some(device.reference.as_str()));
        return (views(adapter, link, about, false), link.revision);
    }
    let Some(record) = state.any_client(lane) else { return (Vec::new(), 0) };
    let (client, link) = (&record.client, record.link(adapter));
    let newer = mirror_due(adapter, client, &link).is_some();
    (views(adapter, &link, (&client.org, &client.reference, None), newer), link.revision)
}

fn views(
    adapter: Adapter,
    link: &Link,
    (org, client, device): (&str, &str, Option<&str>),
    newer: bool,
) -> Vec<ParkedDelivery> {
    let held = link.commands.len().saturating_sub(1);
    let all = link.mirror.iter().chain(link.front());
    let view = |delivery: &Delivery| {
        let mirror = delivery.function.is_mirror();
        ParkedDelivery {
            id: delivery.key.clone(),
            state: ParkedState::Parked,
            adapter,
            org: org.to_owned(),
            client: client.to_owned(),
            device: device.map(str::to_owned),
            function: delivery.function,
            version: delivery.version,
            reason: delivery.parked.clone().unwrap_or_default(),
            error: delivery.error.clone(),
            attempts: delivery.attempts,
            owing: delivery.owing,
            held: if mirror { 0 } else { held },
            superseded: mirror && newer,
        }
    };
    all.filter(|delivery| delivery.progress == Progress::Parked).map(view).collect()
}
