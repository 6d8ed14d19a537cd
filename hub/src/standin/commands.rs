//! Stand-in until the commands are merged.
#![allow(missing_docs, dead_code, clippy::unused_async)]
use std::sync::Arc;
use super::command::{Answer, CommandError, Meta, PinResetView, Upload, AccountsView};
use crate::access::Permit;
use crate::domain::validate::Draft;
use crate::domain::validate::body::{ActivateBody, LockBody, ResetPinBody, ReviewBody, TransferBody};
use crate::state::{ClientRecord, DeviceRecord};
#[derive(Clone)] pub struct Commands;
type Outcome<T> = Result<Answer<T>, CommandError>;
const NO: CommandError = CommandError::Overloaded;
impl Commands {
 pub async fn create(&self, _p: Permit, _m: Meta, _d: Draft) -> Outcome<Arc<ClientRecord>> { Err(NO) }
 pub async fn edit(&self, _p: (Permit, Meta), _r: &str, _i: Option<u64>, _d: Draft) -> Outcome<Arc<ClientRecord>> { Err(NO) }
 pub async fn archive(&self, _p: (Permit, Meta), _r: &str, _i: Option<u64>, _w: Option<String>) -> Outcome<Arc<ClientRecord>> { Err(NO) }
 pub async fn star(&self, _p: Permit, _m: Meta, _r: &str, _s: Option<bool>) -> Outcome<bool> { Err(NO) }
 pub async fn lock(&self, _p: Permit, _m: Meta, _b: LockBody) -> Outcome<Arc<DeviceRecord>> { Err(NO) }
 pub async fn transfer(&self, _p: Permit, _m: Meta, _b: TransferBody) -> Outcome<Arc<DeviceRecord>> { Err(NO) }
 pub async fn activate(&self, _p: Permit, _m: Meta, _b: ActivateBody) -> Outcome<Arc<DeviceRecord>> { Err(NO) }
 pub async fn reset_pin(&self, _p: Permit, _m: Meta, _b: ResetPinBody) -> Outcome<PinResetView> { Err(NO) }
 pub async fn review(&self, _p: Permit, _m: Meta, _r: &str, _b: ReviewBody) -> Outcome<Arc<ClientRecord>> { Err(NO) }
 pub async fn submit_document(&self, _p: Permit, _m: Meta, _r: &str, _u: Upload) -> Outcome<crate::domain::kyc::Document> { Err(NO) }
 pub async fn accounts(&self, _p: &Permit, _r: &str) -> Result<Arc<AccountsView>, CommandError> { Err(NO) }
}
