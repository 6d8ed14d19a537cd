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

mod answer;
mod spec;

use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, Uri};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use crate::System;

pub use answer::{Break, BrokenAnswer};
pub use spec::{FaultError, FaultSpec, Form, Kind};

const MAX_FAULTS: usize = 256;

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
        let state = State { active: Vec::new(), last_id: 0, chance: StdRng::seed_from_u64(seed) };
        Faults { state: Mutex::new(state), number: AtomicUsize::new(0) }
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
        state.active.push(ActiveFault { id, system, fault, hits: 0 });
        self.number.store(state.active.len(), Ordering::Release);
        Ok(id)
    }

    /// Switches off the faults of one system, or of all.
    pub fn clear(&self, system: Option<System>) {
        let mut state = self.state.lock();
        state.active.retain(|fault| system.is_some_and(|system| fault.system != system));
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
            if may_add && fault.fault.matches(method, uri) && chance.random_bool(fault.fault.probability.unwrap_or(1.0))
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
        faults.plan(System::Fineract, &method.parse().unwrap(), &uri.parse().unwrap())
    }

    #[test]
    fn a_counted_fault_is_spent() {
        let faults = Faults::new(1);
        faults.add(System::Fineract, spec(r#"{"kind":"reset","count":2,"method":"post","path":"/clients"}"#)).unwrap();
        assert!(plan(&faults, "GET", "/fineract/clients").instead.is_none());
        assert!(plan(&faults, "POST", "/fineract/offices").instead.is_none());
        assert!(plan(&faults, "POST", "/fineract/clients").instead.is_some());
        assert!(plan(&faults, "POST", "/fineract/clients/1?command=close").instead.is_some());
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
        assert!(matches!(second.instead, Some(Break::Answer(BrokenAnswer::Status { retry_after: Some(2), .. }))));
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
