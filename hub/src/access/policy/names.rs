//! `names.csv`: the known roles, permissions and actions. Anything else in a policy is a typing error.

use std::collections::BTreeMap;

use super::csv;
use super::finding::Finding;
use super::source::{NAMES, Source};
use crate::access::action::Action;

const SHAPE: &str = "`role|permission|action, CODE, name`, for example `role, RP001, Administrator`";

/// How many roles there may be.
const MAX_ROLES: usize = 1000;

/// Codes with their names, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) roles: Vec<(String, String)>,
    pub(super) permissions: BTreeMap<String, String>,
    pub(super) actions: BTreeMap<Action, String>,
}

impl Names {
    pub(super) fn read(source: &Source, findings: &mut Vec<Finding>) -> Self {
        let (mut names, mut own) = (Self::default(), Vec::new());
        match source.text(NAMES) {
            Ok(text) => {
                for line in csv::lines((NAMES, text), SHAPE, &mut own) {
                    names.add(&line, &mut own);
                }
            }
            Err(finding) => own.push(finding),
        }
        if names.roles.len() > MAX_ROLES {
            own.push(Finding::of(NAMES, "too many roles").expected(format!("at most {MAX_ROLES}")));
        }
        findings.append(&mut own);
        names
    }

    fn add(&mut self, line: &csv::Line<3>, findings: &mut Vec<Finding>) {
        let [kind, code, name] = &line.fields;
        let finding = |field: &csv::Field, message: String| Finding::at(NAMES, line.place(field), message);
        if !is_code(&code.text) {
            let expected = "1 to 64 letters, digits, `_` or `-`";
            return findings.push(finding(code, format!("`{}` is no code", code.text)).expected(expected));
        }
        let taken = match kind.text.as_str() {
            "role" => self.add_role(&code.text, &name.text),
            "permission" => self.permissions.insert(code.text.clone(), name.text.clone()).is_some(),
            "action" => match Action::parse(&code.text) {
                Some(action) => self.actions.insert(action, name.text.clone()).is_some(),
                None => {
                    let known: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
                    let expected = format!("one of {}", known.join(", "));
                    return findings.push(finding(code, format!("unknown action `{}`", code.text)).expected(expected));
                }
            },
            other => {
                let message = format!("unknown kind `{other}`");
                return findings.push(finding(kind, message).expected("`role`, `permission` or `action`"));
            }
        };
        if taken {
            findings.push(finding(code, format!("`{}` is named twice", code.text)).expected("one line for each code"));
        }
    }

    fn add_role(&mut self, code: &str, name: &str) -> bool {
        let taken = self.role(code).is_some();
        self.roles.push((code.to_owned(), name.to_owned()));
        taken
    }

    /// The place of a role among the known ones.
    pub(super) fn role(&self, code: &str) -> Option<usize> {
        self.roles.iter().position(|(known, _)| known == code)
    }

    /// The known roles, for an error.
    pub(super) fn role_codes(&self) -> String {
        let codes: Vec<&str> = self.roles.iter().map(|(code, _)| code.as_str()).collect();
        format!("a role of {NAMES}: {}", codes.join(", "))
    }

    /// The known permissions, for an error.
    pub(super) fn permission_codes(&self) -> String {
        let codes: Vec<&str> = self.permissions.keys().map(String::as_str).collect();
        format!("a permission of {NAMES}: {}", codes.join(", "))
    }

    /// The known actions, for an error.
    pub(super) fn action_codes(&self) -> String {
        let codes: Vec<&str> = self.actions.keys().map(|action| action.as_str()).collect();
        format!("an action of {NAMES}: {}", codes.join(", "))
    }

    /// An action that is known to the hub and named in the file.
    pub(super) fn action(&self, code: &str) -> Option<Action> {
        Action::parse(code).filter(|action| self.actions.contains_key(action))
    }
}

/// Whether `code` can be one.
pub(super) fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
