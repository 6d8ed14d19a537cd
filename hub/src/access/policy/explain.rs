//! Why a member may do something or not: which lines grant it, which conditions apply, what their attributes are, and
//! the smallest change that would turn the answer.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cases::CaseClient;
use super::conditions::Condition;
use super::schema::{Scope, Subject, View};
use super::source::{CONDITIONS, POLICY};
use super::{Decision, Policy};
use crate::access::action::Action;
use crate::access::caller::Caller;
use crate::access::record::Facts;
use crate::domain::filter::{Attribute, Attributes as _, Expression, Operand, Value};

/// Stands for a value that an operator has no business with.
const HIDDEN: &str = "(not shown)";

/// A request that need not have happened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// The member's id.
    pub member: String,
    /// The organisation.
    pub org: String,
    /// The role codes.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The references that the token assigns to the member.
    #[serde(default)]
    pub clients: Vec<String>,
    /// How the organisation's subscriptions stand; left out, Backoffice is active.
    #[serde(default = "subscribed")]
    pub apps: BTreeMap<String, String>,
    /// The action's code.
    pub action: String,
    /// The client's reference.
    #[serde(default)]
    pub client: Option<String>,
    /// Whom that client is assigned to, where the client itself is not at hand.
    #[serde(default)]
    pub assigned_to: Vec<String>,
}

fn subscribed() -> BTreeMap<String, String> {
    BTreeMap::from([("backoffice".to_owned(), "active".to_owned())])
}

impl Question {
    fn caller(&self) -> Caller {
        Caller::new(self.member.clone(), self.org.clone(), DateTime::UNIX_EPOCH)
            .with(self.roles.clone(), self.clients.clone())
            .with_apps(self.apps.clone())
    }
}

/// The answer, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Whether it would be allowed.
    pub allowed: bool,
    /// The action.
    pub action: &'static str,
    /// The policy that denies, as a caller would see it.
    pub policy: Option<String>,
    /// The line that decides, as `file:line`; none where nothing grants it.
    pub decided_by: Option<String>,
    /// The policy's digest.
    pub digest: String,
    /// What each role brings.
    pub roles: Vec<RoleStep>,
    /// The smallest change that would turn the answer.
    pub to_turn_it: String,
}

/// What one role brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleStep {
    /// The role.
    pub role: String,
    /// Whether `names.csv` has it; an unknown one grants nothing.
    pub known: bool,
    /// How it grants the action.
    pub granted: Option<GrantStep>,
    /// The conditions that apply.
    pub conditions: Vec<ConditionStep>,
}

/// The lines by which a role grants an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantStep {
    /// The permission.
    pub permission: String,
    /// The line that gives it to the role.
    pub held_by: String,
    /// The line that opens the action.
    pub opened_by: String,
}

/// A condition that applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConditionStep {
    /// Its id.
    pub id: String,
    /// `file:line`
    pub line: String,
    /// As written.
    pub condition: String,
    /// Whether it holds; one that rests on a missing attribute does not.
    pub holds: bool,
    /// The attributes that it names, each with its value or null.
    #[schema(value_type = Vec<Vec<Option<String>>>)]
    pub attributes: Vec<(String, Option<String>)>,
}

impl Policy {
    /// Explains a request.
    ///
    /// # Errors
    /// The action is unknown.
    pub fn explain(
        &self,
        question: &Question,
        operator_org: &str,
        client: Option<&crate::domain::client::Client>,
    ) -> Result<Explanation, String> {
        let action = Action::parse(&question.action).ok_or_else(|| format!("unknown action `{}`", question.action))?;
        let caller = question.caller();
        let stand_in = question.client.as_ref().map(|reference| CaseClient::new(reference, &question.assigned_to));
        let view = match (client, &stand_in) {
            (Some(client), _) => View::row(client),
            (None, Some(stand_in)) => View::row(stand_in),
            (None, None) => View::default(),
        };
        let decision = self.decide((&caller, operator_org), action, view);
        let (allowed, policy) = match &decision {
            Decision::Allowed { .. } => (true, None),
            Decision::Denied { by } => (false, by.and_then(|place| self.condition_id(place)).map(str::to_owned)),
        };
        let (file, line) = self.deciding_line(&decision, action);
        // Of a client that is really there, an operator sees ids and states.
        let hides = client.is_some();
        let step = |role: &String| self.step((&caller, view, hides), role, action);
        let roles: Vec<RoleStep> = question.roles.iter().map(step).collect();
        let foreign = action.is_operation() && question.org != operator_org;
        Ok(Explanation {
            allowed,
            action: action.as_str(),
            policy,
            decided_by: (line > 0).then(|| format!("{file}:{line}")),
            digest: self.digest.clone(),
            to_turn_it: self.to_turn_it((allowed, foreign), action, &roles),
            roles,
        })
    }

