//! How an answer, or the lack of one, becomes a disposition.
//!
//! | what came back | nothing can have had an effect | something can |
//! | --- | --- | --- |
//! | 401, 407, 403 | `unauthorized` | `unauthorized` |
//! | 408, 425, 429 | `retry` | this request had none: `retry`, unless an earlier one of the same call had: `unknown` |
//! | 503 | `retry` with `Retry-After`, else `unavailable` | the same, or `unknown` after an earlier write |
//! | any other 5xx | `retry` | `unknown` |
//! | 3xx | `unavailable`: the endpoint's URL is wrong | the same |
//! | any other 4xx | `reject` | `reject` |
//! | no connection | `unavailable` | nothing was sent: the same, or `unknown` after an earlier write |
//! | time-out, broken connection | `retry` | `unknown` |
//! | too large | `reject` | `unknown` |
//! | refused by the hub | `reject` | `reject` |
//!
//! A request whose function can't be repeated safely ([`crate::Call::unrepeatable`]) is doubted further: whoever stands
//! before the outside system may answer in its place once it has taken effect. 408, 3xx and every 5xx are `unknown`; only
//! 429, 425 and 503 with `Retry-After`, with which the outside system itself refuses, stay `retry`.
//!
//! The adapter says what happened; the hub alone decides when to try again.

use crate::http::HttpFailure;
use crate::types::{Disposition, Reject, Retry};

/// What can have had an effect when an answer arrives or fails to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// An earlier request of the same call was a write that was answered.
    pub earlier: bool,
    /// The request in question is a write.
    pub this: bool,
    /// … which, done twice, has two effects that nothing can tell apart.
    pub unrepeatable: bool,
}

/// What an outside system says of a refusal, as far as it is fit to be shown and kept: codes, never free text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The outside system's own code, for example `error.msg.client.duplicate.externalId`.
    pub code: Option<String>,
    /// The field of the profile or message, as a JSON Pointer.
    pub field: Option<String>,
}

/// Longer codes are not codes.
const LONGEST_CODE: usize = 160;

impl Refusal {
    /// A refusal with a code, where that looks like one: printable ASCII without spaces at the ends, and not long.
    #[must_use]
    pub fn coded(code: &str, field: Option<&str>) -> Self {
        let fit = !code.is_empty() && code.len() <= LONGEST_CODE && code.bytes().all(|byte| byte.is_ascii_graphic());
        Self { code: fit.then(|| code.to_owned()), field: field.map(str::to_owned) }
    }
}

/// What to make of an answer's status, given that it is no success. `what` names the request, for example `POST /clients`.
#[must_use]
pub fn of_status(
    status: u16,
    retry_after_ms: Option<u64>,
    effect: Effect,
    what: &str,
    refusal: Refusal,
) -> Disposition {
    let why = match &refusal.code {
        Some(code) => format!("{what} answered {status} {code}"),
        None => format!("{what} answered {status}"),
    };
    match status {
        401 | 403 | 407 => Disposition::Unauthorized(why),
        300..=399 | 408 | 500.. if effect.unrepeatable && !(status == 503 && retry_after_ms.is_some()) => {
            Disposition::Unknown(why)
        }
        408 | 425 | 429 | 503 if effect.earlier => Disposition::Unknown(why),
        408 | 425 | 429 => retry(retry_after_ms, why),
        503 if retry_after_ms.is_some() => retry(retry_after_ms, why),
        503 => Disposition::Unavailable(why),
        500.. if effect.earlier || effect.this => Disposition::Unknown(why),
        500.. => retry(retry_after_ms, why),
        300..=399 => {
            Disposition::Unavailable(format!("{why}, a redirect, which is never followed; check the endpoint's url"))
        }
        _ => Disposition::Reject(Reject { why, field: refusal.field }),
    }
}

/// What to make of a request without an answer.
#[must_use]
pub fn of_failure(failure: HttpFailure, effect: Effect, what: &str) -> Disposition {
    let lost = effect.earlier || effect.this;
    match failure {
        HttpFailure::UnknownEndpoint(why) => Disposition::Unavailable(why),
        HttpFailure::Refused(why) => reject(format!("{what} was refused by the hub: {why}")),
        HttpFailure::Connect(why) if effect.earlier => Disposition::Unknown(format!("{what}: no connection: {why}")),
        HttpFailure::Connect(why) => Disposition::Unavailable(format!("{what}: no connection: {why}")),
        HttpFailure::TimedOut if lost => Disposition::Unknown(format!("{what} was not answered in time")),
        HttpFailure::TimedOut => retry(None, format!("{what} was not answered in time")),
        HttpFailure::Interrupted(why) if lost => Disposition::Unknown(format!("{what} was interrupted: {why}")),
        HttpFailure::Interrupted(why) => retry(None, format!("{what} was interrupted: {why}")),
        HttpFailure::TooLarge if lost => {
            Disposition::Unknown(format!("{what} was answered with more than the hub allows"))
        }
        HttpFailure::TooLarge => retry(None, format!("{what} was answered with more than the hub allows")),
    }
}

