//! How a call ends, and who is to blame where it did not end well.
//!
//! An adapter's own answer (`disposition`) is taken at its word. Where the component itself failed, its word is
//! missing: then the record of what it had sent decides between `retry` and `unknown`.

use std::time::Duration;

use thiserror::Error;

use super::answer::Answer;
use super::bindings::types::Disposition;
use super::call_record::CallRecord;
use super::deadline::Expired;
use super::limits::{self, Denied};
use super::text::one_line;

/// The longest text of an adapter that is handed on, in bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// The longest JSON Pointer of a field, in bytes.
const MAX_FIELD_BYTES: usize = 256;

/// A call that did not succeed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CallError {
    /// It surely had no effect, and is worth trying again.
    #[error("to be tried again: {why}")]
    Retry {
        /// At least this much later, where the outside system said so.
        after: Option<Duration>,
        /// In the adapter's or the host's words.
        why: String,
    },
    /// It may have had an effect.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// It will never work as it is.
    #[error("rejected: {why}")]
    Reject {
        /// In the adapter's words.
        why: String,
        /// JSON Pointer of the field that was refused.
        field: Option<String>,
    },
    /// The outside system refuses the hub's credentials.
    #[error("the hub's credentials were refused: {0}")]
    Unauthorized(String),
    /// The outside system is down as a whole.
    #[error("the outside system is unavailable: {0}")]
    Unavailable(String),
    /// The adapter is not loaded, or quarantined. Nothing was sent.
    #[error("the adapter is down: {0}")]
    Down(String),
    /// No call could begin within the deadline. Nothing was sent.
    #[error("the adapter is busy")]
    Busy,
}

impl CallError {
    /// The outcome's name in logs, metrics and reports.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Retry { .. } => Outcome::Retry,
            Self::Unknown(_) => Outcome::Unknown,
            Self::Reject { .. } => Outcome::Reject,
            Self::Unauthorized(_) => Outcome::Unauthorized,
            Self::Unavailable(_) => Outcome::Unavailable,
            Self::Down(_) => Outcome::Down,
            Self::Busy => Outcome::Busy,
        }
    }
}

impl From<Disposition> for CallError {
    fn from(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Retry(retry) => {
                Self::Retry { after: retry.after_ms.map(Duration::from_millis), why: text(&retry.why) }
            }
            Disposition::Unknown(why) => Self::Unknown(text(&why)),
            Disposition::Reject(reject) => {
                let field = reject.field.map(|field| one_line(&field, MAX_FIELD_BYTES));
                Self::Reject { why: text(&reject.why), field }
            }
            Disposition::Unauthorized(why) => Self::Unauthorized(text(&why)),
            Disposition::Unavailable(why) => Self::Unavailable(text(&why)),
        }
    }
}

fn text(why: &str) -> String {
    one_line(why, MAX_TEXT_BYTES)
}

/// How calls end, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Ok,
    /// [`CallError::Retry`]
    Retry,
    /// [`CallError::Unknown`]
    Unknown,
    /// [`CallError::Reject`]
    Reject,
    /// [`CallError::Unauthorized`]
    Unauthorized,
    /// [`CallError::Unavailable`]
    Unavailable,
    /// [`CallError::Down`]
    Down,
    /// [`CallError::Busy`]
    Busy,
}

impl Outcome {
    /// All but [`Outcome::Ok`].
    pub const FAILURES: [Self; 7] =
        [Self::Retry, Self::Unknown, Self::Reject, Self::Unauthorized, Self::Unavailable, Self::Down, Self::Busy];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Reject => "reject",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
            Self::Down => "down",
            Self::Busy => "busy",
        }
    }
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The component's: it counts towards its quarantine.
    Guest,
    /// The hub's, or the outside system's.
    Host,
}

impl Blame {
    /// `guest` or `host`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Host => "host",
        }
    }
}

/// In what way a component failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A trap, or an answer that makes no sense.
    Trap,
    /// Its time was over.
    Deadline,
    /// It ran into its limits.
    Limit,
    /// The host could not run it.
    Host,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Trap, Self::Deadline, Self::Limit, Self::Host];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Limit => "limit",
            Self::Host => "host",
        }
    }
}

