//! `policy.csv`: which role holds which permission, and which permission opens which action.

use super::csv;
use super::finding::Finding;
use super::names::Names;
use super::source::{POLICY, Source};
use crate::access::action::Action;

const SHAPE: &str = "`p, permission, action` or `g, role, permission`";

/// A `p` line: the permission opens the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opens {
    pub(super) permission: String,
    pub(super) action: Action,
    pub(super) line: usize,
}

/// A `g` line: the role holds the permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holds {
    pub(super) role: String,
    pub(super) permission: String,
    pub(super) line: usize,
}

/// The lines of the file.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) opens: Vec<Opens>,
    pub(super) holds: Vec<Holds>,
}

impl Rules {
    pub(super) fn read(source: &Source, names: &Names, findings: &mut Vec<Finding>) -> Self {
        let (mut rules, mut own) = (Self::default(), Vec::new());
        match source.text(POLICY) {
            Ok(text) => {
                for line in csv::lines((POLICY, text), SHAPE, &mut own) {
                    rules.add(&line, names, &mut own);
                }
                rules.held_by_nobody(&mut own);
            }
            Err(finding) => own.push(finding),
        }
        findings.append(&mut own);
        rules
    }

    fn add(&mut self, line: &csv::Line<3>, names: &Names, findings: &mut Vec<Finding>) {
        let [kind, first, second] = &line.fields;
        let finding = |field: &csv::Field, message: String| Finding::at(POLICY, line.place(field), message);
        let unknown = |field: &csv::Field, what: &str, expected: String| {
            finding(field, format!("unknown {what} `{}`", field.text)).expected(expected)
        };
        match kind.text.as_str() {
            "p" => {
                if !names.permissions.contains_key(&first.text) {
                    findings.push(unknown(first, "permission", names.permission_codes()));
                }
                match names.action(&second.text) {
                    Some(action) => self.add_opens(&first.text, action, line, findings),
                    None => findings.push(unknown(second, "action", names.action_codes())),
                }
            }
            "g" => {
                if names.role(&first.text).is_none() {
                    findings.push(unknown(first, "role", names.role_codes()));
                }
                if !names.permissions.contains_key(&second.text) {
                    findings.push(unknown(second, "permission", names.permission_codes()));
                }
                self.add_holds(&first.text, &second.text, line, findings);
            }
            other => findings.push(finding(kind, format!("unknown kind of line `{other}`")).expected(SHAPE)),
        }
    }

    fn add_opens(&mut self, permission: &str, action: Action, line: &csv::Line<3>, findings: &mut Vec<Finding>) {
        let same = |rule: &&Opens| rule.permission == permission && rule.action == action;
        if let Some(first) = self.opens.iter().find(same) {
            findings.push(duplicate(line.number, first.line));
        }
        self.opens.push(Opens { permission: permission.to_owned(), action, line: line.number });
    }

    fn add_holds(&mut self, role: &str, permission: &str, line: &csv::Line<3>, findings: &mut Vec<Finding>) {
        let same = |rule: &&Holds| rule.role == role && rule.permission == permission;
        if let Some(first) = self.holds.iter().find(same) {
            findings.push(duplicate(line.number, first.line));
        }
        self.holds.push(Holds { role: role.to_owned(), permission: permission.to_owned(), line: line.number });
    }

    /// A permission that nobody holds, or that opens nothing, is most likely a typing error.
    fn held_by_nobody(&self, findings: &mut Vec<Finding>) {
        let mut told: Vec<&str> = Vec::new();
        for rule in &self.opens {
            let held = self.holds.iter().any(|holds| holds.permission == rule.permission);
            if !held && !told.contains(&rule.permission.as_str()) {
                told.push(&rule.permission);
                let message = format!("no role holds the permission `{}`", rule.permission);
                let expected = format!("a line `g, role, {}`", rule.permission);
                findings.push(Finding::at(POLICY, (rule.line, 0), message).expected(expected));
            }
        }
        for rule in &self.holds {
            if !self.opens.iter().any(|opens| opens.permission == rule.permission) {
                let message = format!("the permission `{}` opens no action", rule.permission);
                let expected = format!("a line `p, {}, action`", rule.permission);
                findings.push(Finding::at(POLICY, (rule.line, 0), message).expected(expected));
            }
        }
    }

    /// Whether the lines grant `action` to `role`, and through which of them.
    pub(super) fn path(&self, role: &str, action: Action) -> Option<(&Holds, &Opens)> {
        self.holds.iter().filter(|holds| holds.role == role).find_map(|holds| {
            let opens = |rule: &&Opens| rule.action == action && rule.permission == holds.permission;
            self.opens.iter().find(opens).map(|opens| (holds, opens))
        })
    }
}

fn duplicate(line: usize, first: usize) -> Finding {
    let message = format!("a duplicate of line {first}");
    Finding::at(POLICY, (line, 0), message).expected("each line once")
}
