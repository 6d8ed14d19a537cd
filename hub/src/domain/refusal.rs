//! Why a command that was understood and allowed is refused: the closed list of states that stand in its way.

use thiserror::Error;

/// A command that the state does not allow. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such client in the organisation.
    #[error("there is no such client")]
    ClientNotFound,
    /// No such device in the organisation.
    #[error("there is no such device")]
    DeviceNotFound,
    /// No such delivery is set aside; it may have been decided on already.
    #[error("no such delivery is set aside")]
    DeliveryNotFound,
    /// The life cycle has no such step.
    #[error("a client that is {from} can't become {to}; from {from} {allowed}")]
    InvalidTransition {
        /// Where it stands.
        from: &'static str,
        /// What was asked.
        to: &'static str,
        /// What would be possible, as a phrase.
        allowed: &'static str,
    },
    /// A screening is decided on only while it is in review.
    #[error("only a screening in review can be decided on; this one is {0}")]
    NotInReview(&'static str),
    /// A screening that spoke of other data decides nothing.
    #[error("the client has changed since it was screened; it is screened again first")]
    ChangedSinceScreened,
    /// An archived or erased client does not change.
    #[error("the client is archived and can't be changed")]
    ClientArchived,
    /// The caller named an older version.
    #[error("the client is at version {actual}, not {expected}")]
    VersionMismatch {
        /// What `If-Match` named.
        expected: u64,
        /// What it is.
        actual: u64,
    },
    /// Only an administrator may change who a client is assigned to.
    #[error("only an administrator may change assignedTo")]
    AssignmentForbidden,
    /// A field that is for ever.
    #[error("{0} can't be changed")]
    Immutable(&'static str),
    /// A locked device can't be activated.
    #[error("the device is locked")]
    DeviceLocked,
    /// `from` is not the owner.
    #[error("the device does not belong to the client named in from")]
    DeviceNotOwned,
    /// Devices move to active clients only.
    #[error("the client named in to is {0}, not active")]
    TargetNotActive(&'static str),
}