/// A component that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {detail}", kind.as_str())]
pub struct Fault {
    /// In what way.
    pub kind: FaultKind,
    /// Whose fault it is.
    pub blame: Blame,
    /// What happened, for people.
    pub detail: String,
}

impl Fault {
    /// Reads what wasmtime says, and what the limits had refused before.
    pub fn from_error(error: &wasmtime::Error, denied: Option<Denied>, record: &CallRecord) -> Self {
        if error.is::<Expired>() {
            return Self::deadline(record);
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return Self::host(format!("the pool is exhausted: {error}"));
        }
        let cause = text(&error.root_cause().to_string());
        match denied {
            Some(denied) => Self::guest(FaultKind::Limit, denied.to_string()),
            None if limits::is_limit(error) => Self::guest(FaultKind::Limit, cause),
            None => Self::guest(FaultKind::Trap, cause),
        }
    }

    /// Its time was over. To blame is where most of it went: a component that has computed for long is not excused by
    /// a request at the end, nor one that has waited for long charged with what it did after that.
    pub fn deadline(record: &CallRecord) -> Self {
        if record.was_mostly_outside() {
            Self {
                kind: FaultKind::Deadline,
                blame: Blame::Host,
                detail: "its time was over; for most of it it waited for an answer of the outside system".to_owned(),
            }
        } else {
            Self::guest(FaultKind::Deadline, "its time was over; for most of it it computed or slept".to_owned())
        }
    }

    /// What a component answered, where it is within measure.
    ///
    /// # Errors
    /// It is not.
    pub fn unless_measured<T: Answer>(answer: Result<T, Disposition>) -> Result<Result<T, Disposition>, Self> {
        let refused = |why: String| Self::guest(FaultKind::Limit, format!("its answer is refused: {why}"));
        answer.map_or_else(|disposition| Ok(Err(disposition)), |answer| answer.measured().map(Ok).map_err(refused))
    }

    /// The host could not run it.
    pub fn host(detail: String) -> Self {
        Self { kind: FaultKind::Host, blame: Blame::Host, detail }
    }

    fn guest(kind: FaultKind, detail: String) -> Self {
        Self { kind, blame: Blame::Guest, detail }
    }

    /// What the caller is told: whether it may be repeated depends on what had been sent.
    pub fn into_call_error(self, record: &CallRecord) -> CallError {
        let why = format!("the adapter gave no answer ({self})");
        if record.may_have_effect() { CallError::Unknown(why) } else { CallError::Retry { after: None, why } }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_decides_whether_a_fault_may_be_repeated() {
        let record = CallRecord::default();
        let fault = Fault::from_error(&wasmtime::Trap::UnreachableCodeReached.into(), None, &record);
        assert_eq!((fault.kind, fault.blame), (FaultKind::Trap, Blame::Guest));
        assert!(matches!(fault.clone().into_call_error(&record), CallError::Retry { .. }));
        let _effect = record.begin_request(true);
        assert!(matches!(fault.into_call_error(&record), CallError::Unknown(_)));
    }

    #[test]
    fn a_deadline_is_no_limit() {
        let record = CallRecord::default();
        assert_eq!(Fault::deadline(&record).blame, Blame::Guest);
        let expired = Fault::from_error(&wasmtime::Error::new(Expired), Some(Denied::Memory(1 << 20)), &record);
        assert_eq!((expired.kind, expired.blame), (FaultKind::Deadline, Blame::Guest));
    }

    #[test]
    fn a_trap_after_a_refused_growth_is_a_limit() {
        let denied = Some(Denied::Memory(64 << 20));
        let fault = Fault::from_error(&wasmtime::Trap::UnreachableCodeReached.into(), denied, &CallRecord::default());
        assert_eq!(fault.kind, FaultKind::Limit);
        assert!(fault.detail.contains("64 MiB"), "{fault}");
    }
}
