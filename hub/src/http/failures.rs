//! Failures of the layers below, in the words of the contract. Each kind is mapped here and nowhere else.

use std::time::Duration;

use super::problem::{Code, Problem};
use super::request::not_found;
use crate::access::{Denied, TokenError};
use crate::actors::command::CommandError;
use crate::domain::refusal::Refusal;
use crate::domain::validate::FieldError;

/// When to come again after an overload or a restart.
const SOON: Duration = Duration::from_secs(1);
/// When to come again where something outside has to recover.
const LATER: Duration = Duration::from_secs(5);

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Missing => token_missing(),
            TokenError::Expired => Self::new(Code::TokenExpired, "the token has expired; get a new one")
                .challenge("invalid_token", "the token has expired"),
            TokenError::Invalid(log) => Self::new(Code::TokenInvalid, "the token is not accepted here")
                .challenge("invalid_token", "the token is not accepted")
                .because(log),
        }
    }
}

/// No token at all.
#[must_use]
pub fn token_missing() -> Problem {
    Problem::new(Code::TokenMissing, "send Authorization: Bearer and a token")
        .challenge("invalid_request", "a bearer token is needed")
}

impl From<Denied> for Problem {
    fn from(denial: Denied) -> Self {
        let action = denial.action.as_str();
        let detail = match (&denial.policy, denial.field) {
            (Some(policy), _) => format!("{policy} does not allow you {action}"),
            (None, Some(field)) => format!("none of your roles may change {field}; RP001 may"),
            (None, None) => format!("none of your roles grants {action}"),
        };
        let problem = Self::new(Code::Forbidden, detail)
            .with("action", action)
            .with("decisionId", denial.decision_id.to_string());
        match denial.policy {
            Some(policy) => problem.with("policy", policy),
            None => problem,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let code = match refusal {
            Refusal::ClientNotFound => return not_found(Code::ClientNotFound),
            Refusal::DeviceNotFound => return not_found(Code::DeviceNotFound),
            Refusal::DeliveryNotFound => return not_found(Code::DeliveryNotFound),
            Refusal::Immutable(pointer) => {
                let detail = format!("{} can't be changed", pointer.trim_start_matches('/'));
                return Self::fields(vec![FieldError { pointer: pointer.to_owned(), code: "immutable", detail }]);
            }
            Refusal::VersionMismatch { actual, .. } => {
                return Self::new(Code::VersionMismatch, format!("the client is at version {actual}; read it again"));
            }
            Refusal::AssignmentForbidden => Code::Forbidden,
            Refusal::InvalidTransition { .. } | Refusal::NotInReview(_) | Refusal::ChangedSinceScreened => {
                Code::InvalidTransition
            }
            Refusal::ClientArchived => Code::ClientArchived,
            Refusal::DeviceLocked => Code::DeviceLocked,
            Refusal::DeviceNotOwned => Code::DeviceNotOwned,
            Refusal::TargetNotActive(_) => Code::TargetNotActive,
        };
        Self::new(code, detail)
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Denied(denial) => (*denial).into(),
            CommandError::DuplicateClient => {
                Self::new(Code::DuplicateClient, "a client that is not archived has the same number and country")
            }
            CommandError::DuplicateReference => {
                Self::new(Code::DuplicateReference, "another client has this externalReference")
            }
            CommandError::HasOpenAccounts => {
                Self::new(Code::ClientHasOpenAccounts, "core banking reports accounts with a balance")
            }
            CommandError::OnboardingInProgress => {
                Self::new(Code::OnboardingInProgress, "the customer is being created in core banking; come again")
            }
            CommandError::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "this Idempotency-Key was used with another body or route")
            }
            CommandError::InProgress => {
                Self::new(Code::RequestInProgress, "come again when the first request has been answered")
                    .retry_after(SOON)
            }
            CommandError::Overloaded => Self::new(Code::Overloaded, "nothing was done; come again").retry_after(SOON),
            CommandError::Restarting => Self::new(Code::Restarting, "nothing was done; come again").retry_after(SOON),
            CommandError::StorageUnavailable => {
                Self::new(Code::StorageUnavailable, "reading goes on; come again").retry_after(LATER)
            }
            CommandError::ShuttingDown => {
                Self::new(Code::ShuttingDown, "nothing was done; come again").retry_after(LATER)
            }
            CommandError::TooLarge => Self::new(Code::BodyTooLarge, "the client is too large to be kept"),
            CommandError::AdapterUnavailable { adapter, retry_after } => {
                Self::new(Code::AdapterUnavailable, format!("{adapter} can't be asked at the moment"))
                    .with("adapter", adapter)
                    .retry_after(retry_after.unwrap_or(LATER))
            }
        }
    }
}
