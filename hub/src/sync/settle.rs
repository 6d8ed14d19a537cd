//! What an attempt's outcome means for its delivery, as events: pure.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::call::Effect;
use super::schedule::Schedule;
use super::step::Step;
use crate::adapters::CallError;
use crate::domain::delivery::{Attempted, CallDone, Delivered, Failed, Parked};
use crate::domain::event::Event;

/// What the adapter did, where it was called.
type Call = Option<Box<CallDone>>;

/// The longest text of an error that is kept.
const LONGEST_ERROR: usize = 300;

/// What the delivery's stream is told before the attempt.
#[must_use]
pub fn attempted(step: &Step) -> Event {
    Event::DeliveryAttempted(Attempted {
        key: step.key.clone(),
        function: step.function,
        version: step.version,
        owing: step.owing,
        attempt: step.attempt,
    })
}

/// What it is told after a success.
#[must_use]
pub fn delivered(step: &Step, effect: &Effect, call: Call) -> Event {
    let (external_id, note) = match effect {
        Effect::Receipt { external_id, note } => (Some(external_id.clone()), note.clone()),
        Effect::Screened(verdict) => (verdict.case.clone(), None),
        Effect::Document { .. } | Effect::Listed => (None, None),
    };
    let (key, function, version) = (step.key.clone(), step.function, step.version);
    Event::DeliveryDelivered(Delivered { key, function, version, external_id, note, call })
}

/// What it is told when the outside system has it and has not decided yet: the same question is asked again, for as
/// long as that takes.
#[must_use]
pub fn undecided(step: &Step, (schedule, now): (&Schedule, DateTime<Utc>), call: Call) -> Event {
    let (key, function, error) = (step.key.clone(), step.function, "it is not decided yet".to_owned());
    let next_at = schedule.ask_again(now);
    Event::DeliveryFailed(Failed { key, function, unknown: false, error, next_at, call })
}

/// How a failure is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why, for operators.
    pub error: String,
    /// It may have had an effect.
    pub unknown: bool,
    /// It will never work as it is.
    pub hopeless: bool,
    /// The outside system wants to be left alone for so long.
    pub after: Option<Duration>,
    /// It says something about the outside system as a whole, not about this delivery.
    pub trips: bool,
    /// What the adapter did.
    pub call: Call,
}

impl Failure {
    /// Reads an adapter's disposition.
    #[must_use]
    pub fn of(error: CallError, call: Call) -> Self {
        let (error, unknown, hopeless, after, trips) = match error {
            CallError::Retry { after, why } => (why, false, false, after, true),
            CallError::Unknown(why) => (why, true, false, None, true),
            CallError::Reject { why, field } => {
                (field.map_or(why.clone(), |field| format!("{why} ({field})")), false, true, None, false)
            }
            CallError::Unauthorized(why) => (format!("the credentials are refused: {why}"), false, false, None, true),
            CallError::Unavailable(why) | CallError::Down(why) => (why, false, false, None, true),
            CallError::Busy => ("the adapter is busy".to_owned(), false, false, None, false),
        };
        Self { error: error.chars().take(LONGEST_ERROR).collect(), unknown, hopeless, after, trips, call }
    }
}

/// What the delivery's stream is told after a failure at `now`. `repeatable`: a repeat after an unknown outcome is safe.
#[must_use]
pub fn failed(
    step: &Step,
    failure: &Failure,
    repeatable: bool,
    schedule: &Schedule,
    (now, chance): (DateTime<Utc>, f64),
) -> Event {
    let next = schedule.next(step.attempt, now, failure.after, chance);
    let unknown = failure.unknown || (step.repeats_unknown && !failure.hopeless);
    let parked = match next {
        _ if failure.hopeless => Err("rejected"),
        _ if unknown && !repeatable => Err("outcome-unknown"),
        None if unknown => Err("outcome-unknown"),
        None => Err("retries-used-up"),
        Some(next) => Ok(next),
    };
    let (key, function, error) = (step.key.clone(), step.function, failure.error.clone());
    let call = failure.call.clone();
    match parked {
        Ok(next_at) => Event::DeliveryFailed(Failed { key, function, unknown, error, next_at, call }),
        Err(reason) => Event::DeliveryParked(Parked { key, function, reason: reason.to_owned(), error, call }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::{Function, Payload};
    use crate::sync::step::Body;

    fn step(attempt: u32) -> Step {
        Step {
            key: "k".into(),
            function: Function::UpsertContact,
            version: 1,
            owing: 1,
            attempt,
            body: Body::Command(Payload::Document { id: "DC-1".into() }),
            repeats_unknown: false,
        }
    }

    fn outcome(attempt: u32, error: CallError, repeatable: bool) -> Event {
        let schedule = Schedule::new(vec![Duration::from_secs(1)], Duration::from_secs(60));
        failed(&step(attempt), &Failure::of(error, None), repeatable, &schedule, (DateTime::UNIX_EPOCH, 0.5))
    }

    fn parked(event: &Event) -> Option<&str> {
        match event {
            Event::DeliveryParked(parked) => Some(&parked.reason),
            _ => None,
        }
    }

    #[test]
    fn what_surely_had_no_effect_is_repeated_until_the_delays_are_used_up() {
        let retry = || CallError::Retry { after: None, why: "503".into() };
        assert!(matches!(outcome(1, retry(), false), Event::DeliveryFailed(failed) if !failed.unknown));
        assert_eq!(parked(&outcome(2, retry(), false)), Some("retries-used-up"));
    }

    #[test]
    fn an_unknown_outcome_is_repeated_only_where_that_is_safe() {
        let unknown = || CallError::Unknown("reset".into());
        assert!(matches!(outcome(1, unknown(), true), Event::DeliveryFailed(failed) if failed.unknown));
        assert_eq!(parked(&outcome(1, unknown(), false)), Some("outcome-unknown"));
        assert_eq!(parked(&outcome(2, unknown(), true)), Some("outcome-unknown"));
    }

    #[test]
    fn a_refusal_is_never_repeated() {
        let refusal = CallError::Reject { why: "no such country".into(), field: None };
        assert_eq!(parked(&outcome(1, refusal, true)), Some("rejected"));
    }
}