    fn step(&self, (caller, view, hides): (&Caller, View<'_>, bool), role: &str, action: Action) -> RoleStep {
        let known = self.roles.contains_key(role);
        let granted = self.rules.path(role, action).map(|(holds, opens)| GrantStep {
            permission: holds.permission.clone(),
            held_by: format!("{POLICY}:{}", holds.line),
            opened_by: format!("{POLICY}:{}", opens.line),
        });
        let scope = Scope { caller, role: Some(role), view, schema: &self.schema };
        let applying = self.conditions.iter().filter(|condition| condition.applies(role, action));
        let conditions = applying.map(|condition| self.condition_step(condition, &scope, hides)).collect();
        RoleStep { role: role.to_owned(), known, granted, conditions }
    }

    fn condition_step(&self, condition: &Condition, scope: &Scope<'_>, hides: bool) -> ConditionStep {
        let mut subjects = Vec::new();
        named(&condition.expression, &mut subjects);
        let hidden =
            |subject: &Subject| matches!(subject, Subject::Client(of) if hides && !Facts::ATTRIBUTES.contains(of));
        let value = |subject: &Subject| {
            let value = shown(scope, *subject);
            if hidden(subject) { value.map(|_| HIDDEN.to_owned()) } else { value }
        };
        let attribute = |subject: &Subject| (self.schema.path(*subject), value(subject));
        ConditionStep {
            id: condition.id.clone(),
            line: format!("{CONDITIONS}:{}", condition.line),
            condition: condition.text.clone(),
            holds: condition.expression.decide(scope) == Some(true),
            attributes: subjects.iter().map(attribute).collect(),
        }
    }

    fn to_turn_it(&self, (allowed, foreign): (bool, bool), action: Action, roles: &[RoleStep]) -> String {
        let failing = |step: &RoleStep| -> Vec<String> {
            let failed = step.conditions.iter().filter(|condition| !condition.holds);
            failed.map(|condition| format!("`{}` ({}) hold", condition.condition, condition.line)).collect()
        };
        let granting: Vec<&RoleStep> = roles.iter().filter(|step| step.granted.is_some()).collect();
        if allowed {
            let through: Vec<&str> = granting
                .iter()
                .filter(|step| failing(step).is_empty() || action.is_listing())
                .map(|step| step.role.as_str())
                .collect();
            return format!("take away {}", through.join(" and "));
        }
        let nearest = granting.iter().min_by_key(|step| failing(step).len());
        let grant = match nearest {
            None => Some(self.grant_wanted(action, roles.iter().map(failing))),
            Some(step) => {
                let failed = failing(step);
                (!failed.is_empty()).then(|| format!("make {}, for {}", failed.join(" and "), step.role))
            }
        };
        let theirs = "let a member of the operating organisation (auth.operator_org) ask";
        let org = foreign.then(|| format!("{theirs}: {action} is theirs"));
        grant.into_iter().chain(org).collect::<Vec<_>>().join(", and ")
    }

    /// What would grant an action that none of the member's roles does; `failing` is what does not hold for each.
    fn grant_wanted(&self, action: Action, failing: impl Iterator<Item = Vec<String>>) -> String {
        let known = self.names.roles.iter().map(|(code, _)| code.as_str());
        let could: Vec<&str> = known.filter(|role| self.rules.path(role, action).is_some()).collect();
        let also = failing.min_by_key(Vec::len).filter(|failed| !failed.is_empty());
        let also = also.map_or_else(String::new, |failed| format!(", and make {}", failed.join(" and ")));
        if could.is_empty() {
            return format!("add a line `p, permission, {action}` to {POLICY}: no role grants it{also}");
        }
        format!("give the member one of the roles {}{also}", could.join(", "))
    }
}

/// The attributes that an expression names, each once.
pub(super) fn named(expression: &Expression<Subject>, found: &mut Vec<Subject>) {
    let mut add = |subject: Subject| {
        if !found.contains(&subject) {
            found.push(subject);
        }
    };
    match expression {
        Expression::And(parts) | Expression::Or(parts) => parts.iter().for_each(|part| named(part, found)),
        Expression::Not(inner) => named(inner, found),
        Expression::Present { attribute, .. } => add(*attribute),
        Expression::Compare { attribute, operand, .. } => {
            add(*attribute);
            if let Operand::Variable(other) = operand {
                add(*other);
            }
        }
        Expression::Element { of, .. } => add(*of),
    }
}

/// An attribute's value, for people; `None` where there is none.
fn shown(scope: &Scope<'_>, subject: Subject) -> Option<String> {
    let text = |value: Value<'_>| match value {
        Value::Missing => None,
        Value::Text(text) | Value::Folded(text) => Some(text.to_owned()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Instant(at) => Some(at.to_rfc3339()),
        Value::Date(date) => Some(date.to_string()),
    };
    let many = match subject {
        Subject::MemberRoles | Subject::MemberClients => true,
        Subject::Client(attribute) => attribute.known().many,
        _ => false,
    };
    if !many || subject == Subject::Client(Attribute::Contacts) {
        return text(scope.get(subject));
    }
    let mut all = Vec::new();
    scope.any(subject, &mut |value| {
        all.extend(text(value));
        all.len() >= 100
    });
    Some(format!("[{}]", all.join(", ")))
}
