//! An answer of an outside system, with what is needed to judge it.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::disposition::{Effect, Refusal, of_nonsense, of_status};
use crate::http::Response;
use crate::time::{parse_http_date, retry_after_ms};
use crate::types::Disposition;

/// An answer of any status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(crate) response: Response,
    pub(crate) effect: Effect,
    /// The request, for example `POST /clients`, without its query, which may hold personal data.
    pub(crate) what: String,
}

impl Answer {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.response.status)
    }

    /// The first header of a name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.response.headers.iter();
        headers.find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    }

    /// When the outside system answered, by its own clock.
    #[must_use]
    pub fn date(&self) -> Option<DateTime<Utc>> {
        self.header("date").and_then(parse_http_date)
    }

    /// The body, read as JSON, where it is one.
    #[must_use]
    pub fn try_json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.response.body).ok()
    }

    /// The body of a success, read as JSON.
    ///
    /// # Errors
    /// A body that does not read: `unknown` for a write, since it may have had its effect, `retry` for a read.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Disposition> {
        serde_json::from_slice(&self.response.body).map_err(|error| {
            // Not the error's own text: it may quote the body.
            let why = format!("line {}, column {} of {} bytes", error.line(), error.column(), self.response.body.len());
            of_nonsense(self.effect, &self.what, &why)
        })
    }

    /// The answer, where it is a success.
    ///
    /// # Errors
    /// The disposition of any other status, with the code and field that `read` finds in the body.
    pub fn success(self, read: impl FnOnce(&Self) -> Refusal) -> Result<Self, Disposition> {
        if self.is_success() { Ok(self) } else { Err(self.disposition(read(&self))) }
    }

    /// The answer to a question of which only that it is one matters.
    ///
    /// # Errors
    /// As `json`: whoever stands before the outside system may answer with a page of its own.
    pub fn read(&self) -> Result<(), Disposition> {
        self.json::<serde::de::IgnoredAny>().map(|_| ())
    }

    /// What to make of this answer, taken as a failure.
    #[must_use]
    pub fn disposition(&self, refusal: Refusal) -> Disposition {
        let after = self.header("retry-after").and_then(|value| retry_after_ms(value, self.date()));
        of_status(self.response.status, after, self.effect, &self.what, refusal)
    }

    /// A success that lacks what has to be there.
    #[must_use]
    pub fn nonsense(&self, why: &str) -> Disposition {
        of_nonsense(self.effect, &self.what, why)
    }

    /// The request that this answers, for a text of one's own.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}
