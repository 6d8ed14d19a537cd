//! Stand-in until `actors` is merged.
#![allow(missing_docs, dead_code, clippy::unused_async)]
use std::sync::Arc; use std::time::Duration;
use bytes::Bytes;
use crate::access::{Permit, Denial}; use crate::domain::refusal::Refusal; use crate::domain::validate::Draft; use crate::domain::validate::body::*;
use crate::state::{ClientRecord, DeviceRecord}; use crate::journal::RequestKey;
#[derive(Clone)] pub struct Commands;
pub struct Meta { pub request_id: String, pub address: Option<String>, pub key: Option<RequestKey>, pub traceparent: Option<String> }
pub struct Answer<T> { pub value: T, pub replayed: bool }
pub enum CommandError { Refused(Refusal), DuplicateClient, DuplicateReference, HasOpenAccounts, OnboardingInProgress, KeyReused, InProgress, Overloaded, Restarting, StorageUnavailable, ShuttingDown, AdapterUnavailable { adapter: String, retry_after: Option<Duration> }, Denied(Denial) }
pub struct Upload { pub document_type: String, pub media_type: String, pub content: Bytes }
#[derive(serde::Serialize)] pub struct AccountsView { pub stale: bool }
#[derive(serde::Serialize)] pub struct PinResetView { pub reset_id: String }
type Done<T> = Result<Answer<T>, CommandError>;
const NO: CommandError = CommandError::Overloaded;
impl Commands {
 pub async fn create(&self, _p: Permit, _m: Meta, _d: Draft) -> Done<Arc<ClientRecord>> { Err(NO) }
 pub async fn edit(&self, _p: Permit, _m: Meta, _r: &str, _i: Option<u64>, _d: Draft) -> Done<Arc<ClientRecord>> { Err(NO) }
 pub async fn archive(&self, _p: Permit, _m: Meta, _r: &str, _i: Option<u64>, _w: Option<String>) -> Done<Arc<ClientRecord>> { Err(NO) }
 pub async fn star(&self, _p: Permit, _m: Meta, _r: &str, _s: Option<bool>) -> Done<bool> { Err(NO) }
 pub async fn lock(&self, _p: Permit, _m: Meta, _b: LockBody) -> Done<Arc<DeviceRecord>> { Err(NO) }
 pub async fn transfer(&self, _p: Permit, _m: Meta, _b: TransferBody) -> Done<Arc<DeviceRecord>> { Err(NO) }
 pub async fn activate(&self, _p: Permit, _m: Meta, _b: ActivateBody) -> Done<Arc<DeviceRecord>> { Err(NO) }
 pub async fn reset_pin(&self, _p: Permit, _m: Meta, _b: ResetPinBody) -> Done<PinResetView> { Err(NO) }
 pub async fn review(&self, _p: Permit, _m: Meta, _r: &str, _b: ReviewBody) -> Done<Arc<ClientRecord>> { Err(NO) }
 pub async fn submit_document(&self, _p: Permit, _m: Meta, _r: &str, _u: Upload) -> Done<crate::domain::kyc::Document> { Err(NO) }
 pub async fn accounts(&self, _p: Permit, _r: &str) -> Result<AccountsView, CommandError> { Err(NO) }
}
