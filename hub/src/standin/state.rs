//! Stand-in until `state` is merged.
#![allow(missing_docs, dead_code, clippy::unused_self)]
use std::sync::Arc;
use bytes::Bytes;
use crate::domain::{client::Client, device::Device, filter::Filter};
pub mod view {
    use utoipa::ToSchema; use serde::Serialize;
    #[derive(Serialize, ToSchema)] #[schema(as = Client)] pub struct ClientView<'a> { pub reference: &'a str }
    #[derive(Serialize, ToSchema)] #[schema(as = ClientSummary)] pub struct SummaryView<'a> { pub reference: &'a str }
    #[derive(Serialize, ToSchema)] #[schema(as = Device)] pub struct DeviceView<'a> { pub device: &'a str }
}
pub mod history {
    #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
    pub struct HistoryItem { pub seq: u64 }
    pub struct HistoryPage { pub items: Vec<HistoryItem>, pub next: Option<u64> }
}
#[derive(Clone)]
pub struct State;
pub struct ClientRecord { pub client: Client }
pub struct DeviceRecord { pub device: Device }
impl ClientRecord { pub fn body(&self, _s: bool) -> Bytes { Bytes::new() } pub fn summary(&self, _s: bool) -> Bytes { Bytes::new() } }
impl DeviceRecord { pub fn body(&self) -> Bytes { Bytes::new() } }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy { Name, CreatedAt, UpdatedAt, Status }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort { pub by: SortBy, pub descending: bool }
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorKey { pub value: String, pub reference: String }
pub struct ListQuery<'a> { pub filter: Option<&'a Filter>, pub member: &'a str, pub starred_only: bool, pub sort: Sort, pub after: Option<&'a CursorKey>, pub limit: usize }
pub struct Page { pub items: Vec<Arc<ClientRecord>>, pub next: Option<CursorKey>, pub total: usize }
impl State {
    pub fn client(&self, _org: &str, _reference: &str) -> Option<Arc<ClientRecord>> { None }
    pub fn device(&self, _org: &str, _device: &str) -> Option<Arc<DeviceRecord>> { None }
    pub fn devices_of(&self, _org: &str, _client: &str) -> Vec<Arc<DeviceRecord>> { Vec::new() }
    pub fn is_starred(&self, _org: &str, _member: &str, _reference: &str) -> bool { false }
    pub fn list(&self, _org: &str, _query: &ListQuery<'_>) -> Page { Page { items: Vec::new(), next: None, total: 0 } }
    pub fn history(&self, _j: &dyn crate::journal::Journal, _of: (&str, &str), _before: Option<u64>, _limit: usize) -> Result<history::HistoryPage, std::io::Error> { Ok(history::HistoryPage { items: Vec::new(), next: None }) }
}
