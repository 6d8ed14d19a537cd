//! Stand-in until the commands are merged.
#![allow(missing_docs, dead_code)]
use std::time::Duration;
use bytes::Bytes; use chrono::{DateTime, Utc}; use serde::Serialize; use utoipa::ToSchema; use thiserror::Error;
use crate::access::Denied; use crate::domain::refusal::Refusal;
pub use crate::journal::RequestKey;
#[derive(Debug, Clone, Default)] pub struct Meta { pub request_id: String, pub address: Option<String>, pub key: Option<RequestKey>, pub traceparent: Option<String> }
#[derive(Debug, Clone)] pub struct Answer<T> { pub value: T, pub replayed: bool }
#[derive(Debug, Clone)] pub struct Upload { pub document_type: String, pub media_type: String, pub content: Bytes }
#[derive(Debug, Clone, Serialize, ToSchema)] #[serde(rename_all = "camelCase")] #[schema(as = PinReset)]
pub struct PinResetView { pub reset_id: String, pub device: String, pub requested_at: DateTime<Utc>, pub expires_at: DateTime<Utc>, pub sent_to: String }
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)] #[serde(rename_all = "camelCase")]
pub struct AccountsView { pub items: Vec<String>, pub as_of: DateTime<Utc>, pub stale: bool }
#[derive(Debug, Clone, Serialize, ToSchema)] #[serde(rename_all = "camelCase")]
pub struct ParkedView { pub id: String }
#[derive(Debug, Clone, Error)]
pub enum CommandError {
    #[error("{0}")] Refused(#[from] Refusal), #[error("x")] Denied(Box<Denied>), #[error("x")] DuplicateClient, #[error("x")] DuplicateReference,
    #[error("x")] HasOpenAccounts, #[error("x")] OnboardingInProgress, #[error("x")] KeyReused, #[error("x")] InProgress, #[error("x")] Overloaded,
    #[error("x")] Restarting, #[error("x")] StorageUnavailable, #[error("x")] ShuttingDown,
    #[error("x")] AdapterUnavailable { adapter: &'static str, retry_after: Option<Duration> }, #[error("x")] TooLarge,
}
