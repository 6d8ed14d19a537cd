//! What can be asked of the actors, and what they answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use actix::Message;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

use super::jobs::JobView;
use super::mailbox::MailboxError;
use crate::access::{Denied, Permit};
use crate::domain::kyc::Document;
use crate::domain::parked::{JobStarted, ParkedDelivery};
use crate::domain::refusal::Refusal;
use crate::domain::validate::Draft;
use crate::domain::validate::body::{ActivateBody, LockBody, ResetPinBody, ReviewBody, TransferBody};
use crate::journal::AppendError;
pub use crate::journal::RequestKey;
use crate::state::{ClientRecord, DeviceRecord};
pub use crate::sync::accounts::{Account, AccountsView};
use crate::sync::decide::Ruling;
use crate::sync::documents::Staged;
use crate::telemetry::TraceContext;

/// What is known of a request beside its body.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// `X-Request-Id`.
    pub request_id: String,
    /// Where it came from.
    pub address: Option<String>,
    /// Where it is idempotent.
    pub key: Option<RequestKey>,
}

/// An answer, and whether it was given before.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What to answer with.
    pub value: T,
    /// The same request was answered before; this is that answer.
    pub replayed: bool,
}

impl<T> Answer<T> {
    pub(super) const fn new(value: T) -> Self {
        Self { value, replayed: false }
    }

    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: map(self.value), replayed: self.replayed }
    }
}

/// A file that was handed in (CX003).
#[derive(Debug, Clone)]
pub struct Upload {
    /// For example `passport`.
    pub document_type: String,
    /// As its content shows.
    pub media_type: String,
    /// The file.
    pub content: Bytes,
}

/// A document on its way in, with its content, which is kept only if the command is.
#[derive(Debug)]
pub(super) struct Filing {
    pub document: Document,
    pub content: Staged,
}

/// The answer of CL013.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PinReset)]
pub struct PinResetView {
    /// `PR-…`.
    pub reset_id: String,
    /// `DV-…`.
    pub device: String,
    /// When it was asked for.
    #[serde(with = "crate::domain::moment")]
    pub requested_at: DateTime<Utc>,
    /// Until when it holds.
    #[serde(with = "crate::domain::moment")]
    pub expires_at: DateTime<Utc>,
    /// Where the announcement goes, masked.
    pub sent_to: String,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) enum Order {
    Create(Box<Draft>),
    Edit { if_match: Option<u64>, draft: Box<Draft> },
    Archive { if_match: Option<u64>, reason: Option<String> },
    Review(ReviewBody),
    Document(Arc<Filing>),
    Star(Option<bool>),
    Lock(LockBody),
    Transfer(TransferBody),
    Activate(ActivateBody),
    ResetPin(ResetPinBody),
    Decide(Ruling),
    Job(JobStarted),
}

/// One command on its way to the shard that owns its lane.
#[derive(Message)]
#[rtype(result = "Result<Answer<Done>, CommandError>")]
pub(super) struct Ask {
    /// The client, device, member or delivery that it is about.
    pub lane: String,
    pub permit: Permit,
    pub meta: Meta,
    pub order: Order,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
    /// Where in it the command was given: what the shard logs belongs there.
    pub span: tracing::Span,
    /// Held until the command is done: while it lives, the same idempotent request is answered `request-in-progress`.
    #[expect(dead_code, reason = "what counts is when it is dropped")]
    pub turn: Option<KeyTurn>,
}

/// What a command comes to.
#[derive(Debug, Clone)]
pub(super) enum Done {
    Client(Arc<ClientRecord>),
    Device(Arc<DeviceRecord>),
    Starred(bool),
    Reset(PinResetView),
    Document(Document),
    Delivery(Box<ParkedDelivery>),
    Job(Box<JobView>),
}

/// Why a command was not carried out.
#[derive(Debug, Clone, Error)]
pub enum CommandError {
    /// The state does not allow it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The client moved, and the policy does not allow it any more.
    #[error("the policy does not allow it")]
    Denied(Box<Denied>),
    /// The same company or person is there already.
    #[error("the same company or person is a client already")]
    DuplicateClient,
    /// The external reference is taken.
    #[error("the external reference is taken")]
    DuplicateReference,
    /// Accounts with a balance stand in the way of archiving.
    #[error("core banking reports accounts with a balance")]
    HasOpenAccounts,
    /// The customer is being created in core banking.
    #[error("the customer is being created in core banking")]
    OnboardingInProgress,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The same request is under way.
    #[error("the same request is under way")]
    InProgress,
    /// Too much is waiting.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The actor died with the message; nothing was done.
    #[error("the actor is being restarted")]
    Restarting,
    /// The journal takes no entries.
    #[error("the journal takes no entries")]
    StorageUnavailable,
    /// The hub is stopping.
    #[error("the hub is stopping")]
    ShuttingDown,
    /// An outside system whose answer is needed can't be asked.
    #[error("{adapter} can't be asked")]
    AdapterUnavailable {
        /// Which adapter.
        adapter: &'static str,
        /// When it may be worth trying again.
        retry_after: Option<Duration>,
    },
    /// The entry would be too large.
    #[error("the change is too large to be kept")]
    TooLarge,
}

/// The disk did not take a document.
pub(super) fn not_kept(error: &std::io::Error) -> CommandError {
    tracing::error!(%error, "a document can't be kept");
    CommandError::StorageUnavailable
}

impl From<MailboxError> for CommandError {
    fn from(error: MailboxError) -> Self {
        match error {
            MailboxError::Overloaded => Self::Overloaded,
            MailboxError::Restarting => Self::Restarting,
            MailboxError::Closed => Self::ShuttingDown,
        }
    }
}

impl From<AppendError> for CommandError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Closed => Self::ShuttingDown,
            AppendError::TooLarge { .. } => Self::TooLarge,
            // Still in conflict after several tries: too many want the same thing.
            AppendError::Conflict { .. } => Self::Overloaded,
            AppendError::Claimed { .. } | AppendError::Invalid(_) => {
                tracing::error!(%error, "the journal refused what a command made");
                Self::StorageUnavailable
            }
            AppendError::StorageUnavailable(_) | AppendError::Unknown => Self::StorageUnavailable,
        }
    }
}

/// The idempotent requests that are under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(Arc<Mutex<HashSet<String>>>);

/// One idempotent request's turn; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct KeyTurn {
    keys: Keys,
    key: String,
}

impl Keys {
    /// The turn of this request; none while the same one is under way.
    pub fn begin(&self, key: &str) -> Option<KeyTurn> {
        let new = self.0.lock().insert(key.to_owned());
        new.then(|| KeyTurn { keys: self.clone(), key: key.to_owned() })
    }
}

impl Drop for KeyTurn {
    fn drop(&mut self) {
        self.keys.0.lock().remove(&self.key);
    }
}
