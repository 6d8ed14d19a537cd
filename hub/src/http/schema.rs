//! The lists that go out, as the contract describes them. What is in them is rendered by `state`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::parked::ParkedDelivery;
use crate::state::history::HistoryItem;
use crate::state::view::{DeviceView, SummaryView};

/// A page of clients.
#[derive(Serialize, ToSchema)]
pub struct ClientPage<'a> {
    /// The clients.
    #[schema(max_items = 200)]
    items: Vec<SummaryView<'a>>,
    /// The cursor of the next page; null on the last.
    #[schema(required)]
    next: Option<String>,
    /// How many there are on all pages.
    total: u64,
}

/// The devices of a client.
#[derive(Serialize, ToSchema)]
pub struct Devices<'a> {
    /// In the order of their enrolment.
    items: Vec<DeviceView<'a>>,
}

/// A page of a client's history.
#[derive(Serialize, ToSchema)]
pub struct History {
    /// Newest first.
    #[schema(max_items = 200)]
    items: Vec<HistoryItem>,
    /// The cursor of the next page; null on the last.
    #[schema(required)]
    next: Option<String>,
}

/// A page of deliveries that were set aside.
#[derive(Serialize, ToSchema)]
pub struct ParkedPage {
    /// By adapter, client or device.
    #[schema(max_items = 200)]
    pub items: Vec<ParkedDelivery>,
    /// The cursor of the next page; null on the last.
    #[schema(required)]
    pub next: Option<String>,
    /// How many there are on all pages.
    pub total: usize,
}

/// What a decision on all that match would meet.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    /// Always true: nothing was written.
    pub dry_run: bool,
    /// How many match.
    pub matched: usize,
    /// In place of how many of them a newer version is owed already: a retry leaves those as they are.
    pub superseded: usize,
    /// Those, the first 200.
    #[schema(max_items = 200)]
    pub items: Vec<ParkedDelivery>,
}

/// How a favourite stands.
#[derive(Serialize, ToSchema)]
pub struct Starred {
    /// The client.
    pub reference: String,
    /// Whether it is a favourite of the caller.
    pub starred: bool,
}
