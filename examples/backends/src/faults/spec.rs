//! A fault as a test writes it down, and whether it can be carried out.

use http::{Method, StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::answer::{Break, BrokenAnswer};

const MAX_DELAY_MS: u64 = 600_000;
const MAX_HUGE_BYTES: u64 = 1 << 30;
const DEFAULT_HUGE_BYTES: u64 = 64 << 20;
const MAX_FAULTS: usize = super::MAX_FAULTS;

/// Why a fault was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// `delay` without `ms`, or with too much of it.
    #[error("a delay needs \"ms\", at most {MAX_DELAY_MS}")]
    Delay,
    /// `fail` without a status, or with one that is none.
    #[error("a failure needs \"status\", from 400 to 599")]
    Status,
    /// Not a probability.
    #[error("\"probability\" is a number above 0 and up to 1")]
    Probability,
    /// A count that could never match.
    #[error("\"count\" is at least 1")]
    Count,
    /// Too large an answer.
    #[error("\"bytes\" is at most {MAX_HUGE_BYTES}")]
    Bytes,
    /// Too many faults at once.
    #[error("at most {MAX_FAULTS} faults at once; clear some first")]
    TooMany,
}

/// What kind of disturbance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Wait.
    Delay,
    /// Answer with a status of the 4xx or 5xx kind.
    Fail,
    /// Reset the connection.
    Reset,
    /// Let it take effect, then reset the connection.
    LoseAnswer,
    /// Answer 200 with something that the API never answers.
    Nonsense,
}

/// What kind of nonsense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A page of HTML.
    #[default]
    NotJson,
    /// JSON, but of a shape that means nothing.
    WrongShape,
    /// JSON that never seems to end.
    Huge,
}

/// A fault as a test writes it down.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultSpec {
    /// What to do.
    pub kind: Kind,
    /// How long to wait, in milliseconds, for a `delay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The status of a `fail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `Retry-After` of a `fail`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// The form of a `nonsense`.
    #[serde(default)]
    pub form: Form,
    /// The size of a `huge` nonsense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Whether the request takes effect first.
    #[serde(default)]
    pub after_effect: bool,
    /// Only requests of this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path and query contain this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How likely it is for each request that matches; left out: certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// How many requests it hits before it is spent; left out: until it is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl FaultSpec {
    pub(super) fn check(&self) -> Result<(), FaultError> {
        if self.kind == Kind::Delay && self.ms.is_none_or(|ms| ms > MAX_DELAY_MS) {
            return Err(FaultError::Delay);
        }
        if self.kind == Kind::Fail && !self.status.is_some_and(|status| (400..=599).contains(&status)) {
            return Err(FaultError::Status);
        }
        if self.probability.is_some_and(|probability| !(probability > 0.0 && probability <= 1.0)) {
            return Err(FaultError::Probability);
        }
        if self.count == Some(0) {
            return Err(FaultError::Count);
        }
        if self.bytes.is_some_and(|bytes| bytes > MAX_HUGE_BYTES) {
            return Err(FaultError::Bytes);
        }
        Ok(())
    }

    pub(super) fn matches(&self, method: &Method, uri: &Uri) -> bool {
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        self.method.as_deref().is_none_or(|wanted| method.as_str().eq_ignore_ascii_case(wanted))
            && self.path.as_deref().is_none_or(|part| path.contains(part))
    }

    pub(super) fn breaks(&self) -> Break {
        match self.kind {
            Kind::Fail => Break::Answer(BrokenAnswer::Status {
                status: self.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or_default(),
                retry_after: self.retry_after,
            }),
            Kind::Nonsense => Break::Answer(BrokenAnswer::Nonsense {
                form: self.form,
                bytes: self.bytes.unwrap_or(DEFAULT_HUGE_BYTES),
            }),
            Kind::Delay | Kind::Reset | Kind::LoseAnswer => Break::Reset,
        }
    }
}
