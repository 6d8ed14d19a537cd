//! The lists that go out, as the contract describes them. What is in them is rendered by `state`.

use serde::Serialize;
use utoipa::ToSchema;

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

/// How a favourite stands.
#[derive(Serialize, ToSchema)]
pub struct Starred {
    /// The client.
    pub reference: String,
    /// Whether it is a favourite of the caller.
    pub starred: bool,
}