/// What to make of a success that can't be read.
pub(crate) fn of_nonsense(effect: Effect, what: &str, why: &str) -> Disposition {
    let why = format!("{what} was answered with what makes no sense: {why}");
    if effect.earlier || effect.this { Disposition::Unknown(why) } else { retry(None, why) }
}

fn retry(after_ms: Option<u64>, why: String) -> Disposition {
    Disposition::Retry(Retry { after_ms, why })
}

/// It will never work as it is.
#[must_use]
pub fn reject(why: impl Into<String>) -> Disposition {
    Disposition::Reject(Reject { why: why.into(), field: None })
}

/// The outside system can't be used as a whole, for example for want of a setting: no client is to blame.
#[must_use]
pub fn unavailable(why: impl Into<String>) -> Disposition {
    Disposition::Unavailable(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Effect = Effect { earlier: false, this: false, unrepeatable: false };
    const WRITE: Effect = Effect { earlier: false, this: true, unrepeatable: false };
    const AFTER_A_WRITE: Effect = Effect { earlier: true, this: false, unrepeatable: false };
    const ONCE: Effect = Effect { earlier: false, this: true, unrepeatable: true };

    fn name(disposition: &Disposition) -> &'static str {
        match disposition {
            Disposition::Retry(_) => "retry",
            Disposition::Unknown(_) => "unknown",
            Disposition::Reject(_) => "reject",
            Disposition::Unauthorized(_) => "unauthorized",
            Disposition::Unavailable(_) => "unavailable",
        }
    }

    fn row(status: u16, after: Option<u64>) -> [&'static str; 3] {
        [READ, WRITE, AFTER_A_WRITE].map(|effect| name(&of_status(status, after, effect, "x", Refusal::default())))
    }

    #[test]
    fn statuses_become_dispositions() {
        assert_eq!(row(400, None), ["reject"; 3]);
        assert_eq!(row(404, None), ["reject"; 3]);
        assert_eq!(row(409, None), ["reject"; 3]);
        assert_eq!(row(401, None), ["unauthorized"; 3]);
        assert_eq!(row(403, None), ["unauthorized"; 3]);
        assert_eq!(row(302, None), ["unavailable"; 3]);
        assert_eq!(row(429, Some(1)), ["retry", "retry", "unknown"]);
        assert_eq!(row(429, None), ["retry", "retry", "unknown"]);
        assert_eq!(row(503, Some(1)), ["retry", "retry", "unknown"]);
        assert_eq!(row(503, None), ["unavailable", "unavailable", "unknown"]);
        assert_eq!(row(500, None), ["retry", "unknown", "unknown"]);
        assert_eq!(row(504, None), ["retry", "unknown", "unknown"]);
        assert_eq!(row(999, None), ["retry", "unknown", "unknown"]);
        assert_eq!(row(0, None), ["reject"; 3]);
    }

    #[test]
    fn what_must_not_happen_twice_is_doubted() {
        let once = |status, after| name(&of_status(status, after, ONCE, "x", Refusal::default()));
        for status in [302, 307, 408, 500, 502, 503, 504] {
            assert_eq!(once(status, None), "unknown", "{status}");
        }
        assert_eq!([once(429, None), once(429, Some(1)), once(503, Some(1))], ["retry"; 3]);
        assert_eq!(once(502, Some(1)), "unknown");
        assert_eq!([once(401, None), once(403, None)], ["unauthorized"; 2]);
        assert_eq!([once(400, None), once(404, None), once(422, None)], ["reject"; 3]);
    }

    #[test]
    fn failures_become_dispositions() {
        let row = |failure: HttpFailure| {
            [READ, WRITE, AFTER_A_WRITE].map(|effect| name(&of_failure(failure.clone(), effect, "x")))
        };
        assert_eq!(row(HttpFailure::TimedOut), ["retry", "unknown", "unknown"]);
        assert_eq!(row(HttpFailure::Interrupted("reset".into())), ["retry", "unknown", "unknown"]);
        assert_eq!(row(HttpFailure::Connect("refused".into())), ["unavailable", "unavailable", "unknown"]);
        assert_eq!(row(HttpFailure::TooLarge), ["retry", "unknown", "unknown"]);
        assert_eq!(row(HttpFailure::Refused("path".into())), ["reject"; 3]);
        assert_eq!(row(HttpFailure::UnknownEndpoint("api".into())), ["unavailable"; 3]);
    }

    #[test]
    fn the_wait_and_the_code_are_passed_on() {
        let refusal = Refusal::coded("error.msg.busy", None);
        let expected = Retry { after_ms: Some(7000), why: "POST /clients answered 429 error.msg.busy".into() };
        assert_eq!(of_status(429, Some(7000), WRITE, "POST /clients", refusal), Disposition::Retry(expected));
    }

    #[test]
    fn free_text_is_no_code() {
        assert_eq!(Refusal::coded("Client Jane Doe exists", None).code, None);
        assert_eq!(Refusal::coded(&"x".repeat(161), None).code, None);
    }
}
