//! The way to the outside system: requests through the hub, and what their answers mean for the delivery.
//!
//! | what came back | nothing can have had an effect | something can |
//! | --- | --- | --- |
//! | 401, 403 | `unauthorized` | `unauthorized` |
//! | 408, 425, 429 | `retry`, with `Retry-After` | this request had none: `retry`; after an earlier write: `unknown` |
//! | 503 | `retry` with `Retry-After`, else `unavailable` | the same; after an earlier write: `unknown` |
//! | another 5xx, no answer in time, nonsense | `retry` | `unknown` |
//! | a redirect | `unavailable` | `unavailable` |
//! | another 4xx | `reject` | `reject` |
//! | no connection | `unavailable` | the same; after an earlier write: `unknown` |

use serde_json::Value;

use crate::bindings::backoffice::adapter::http::{self, HttpFailure, Method, Pair, Request};
use crate::bindings::backoffice::adapter::types::{Disposition, Reject, Retry};

/// The requests of one call. It remembers whether one of them has changed something: from then on no failure may be
/// told as one that surely had no effect.
#[derive(Default)]
pub struct Outside {
    written: bool,
}

impl Outside {
    /// Reads.
    pub fn get(&mut self, path: &str, query: &[(&str, &str)]) -> Result<Value, Disposition> {
        self.send(Method::Get, path, query, None, None)
    }

    /// Writes, under the idempotency key of the delivery where the outside system knows one.
    pub fn write(&mut self, method: Method, path: &str, key: Option<&str>, body: &Value) -> Result<Value, Disposition> {
        self.send(method, path, &[], key, Some(body))
    }

    fn send(
        &mut self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, Disposition> {
        let effect = Effect { earlier: self.written, this: !matches!(method, Method::Get | Method::Head) };
        let mut headers = vec![pair("accept", "application/json")];
        headers.extend(body.map(|_| pair("content-type", "application/json")));
        headers.extend(key.map(|key| pair("idempotency-key", key)));
        let request = Request {
            endpoint: "api".to_owned(),
            method,
            path: path.to_owned(),
            query: query.iter().map(|(name, value)| pair(name, value)).collect(),
            headers,
            body: body.map(|body| body.to_string().into_bytes()),
        };
        let answer = http::send(&request).map_err(|failure| no_answer(failure, effect))?;
        if !(200..300).contains(&answer.status) {
            let after = answer.headers.iter().find(|header| header.name == "retry-after");
            let after = after.and_then(|header| header.value.parse::<u64>().ok()).map(|seconds| seconds.saturating_mul(1000));
            return Err(judge(answer.status, after, effect));
        }
        self.written |= effect.this;
        if answer.body.is_empty() && effect.this {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).map_err(|_| nonsense(effect))
    }

    /// What to say of an answer that lacks what has to be there.
    pub fn nonsense(&self) -> Disposition {
        nonsense(Effect { earlier: self.written, this: false })
    }
}

/// What can have had an effect when an answer arrives or fails to.
#[derive(Clone, Copy)]
pub struct Effect {
    /// An earlier request of this call.
    pub earlier: bool,
    /// The request in question.
    pub this: bool,
}

/// What an answer means that is no success.
pub fn judge(status: u16, after_ms: Option<u64>, effect: Effect) -> Disposition {
    let why = format!("it answered {status}");
    match status {
        401 | 403 | 407 => Disposition::Unauthorized(why),
        408 | 425 | 429 | 503 if effect.earlier => Disposition::Unknown(why),
        408 | 425 | 429 => Disposition::Retry(Retry { after_ms, why }),
        503 if after_ms.is_some() => Disposition::Retry(Retry { after_ms, why }),
        503 => Disposition::Unavailable(why),
        500.. if effect.earlier || effect.this => Disposition::Unknown(why),
        500.. => Disposition::Retry(Retry { after_ms, why }),
        300..=399 => Disposition::Unavailable(format!("{why}, a redirect; check the endpoint's url")),
        _ => Disposition::Reject(Reject { why, field: None }),
    }
}

/// What the lack of an answer means.
pub fn no_answer(failure: HttpFailure, effect: Effect) -> Disposition {
    let lost = effect.earlier || effect.this;
    match failure {
        HttpFailure::UnknownEndpoint(why) => Disposition::Unavailable(why),
        HttpFailure::Refused(why) => Disposition::Reject(Reject { why, field: None }),
        HttpFailure::Connect(why) if effect.earlier => Disposition::Unknown(why),
        HttpFailure::Connect(why) => Disposition::Unavailable(why),
        HttpFailure::TimedOut if lost => Disposition::Unknown("no answer in time".to_owned()),
        HttpFailure::Interrupted(why) if lost => Disposition::Unknown(why),
        HttpFailure::TooLarge if lost => Disposition::Unknown("the answer is too large".to_owned()),
        HttpFailure::TimedOut => Disposition::Retry(Retry { after_ms: None, why: "no answer in time".to_owned() }),
        HttpFailure::Interrupted(why) => Disposition::Retry(Retry { after_ms: None, why }),
        HttpFailure::TooLarge => Disposition::Unavailable("the answer is too large".to_owned()),
    }
}

fn nonsense(effect: Effect) -> Disposition {
    let why = "the answer makes no sense".to_owned();
    if effect.earlier || effect.this {
        Disposition::Unknown(why)
    } else {
        Disposition::Retry(Retry { after_ms: None, why })
    }
}

#[allow(dead_code, reason = "not every world has ids in its paths")]
/// A part of a path, percent-encoded (RFC 3986).
pub fn segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A text of an answer.
pub fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn pair(name: &str, value: &str) -> Pair {
    Pair { name: name.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Effect = Effect { earlier: false, this: false };
    const WRITE: Effect = Effect { earlier: false, this: true };
    const LATER: Effect = Effect { earlier: true, this: false };

    #[test]
    fn a_lost_write_is_never_called_harmless() {
        assert!(matches!(judge(500, None, READ), Disposition::Retry(_)));
        assert!(matches!(judge(500, None, WRITE), Disposition::Unknown(_)));
        assert!(matches!(no_answer(HttpFailure::TimedOut, WRITE), Disposition::Unknown(_)));
        assert!(matches!(no_answer(HttpFailure::Connect(String::new()), WRITE), Disposition::Unavailable(_)));
        assert!(matches!(judge(429, Some(1000), LATER), Disposition::Unknown(_)));
    }

    #[test]
    fn the_wait_that_was_asked_for_is_handed_on() {
        let Disposition::Retry(retry) = judge(429, Some(7000), WRITE) else { panic!("no retry") };
        assert_eq!(retry.after_ms, Some(7000));
    }

    #[test]
    fn a_segment_cannot_leave_its_path() {
        assert_eq!(segment("../a b/é"), "..%2Fa%20b%2F%C3%A9");
    }
}
