//! Whether casbin decides what the files say: asked for every role and action before a policy comes into force.

use super::conditions::Condition;
use super::enforcer::Casbin;
use super::finding::Finding;
use super::model::Model;
use super::names::Names;
use super::rules::Rules;
use super::source::MODEL;
use crate::access::action::Action;

/// Roles that nobody has; a matcher that grants them anything grants it to everybody.
const NOBODY: [&str; 3] = ["", "*", "nobody"];

/// What of a policy is looked at.
pub(super) struct Subjects<'a> {
    pub(super) model: &'a Model,
    pub(super) names: &'a Names,
    pub(super) rules: &'a Rules,
    pub(super) conditions: &'a [Condition],
}

impl Subjects<'_> {
    /// An empty policy must deny, and so must the full one for who holds no role; grants and bars are those of the files.
    pub(super) fn findings(&self, casbin: &Casbin) -> Vec<Finding> {
        match Casbin::new(self.model, &Rules::default(), &[]) {
            Ok(empty) => {
                if let Some(finding) = self.fails_open(&empty, "an empty policy") {
                    return vec![finding];
                }
            }
            Err(error) => return vec![Finding::of(MODEL, format!("casbin refuses it: {error}"))],
        }
        if let Some(finding) = self.fails_open(casbin, "a role that nobody has") {
            return vec![finding];
        }
        let roles = self.names.roles.iter().map(|(role, _)| role.as_str());
        let pairs = roles.flat_map(|role| Action::ALL.iter().map(move |action| (role, *action)));
        pairs.filter_map(|(role, action)| self.differs(casbin, role, action)).take(10).collect()
    }

    fn fails_open(&self, casbin: &Casbin, whose: &str) -> Option<Finding> {
        let granted = |role: &str| Action::ALL.iter().any(|action| casbin.ask(role, *action, &[]).granted);
        NOBODY.into_iter().any(granted).then(|| {
            let finding = Finding::at(MODEL, self.model.place("m"), format!("`m` lets {whose} do something"));
            finding.expected("`r.action == p.action && g(r.role, p.permission)`")
        })
    }

    fn differs(&self, casbin: &Casbin, role: &str, action: Action) -> Option<Finding> {
        let mut ids: Vec<&str> = Vec::new();
        for condition in self.conditions.iter().filter(|condition| condition.applies(role, action)) {
            if !ids.contains(&condition.id.as_str()) {
                ids.push(&condition.id);
            }
        }
        let all = casbin.ask(role, action, &ids);
        if all.granted != self.rules.path(role, action).is_some() {
            let message = format!("`m` does not decide on {role} and {action} as policy.csv says");
            let expected = "`r.action == p.action && g(r.role, p.permission)`";
            return Some(Finding::at(MODEL, self.model.place("m"), message).expected(expected));
        }
        let without = |id: &&str| -> Vec<&str> { ids.iter().copied().filter(|other| other != id).collect() };
        let bars = ids.iter().all(|id| casbin.ask(role, action, &without(id)).barred);
        (all.barred || !bars).then(|| {
            let message = format!("`m2` does not bar {role} and {action} as conditions.csv says");
            let finding = Finding::at(MODEL, self.model.place("m2"), message);
            finding.expected(
                "`(p2.role == \"*\" || p2.role == r2.role) && (p2.action == \"*\" || p2.action == r2.action) && \
                 !(p2.id in r2.held)`",
            )
        })
    }
}
