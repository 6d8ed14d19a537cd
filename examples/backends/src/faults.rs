//! Disturbances that a test switches on: which requests they hit, and what then happens to them.
//!
//! A fault knows nothing of what a system does; it only says what to do before, instead of or after it. `afterEffect`
//! is the difference that matters to a client: the same broken answer, but the effect is there.
//!
//! As JSON, all but `kind` optional:
//!
//! ```json
//! {"kind": "delay", "ms": 500}
//! {"kind": "fail", "status": 503, "retryAfter": 2}
//! {"kind": "reset"}
//! {"kind": "lose-answer"}
//! {"kind": "nonsense", "form": "not-json | wrong-shape | huge", "bytes": 67108864}
//! ```
//!
//! with `"method": "POST"`, `"path": "/clients"` (a part of path and query), `"probability": 0.1`, `"count": 3` and
//! `"afterEffect": true` beside them.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode, Uri};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use warp::reply::{Reply, Response};

use crate::System;

const MAX_DELAY_MS: u64 = 600_000;
const MAX_HUGE_BYTES: u64 = 1 << 30;
const DEFAULT_HUGE_BYTES: u64 = 64 << 20;
const MAX_FAULTS: usize = 256;
/// A huge answer is made of pieces of this size, so that it is never in memory as a whole.
const PIECE_BYTES: usize = 64 << 10;

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
    fn check(&self) -> Result<(), FaultError> {
        if self.kind == Kind::Delay && !self.ms.is_some_and(|ms| ms <= MAX_DELAY_MS) {
            return Err(FaultError::Delay);
        }
        if self.kind == Kind::Fail
            && !self
                .status
                .is_some_and(|status| (400..=599).contains(&status))
        {
            return Err(FaultError::Status);
        }
        if self
            .probability
            .is_some_and(|probability| !(probability > 0.0 && probability <= 1.0))
        {
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

    fn matches(&self, method: &Method, uri: &Uri) -> bool {
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        self.method
            .as_deref()
            .is_none_or(|wanted| method.as_str().eq_ignore_ascii_case(wanted))
            && self.path.as_deref().is_none_or(|part| path.contains(part))
    }

    fn breaks(&self) -> Break {
        match self.kind {
            Kind::Fail => Break::Answer(BrokenAnswer::Status {
                status: self
                    .status
                    .and_then(|status| StatusCode::from_u16(status).ok())
                    .unwrap_or_default(),
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

/// What stands in place of the system's own answer.
#[derive(Clone, Debug)]
pub enum Break {
    /// No answer: the connection is reset.
    Reset,
    /// Another answer.
    Answer(BrokenAnswer),
}

/// An answer that no system gave.
#[derive(Clone, Debug)]
pub enum BrokenAnswer {
    /// As a proxy or an overloaded server answers.
    Status {
        /// The status.
        status: StatusCode,
        /// Seconds for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// Success that makes no sense.
    Nonsense {
        /// Of which form.
        form: Form,
        /// How large, where it is huge.
        bytes: u64,
    },
}

impl BrokenAnswer {
    /// The answer as it goes out.
    #[must_use]
    pub fn response(&self) -> Response {
        match self {
            BrokenAnswer::Status {
                status,
                retry_after,
            } => {
                let mut response = Response::new(Bytes::from_static(b"upstream failure").into());
                *response.status_mut() = *status;
                if let Some(seconds) = retry_after {
                    response
                        .headers_mut()
                        .insert(RETRY_AFTER, HeaderValue::from(*seconds));
                }
                response
            }
            BrokenAnswer::Nonsense {
                form: Form::NotJson,
                ..
            } => fixed("text/html", b"<html><body>Please sign in</body></html>"),
            BrokenAnswer::Nonsense {
                form: Form::WrongShape,
                ..
            } => fixed("application/json", br#"{"unexpected":[1,"two",null]}"#),
            BrokenAnswer::Nonsense {
                form: Form::Huge,
                bytes,
            } => typed("application/json", huge(*bytes)),
        }
    }
}

fn fixed(media_type: &'static str, body: &'static [u8]) -> Response {
    typed(media_type, Response::new(Bytes::from_static(body).into()))
}

fn typed(media_type: &'static str, mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn huge(bytes: u64) -> Response {
    let piece = Bytes::from(vec![b'x'; PIECE_BYTES]);
    let pieces = bytes.div_ceil(PIECE_BYTES as u64);
    let middle = (0..pieces).map(move |_| piece.clone());
    let whole = std::iter::once(Bytes::from_static(b"{\"filler\":\""))
        .chain(middle)
        .chain(std::iter::once(Bytes::from_static(b"\"}")));
    warp::reply::stream(stream::iter(whole.map(Ok::<_, std::io::Error>))).into_response()
}

/// What is to happen to one request.
#[derive(Debug, Default)]
pub struct Plan {
    /// Milliseconds to wait before it takes effect.
    pub before_ms: u64,
    /// What to do in its place.
    pub instead: Option<Break>,
    /// Milliseconds to wait after it took effect.
    pub after_ms: u64,
    /// What to do in place of its answer.
    pub afterwards: Option<Break>,
}

impl Plan {
    fn add(&mut self, spec: &FaultSpec) {
        let after = spec.after_effect || spec.kind == Kind::LoseAnswer;
        match (spec.kind, after) {
            (Kind::Delay, false) => self.before_ms += spec.ms.unwrap_or_default(),
            (Kind::Delay, true) => self.after_ms += spec.ms.unwrap_or_default(),
            (_, false) => self.instead = Some(spec.breaks()),
            (_, true) => self.afterwards = Some(spec.breaks()),
        }
    }

    /// Whether only waiting may still be added: a request breaks in one way.
    fn is_broken(&self) -> bool {
        self.instead.is_some() || self.afterwards.is_some()
    }
}

/// A fault that is switched on.
#[derive(Clone, Debug, Serialize)]
pub struct ActiveFault {
    /// Its number, to know it by.
    pub id: u64,
    /// Which system it disturbs.
    pub system: System,
    /// What it does.
    pub fault: FaultSpec,
    /// How many requests it has hit.
    pub hits: u64,
}

impl ActiveFault {
    fn is_spent(&self) -> bool {
        self.fault.count.is_some_and(|count| self.hits >= count)
    }
}

struct State {
    active: Vec<ActiveFault>,
    last_id: u64,
    chance: StdRng,
}

/// The faults that are switched on.
pub struct Faults {
    state: Mutex<State>,
    /// How many there are, so that an undisturbed request takes no lock.
    number: AtomicUsize,
}

impl Faults {
    /// None; `seed` decides which requests a fault with a probability hits.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State {
            active: Vec::new(),
            last_id: 0,
            chance: StdRng::seed_from_u64(seed),
        };
        Faults {
            state: Mutex::new(state),
            number: AtomicUsize::new(0),
        }
    }

    /// Switches a fault on and says its number.
    ///
    /// # Errors
    /// Where the fault can't be carried out as it is written, or there are too many.
    pub fn add(&self, system: System, fault: FaultSpec) -> Result<u64, FaultError> {
        fault.check()?;
        let mut state = self.state.lock();
        if state.active.len() >= MAX_FAULTS {
            return Err(FaultError::TooMany);
        }
        state.last_id += 1;
        let id = state.last_id;
        state.active.push(ActiveFault {
            id,
            system,
            fault,
            hits: 0,
        });
        self.number.store(state.active.len(), Ordering::Release);
        Ok(id)
    }

    /// Switches off the faults of one system, or of all.
    pub fn clear(&self, system: Option<System>) {
        let mut state = self.state.lock();
        state
            .active
            .retain(|fault| system.is_some_and(|system| fault.system != system));
        self.number.store(state.active.len(), Ordering::Release);
    }

    /// What is switched on and not spent.
    #[must_use]
    pub fn active(&self) -> Vec<ActiveFault> {
        self.state.lock().active.clone()
    }

    /// What is to happen to a request: delays add up, and the first other fault that hits it decides how it breaks.
    #[must_use]
    pub fn plan(&self, system: System, method: &Method, uri: &Uri) -> Plan {
        let mut plan = Plan::default();
        if self.number.load(Ordering::Acquire) == 0 {
            return plan;
        }
        let State { active, chance, .. } = &mut *self.state.lock();
        for fault in active.iter_mut().filter(|fault| fault.system == system) {
            let may_add = fault.fault.kind == Kind::Delay || !plan.is_broken();
            if may_add
                && fault.fault.matches(method, uri)
                && chance.random_bool(fault.fault.probability.unwrap_or(1.0))
            {
                plan.add(&fault.fault);
                fault.hits += 1;
            }
        }
        active.retain(|fault| !fault.is_spent());
        self.number.store(active.len(), Ordering::Release);
        plan
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn spec(json: &str) -> FaultSpec {
        serde_json::from_str(json).unwrap()
    }

    fn plan(faults: &Faults, method: &str, uri: &str) -> Plan {
        faults.plan(
            System::Fineract,
            &method.parse().unwrap(),
            &uri.parse().unwrap(),
        )
    }

    #[test]
    fn a_counted_fault_is_spent() {
        let faults = Faults::new(1);
        faults
            .add(
                System::Fineract,
                spec(r#"{"kind":"reset","count":2,"method":"post","path":"/clients"}"#),
            )
            .unwrap();
        assert!(plan(&faults, "GET", "/fineract/clients").instead.is_none());
        assert!(plan(&faults, "POST", "/fineract/offices").instead.is_none());
        assert!(plan(&faults, "POST", "/fineract/clients").instead.is_some());
        assert!(
            plan(&faults, "POST", "/fineract/clients/1?command=close")
                .instead
                .is_some()
        );
        assert!(plan(&faults, "POST", "/fineract/clients").instead.is_none());
        assert!(faults.active().is_empty());
    }

    #[test]
    fn delays_add_up_and_one_break_wins() {
        let faults = Faults::new(1);
        for json in [
            r#"{"kind":"delay","ms":10}"#,
            r#"{"kind":"lose-answer","count":1}"#,
            r#"{"kind":"fail","status":503,"retryAfter":2}"#,
            r#"{"kind":"delay","ms":5,"afterEffect":true}"#,
        ] {
            faults.add(System::Fineract, spec(json)).unwrap();
        }
        let first = plan(&faults, "GET", "/fineract/offices");
        assert_eq!((first.before_ms, first.after_ms), (10, 5));
        assert!(first.instead.is_none() && matches!(first.afterwards, Some(Break::Reset)));
        let second = plan(&faults, "GET", "/fineract/offices");
        assert!(matches!(
            second.instead,
            Some(Break::Answer(BrokenAnswer::Status {
                retry_after: Some(2),
                ..
            }))
        ));
        faults.clear(Some(System::Scim));
        assert_eq!(faults.active().len(), 3);
        faults.clear(None);
        assert!(plan(&faults, "GET", "/fineract/offices").instead.is_none());
    }

    #[test]
    fn a_fault_that_cannot_be_carried_out_is_refused() {
        let faults = Faults::new(1);
        for json in [
            r#"{"kind":"delay"}"#,
            r#"{"kind":"delay","ms":600001}"#,
            r#"{"kind":"fail","status":200}"#,
            r#"{"kind":"reset","probability":0}"#,
            r#"{"kind":"reset","probability":1.5}"#,
            r#"{"kind":"reset","count":0}"#,
        ] {
            assert!(faults.add(System::Sms, spec(json)).is_err(), "{json}");
        }
        assert!(serde_json::from_str::<FaultSpec>(r#"{"kind":"reset","typo":1}"#).is_err());
    }
}
