//! The commands of a Fineract client's life cycle: what each needs, and from which state it leads where.

use super::client::Status;
use super::errors::{ParameterError, Refusal};

/// A command of the life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Activate,
    Close,
    Reject,
    Withdraw,
    Reactivate,
}

impl Command {
    pub fn named(name: &str) -> Result<Self, Refusal> {
        match name {
            "activate" => Ok(Command::Activate),
            "close" => Ok(Command::Close),
            "reject" => Ok(Command::Reject),
            "withdraw" => Ok(Command::Withdraw),
            "reactivate" => Ok(Command::Reactivate),
            other => Err(Refusal::unknown_command(other)),
        }
    }

    /// Fineract's name of the action, under which an idempotency key is kept.
    pub fn action(self) -> &'static str {
        match self {
            Command::Activate => "ACTIVATE",
            Command::Close => "CLOSE",
            Command::Reject => "REJECT",
            Command::Withdraw => "WITHDRAW",
            Command::Reactivate => "REACTIVATE",
        }
    }

    /// Its date, and its reason where it needs one.
    pub fn parameters(self) -> (&'static str, Option<&'static str>) {
        match self {
            Command::Activate => ("activationDate", None),
            Command::Close => ("closureDate", Some("closureReasonId")),
            Command::Reject => ("rejectionDate", Some("rejectionReasonId")),
            Command::Withdraw => ("withdrawalDate", Some("withdrawalReasonId")),
            Command::Reactivate => ("reactivationDate", None),
        }
    }

    pub fn effect(self) -> &'static str {
        match self {
            Command::Activate => "client.activated",
            Command::Close => "client.closed",
            Command::Reject => "client.rejected",
            Command::Withdraw => "client.withdrawn",
            Command::Reactivate => "client.reactivated",
        }
    }

    /// The state that follows, or why it can't.
    pub fn after(self, status: Status) -> Result<Status, Refusal> {
        let refuse = |action: &str, postfix: &str, message| {
            Err(Refusal::rule(format!("error.msg.client.{action}.{postfix}"), message))
        };
        match (self, status) {
            (Command::Activate, Status::Active) => {
                let message = "Cannot activate client. Client is already active.";
                let error = ParameterError::new("error.msg.clients.already.active", message, "activationDate");
                Err(Refusal::validation(vec![error]))
            }
            (Command::Activate, Status::Pending) => Ok(Status::Active),
            (Command::Activate, _) => refuse("activate", "is.not.pending", "Only pending clients may be activated."),
            (Command::Close, Status::Closed) => refuse("close", "is.already.closed", "Client is already closed."),
            (Command::Close, _) => Ok(Status::Closed),
            (Command::Reject, Status::Pending) => Ok(Status::Rejected),
            (Command::Reject, _) => refuse(
                "rejection",
                "on.account.not.in.pending.activation.status",
                "Only clients pending activation may be rejected.",
            ),
            (Command::Withdraw, Status::Pending) => Ok(Status::Withdrawn),
            (Command::Withdraw, _) => refuse(
                "withdrawal",
                "on.account.not.in.pending.activation.status",
                "Only clients pending activation may be withdrawn.",
            ),
            (Command::Reactivate, Status::Closed) => Ok(Status::Pending),
            (Command::Reactivate, _) => {
                refuse("reactivation", "on.nonclosed.account", "Only closed clients may be reactivated.")
            }
        }
    }
}
