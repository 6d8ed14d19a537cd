//! The deliveries that were set aside, for operators to look at.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::delivery::{Adapter, Delivery, Link, Progress};
use crate::state::State;

/// One delivery that was set aside.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParkedView {
    /// The delivery's key.
    pub id: String,
    /// For which adapter.
    pub adapter: Adapter,
    /// The organisation.
    pub org: String,
    /// The client, or the owner of the device.
    pub client: String,
    /// The device that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What was asked, by its name in the contract for adapters.
    pub function: &'static str,
    /// The version that was sent.
    pub version: u64,
    /// `rejected`, `retries-used-up` or `outcome-unknown`.
    pub reason: String,
    /// What the outside system said.
    pub error: Option<String>,
    /// Attempts that were begun.
    pub attempts: u32,
    /// The journal entry that owes it.
    pub owing: u64,
    /// Commands that wait behind it.
    pub held: usize,
}

/// Everything that is set aside, for one adapter or all, in the order of lanes.
#[must_use]
pub fn parked(state: &State, adapter: Option<Adapter>) -> Vec<ParkedView> {
    let wanted = state.configured().iter().copied().filter(|known| adapter.is_none_or(|adapter| adapter == *known));
    wanted.flat_map(|adapter| of_adapter(state, adapter)).collect()
}

fn of_adapter(state: &State, adapter: Adapter) -> Vec<ParkedView> {
    let lanes = state.lanes().parked(adapter);
    lanes.iter().flat_map(|lane| of_lane(state, adapter, lane)).collect()
}

fn of_lane(state: &State, adapter: Adapter, lane: &str) -> Vec<ParkedView> {
    if let Some(record) = state.any_device(lane) {
        let (device, link) = (&record.device, &record.link);
        let about = (device.org.as_str(), device.client.as_str(), Some(device.reference.as_str()));
        return views(adapter, link, about);
    }
    let Some(record) = state.any_client(lane) else { return Vec::new() };
    let client = &record.client;
    views(adapter, &record.link(adapter), (&client.org, &client.reference, None))
}

fn views(adapter: Adapter, link: &Link, (org, client, device): (&str, &str, Option<&str>)) -> Vec<ParkedView> {
    let held = link.commands.len().saturating_sub(1);
    let all = link.mirror.iter().chain(link.commands.front());
    let view = |delivery: &Delivery| ParkedView {
        id: delivery.key.clone(),
        adapter,
        org: org.to_owned(),
        client: client.to_owned(),
        device: device.map(str::to_owned),
        function: delivery.function.as_str(),
        version: delivery.version,
        reason: delivery.parked.clone().unwrap_or_default(),
        error: delivery.error.clone(),
        attempts: delivery.attempts,
        owing: delivery.owing,
        held: if delivery.function.is_mirror() { 0 } else { held },
    };
    all.filter(|delivery| delivery.progress == Progress::Parked).map(view).collect()
}
