//! `conditions.csv`: what must hold, besides a grant, for a role and an action.

use super::csv;
use super::finding::Finding;
use super::names::{Names, is_code};
use super::schema::{PolicySchema, Subject};
use super::source::{CONDITIONS, Source};
use crate::access::action::Action;
use crate::domain::filter::{Expression, parse};

const SHAPE: &str = "`id, role, action, condition`, for example `P_BO_001, *, *, org.apps.backoffice eq active`";

/// Stands for any role or any action.
pub(super) const ANY: &str = "*";

/// How many conditions may apply to one role and action: they are remembered as bits.
const MAX_APPLYING: usize = 64;

/// A line of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) id: String,
    /// Any, where there is none.
    pub(super) role: Option<String>,
    /// Any, where there is none.
    pub(super) action: Option<Action>,
    /// As written.
    pub(super) text: String,
    pub(super) expression: Expression<Subject>,
    pub(super) line: usize,
    /// Whether it speaks of the client that is acted on.
    pub(super) of_client: bool,
}

impl Condition {
    /// Whether it applies to `role` and `action`.
    pub(super) fn applies(&self, role: &str, action: Action) -> bool {
        self.role.as_deref().is_none_or(|of| of == role) && self.action.is_none_or(|of| of == action)
    }

    /// Whether it guards everything.
    pub(super) const fn is_universal(&self) -> bool {
        self.role.is_none() && self.action.is_none()
    }

    /// The fields, as casbin gets them.
    pub(super) fn rule(&self) -> Vec<String> {
        let role = self.role.clone().unwrap_or_else(|| ANY.to_owned());
        let action = self.action.map_or(ANY, Action::as_str).to_owned();
        vec![self.id.clone(), role, action, self.text.clone()]
    }
}

/// The lines of the file, and what they name.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) all: Vec<Condition>,
    pub(super) schema: PolicySchema,
}

impl Conditions {
    pub(super) fn read(source: &Source, names: &Names, findings: &mut Vec<Finding>) -> Self {
        let (mut conditions, mut own) = (Self::default(), Vec::new());
        match source.text(CONDITIONS) {
            Ok(text) => {
                for line in csv::lines((CONDITIONS, text), SHAPE, &mut own) {
                    conditions.add(&line, names, &mut own);
                }
                conditions.too_many(names, &mut own);
            }
            Err(finding) => own.push(finding),
        }
        findings.append(&mut own);
        conditions
    }

    fn add(&mut self, line: &csv::Line<4>, names: &Names, findings: &mut Vec<Finding>) {
        let [id, role, action, text] = &line.fields;
        let finding = |field: &csv::Field, message: String| Finding::at(CONDITIONS, line.place(field), message);
        let before = findings.len();
        if !is_code(&id.text) {
            let message = format!("`{}` is no id", id.text);
            findings.push(finding(id, message).expected("1 to 64 letters, digits, `_` or `-`"));
        }
        if role.text != ANY && names.role(&role.text).is_none() {
            let expected = format!("`*` or {}", names.role_codes());
            findings.push(finding(role, format!("unknown role `{}`", role.text)).expected(expected));
        }
        let of = names.action(&action.text);
        if action.text != ANY && of.is_none() {
            let expected = format!("`*` or {}", names.action_codes());
            findings.push(finding(action, format!("unknown action `{}`", action.text)).expected(expected));
        }
        let expression = parse(&text.text, &mut self.schema).map_err(|error| {
            let inside = text.text.get(..error.position).map_or(0, |before| before.chars().count());
            Finding::at(CONDITIONS, (line.number, text.column + inside), error.message)
        });
        match expression {
            Ok(expression) if findings.len() == before => {
                let role = (role.text != ANY).then(|| role.text.clone());
                let of_client = expression.mentions(&Subject::is_of_client);
                let (id, text, line) = (id.text.clone(), text.text.clone(), line.number);
                self.push(Condition { id, role, action: of, text, expression, line, of_client }, findings);
            }
            Ok(_) => {}
            Err(finding) => findings.push(finding),
        }
    }

    fn push(&mut self, condition: Condition, findings: &mut Vec<Finding>) {
        let same = |other: &&Condition| {
            other.id == condition.id && other.role == condition.role && other.action == condition.action
        };
        if let Some(first) = self.all.iter().find(same) {
            let how = if first.text == condition.text { "a duplicate of" } else { "contradicts" };
            let finding = Finding::at(CONDITIONS, (condition.line, 0), format!("{how} line {}", first.line));
            findings.push(finding.expected("one condition for each id, role and action"));
        }
        self.all.push(condition);
    }

    fn too_many(&self, names: &Names, findings: &mut Vec<Finding>) {
        let roles = names.roles.iter().map(|(role, _)| role.as_str());
        for (role, action) in roles.flat_map(|role| names.actions.keys().map(move |action| (role, *action))) {
            let applying = self.all.iter().filter(|condition| condition.applies(role, action)).count();
            if applying > MAX_APPLYING {
                let message = format!("{applying} conditions apply to {role} and {action}");
                let expected = format!("at most {MAX_APPLYING}");
                return findings.push(Finding::of(CONDITIONS, message).expected(expected));
            }
        }
    }
}
