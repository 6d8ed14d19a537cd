//! One decision: for each role that the member brings, casbin is asked with the conditions that hold.

use super::schema::{Scope, View};
use super::{Condition, Policy, enforcer::Answer};
use crate::access::action::Action;
use crate::access::caller::Caller;

/// What was decided, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::access) enum Decision {
    /// It may be done.
    Allowed {
        /// Through which role, by its place.
        role: u16,
        /// Whether that rests on a condition about the client, which may change.
        on_client: bool,
        /// For a listing: the roles whose conditions pick the rows; none where every row may be seen.
        rows: Vec<u16>,
    },
    /// It may not be done.
    Denied {
        /// The first condition that failed, by its place; none where no role grants it.
        by: Option<u16>,
    },
}

impl Decision {
    /// Whether it may be done.
    pub(in crate::access) const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// Which of the applying conditions hold.
#[derive(Clone, Copy, Default)]
pub(super) struct Held {
    /// A bit for each applying condition, in order.
    pub(super) bits: u64,
    /// The first that does not hold, by its place in the file.
    pub(super) failed: Option<u16>,
    /// Whether one of them speaks of the client.
    of_client: bool,
}

impl Policy {
    /// Decides. `view` is the client that is acted on; a listing has none, and conditions about it are left to the rows.
    pub(in crate::access) fn decide(&self, who: (&Caller, &str), action: Action, view: View<'_>) -> Decision {
        let (caller, operator_org) = who;
        let (mut by, mut rows) = (None, Vec::new());
        for role in caller.roles() {
            let Some(role) = self.roles.get(role.as_str()).copied() else { continue };
            let (held, answer) = self.for_role(caller, role, (action, view));
            if !answer.granted {
                continue;
            }
            if answer.barred {
                by = by.min(held.failed).or(by).or(held.failed);
            } else if action.is_operation() && caller.org() != operator_org {
                // What belongs to no organisation is for members of the operating one, whatever the files say.
            } else if action.is_listing() && held.of_client {
                rows.push(role);
            } else {
                return Decision::Allowed { role, on_client: held.of_client, rows: Vec::new() };
            }
        }
        match rows.first() {
            Some(role) => Decision::Allowed { role: *role, on_client: false, rows },
            None => Decision::Denied { by: by.or_else(|| self.universal_failure(caller, view)) },
        }
    }

    /// Whether a row of a listing may be seen through one of `roles`.
    pub(in crate::access) fn allows_row(&self, caller: &Caller, action: Action, roles: &[u16], view: View<'_>) -> bool {
        roles.iter().any(|role| {
            let held = self.held(caller, *role, (action, view), false);
            self.ask(*role, action, held.bits).allows()
        })
    }

    /// What holds, and casbin's answer, for one role.
    pub(super) fn for_role(&self, caller: &Caller, role: u16, (action, view): (Action, View<'_>)) -> (Held, Answer) {
        let held = self.held(caller, role, (action, view), action.is_listing());
        (held, self.ask(role, action, held.bits))
    }

    fn held(&self, caller: &Caller, role: u16, (action, view): (Action, View<'_>), to_rows: bool) -> Held {
        let code = self.names.roles.get(usize::from(role)).map(|(code, _)| code.as_str());
        let places = self.applying.get(usize::from(role) * Action::ALL.len() + action.index());
        let mut held = Held::default();
        for (bit, place) in places.into_iter().flatten().enumerate() {
            let Some(condition) = self.conditions.get(usize::from(*place)) else { continue };
            held.of_client |= condition.of_client;
            if (to_rows && condition.of_client) || self.holds(condition, caller, (code, view)) {
                held.bits |= 1 << bit;
            } else {
                held.failed = held.failed.or(Some(*place));
            }
        }
        held
    }

    /// Whether a condition holds, asked for a role. What can't be told does not.
    pub(super) fn holds(&self, condition: &Condition, caller: &Caller, (role, view): (Option<&str>, View<'_>)) -> bool {
        let scope = Scope { caller, role, view, schema: &self.schema };
        let recalled = view.recalled.and_then(|recalled| recalled.outcome(role, &condition.text));
        recalled.or_else(|| condition.expression.decide(&scope)) == Some(true)
    }

    /// Where no role grants the action, a failed condition that guards everything still names itself.
    fn universal_failure(&self, caller: &Caller, view: View<'_>) -> Option<u16> {
        let mut places = self.conditions.iter().zip(0_u16..).filter(|(condition, _)| condition.is_universal());
        places.find(|(condition, _)| !self.holds(condition, caller, (None, view))).map(|(_, place)| place)
    }

    /// The id of a condition.
    pub(in crate::access) fn condition_id(&self, place: u16) -> Option<&str> {
        self.conditions.get(usize::from(place)).map(|condition| condition.id.as_str())
    }

    /// The line that decided, for the log: file and line.
    pub(in crate::access) fn deciding_line(&self, decision: &Decision, action: Action) -> (&'static str, usize) {
        match decision {
            Decision::Denied { by } => {
                let condition = by.and_then(|place| self.conditions.get(usize::from(place)));
                condition.map_or(("default", 0), |condition| (super::source::CONDITIONS, condition.line))
            }
            Decision::Allowed { role, .. } => {
                let code = self.names.roles.get(usize::from(*role)).map_or("", |(code, _)| code.as_str());
                let path = self.rules.path(code, action);
                path.map_or(("default", 0), |(_, opens)| (super::source::POLICY, opens.line))
            }
        }
    }
}
