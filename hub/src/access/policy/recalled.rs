//! A recorded decision made again: the policy's own way to decide, over what the record kept of the request.
//!
//! Where a condition looks at something that the record has not, that is noted: then nobody can tell the answer, and
//! nobody pretends to.

use std::cell::RefCell;

use chrono::DateTime;

use super::explain::named;
use super::schema::{Subject, View};
use super::{Decision, Policy};
use crate::access::action::Action;
use crate::access::caller::Caller;
use crate::access::record::{Answer, Facts, Outcome, Record};
use crate::domain::filter::{Attribute, Attributes, Expression, Value};

/// What came of a recorded decision under these files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::access) struct Again {
    /// The answer.
    pub(in crate::access) answer: Answer,
    /// Whether a listing is narrowed to rows.
    pub(in crate::access) narrowed: bool,
    /// The line that decides, as `file:line`.
    pub(in crate::access) by: Option<String>,
    /// The attributes that were looked at and that the record has not: the answer is not to be relied on.
    pub(in crate::access) unknown: Vec<String>,
}

/// What a record knows, as conditions see it.
pub(super) struct Recalled<'a> {
    record: &'a Record<'a>,
    unknown: RefCell<Vec<String>>,
}

impl Recalled<'_> {
    /// How a condition came out then, where the record says so.
    pub(super) fn outcome(&self, role: Option<&str>, condition: &str) -> Option<bool> {
        let same = |outcome: &&Outcome| Some(outcome.role.as_str()) == role && outcome.condition == condition;
        self.record.conditions.iter().find(same).map(|outcome| outcome.holds)
    }

    /// Notes that the member's clients were looked at, of which not all may be known.
    pub(super) fn looks_at_clients(&self) {
        if self.record.clients_left_out > 0 {
            self.misses("member.clients".to_owned());
        }
    }

    fn misses(&self, attribute: String) {
        let mut unknown = self.unknown.borrow_mut();
        if !unknown.contains(&attribute) {
            unknown.push(attribute);
        }
    }

    fn facts(&self, attribute: Attribute) -> Option<&Facts> {
        let known = Facts::ATTRIBUTES.contains(&attribute);
        let cut = |facts: &&Facts| attribute == Attribute::AssignedTo && facts.more_assigned;
        let facts = self.record.client.as_deref()?;
        if !known || cut(&facts) {
            self.misses(format!("client.{}", attribute.path()));
        }
        known.then_some(facts)
    }
}

impl Attributes<Attribute> for Recalled<'_> {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        let Some(facts) = self.facts(attribute) else { return Value::Missing };
        match attribute {
            Attribute::Reference => self.record.target.as_deref().map_or(Value::Missing, Value::Text),
            Attribute::Kind => Value::Text(&facts.kind),
            Attribute::Status => Value::Text(&facts.status),
            Attribute::KycStatus => Value::Text(&facts.kyc),
            _ => Value::Missing,
        }
    }

    fn any(&self, attribute: Attribute, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        let Some(facts) = self.facts(attribute) else { return false };
        attribute == Attribute::AssignedTo && facts.assigned_to.iter().any(|member| test(Value::Text(member)))
    }

    fn any_element(&self, of: Attribute, _test: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        self.facts(of);
        false
    }
}

/// Whether an expression looks at what a record does not keep of a client.
pub(super) fn looks_beyond(expression: &Expression<Subject>) -> bool {
    let mut subjects = Vec::new();
    named(expression, &mut subjects);
    subjects.iter().any(|subject| matches!(subject, Subject::Client(of) if !Facts::ATTRIBUTES.contains(of)))
}

impl Policy {
    /// Makes a recorded decision again. `None`: the action is not known any more.
    pub(in crate::access) fn again(&self, record: &Record<'_>, operator_org: &str) -> Option<Again> {
        let action = Action::parse(&record.action)?;
        let caller = Caller::new(record.member.to_string(), record.org.to_string(), DateTime::UNIX_EPOCH)
            .with(record.roles.to_vec(), record.clients.to_vec())
            .with_apps(record.apps.clone().into_owned());
        let recalled = Recalled { record, unknown: RefCell::default() };
        let row = record.client.as_ref().map(|_| &recalled as &dyn Attributes<Attribute>);
        let view = View { reference: record.target.as_deref(), row, recalled: Some(&recalled) };
        let decision = self.decide((&caller, operator_org), action, view);
        let (file, line) = self.deciding_line(&decision, action);
        let by = (line > 0).then(|| format!("{file}:{line}"));
        let (answer, narrowed) = match decision {
            Decision::Allowed { rows, .. } => (Answer::Allow, !rows.is_empty()),
            Decision::Denied { .. } => (Answer::Deny, false),
        };
        Some(Again { answer, narrowed, by, unknown: recalled.unknown.into_inner() })
    }

    /// How the conditions came out that look at what a record does not keep. Costs nothing where there are none.
    pub(in crate::access) fn outcomes(&self, caller: &Caller, action: Action, view: View<'_>) -> Vec<Outcome> {
        if !self.looks_beyond || view.row.is_none() {
            return Vec::new();
        }
        let known = caller.roles().iter().filter_map(|code| Some((code, self.roles.get(code.as_str())?)));
        let of = |(code, role): (&String, &u16)| {
            let beyond = self.applying(*role, action).filter(|condition| looks_beyond(&condition.expression));
            let outcome = |condition: &super::Condition| Outcome {
                role: code.clone(),
                condition: condition.text.clone(),
                holds: self.holds(condition, caller, (Some(code), view)),
            };
            beyond.map(outcome).collect::<Vec<_>>()
        };
        known.flat_map(of).collect()
    }
}
