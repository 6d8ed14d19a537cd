//! Every role and every action as a table, so that a change of rights is reviewed as ticks and crosses.

use std::fmt;

use serde::Serialize;

use super::Policy;
use crate::access::action::Action;

/// What a role may do: a tick, a cross, or a tick with what must hold besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matrix {
    /// Codes and names, in the order of the columns.
    pub roles: Vec<(String, String)>,
    /// One for each action.
    pub rows: Vec<MatrixRow>,
    /// The conditions that guard every cell.
    pub everywhere: Vec<String>,
}

/// One action of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixRow {
    /// Its code.
    pub action: &'static str,
    /// Its name.
    pub name: String,
    /// `✓`, `✗`, or `✓` and the ids of the conditions that must hold.
    pub cells: Vec<String>,
}

/// A cell that two tables have differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The role.
    pub role: String,
    /// The action.
    pub action: &'static str,
    /// In the first table.
    pub from: String,
    /// In the second.
    pub to: String,
}

const DENIED: &str = "✗";

impl Policy {
    /// The table.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        let universal = self.conditions.iter().filter(|condition| condition.is_universal());
        let row = |action: &Action| MatrixRow {
            action: action.as_str(),
            name: self.names.actions.get(action).cloned().unwrap_or_else(|| action.name().to_owned()),
            cells: (0_u16..).take(self.names.roles.len()).map(|role| self.cell(role, *action)).collect(),
        };
        Matrix {
            roles: self.names.roles.clone(),
            rows: Action::ALL.iter().map(row).collect(),
            everywhere: universal.map(|condition| condition.id.clone()).collect(),
        }
    }

    fn cell(&self, role: u16, action: Action) -> String {
        if !self.ask(role, action, u64::MAX).allows() {
            return DENIED.to_owned();
        }
        let own = self.applying(role, action).filter(|condition| !condition.is_universal());
        let mut ids: Vec<&str> = own.map(|condition| condition.id.as_str()).collect();
        ids.dedup();
        if action.is_operation() {
            ids.push("operator_org");
        }
        ["✓"].into_iter().chain(ids).collect::<Vec<&str>>().join(" ")
    }
}

impl Matrix {
    /// The cells that `other` has differently; a role or action that one lacks is all crosses there.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut roles: Vec<&String> = self.roles.iter().chain(&other.roles).map(|(code, _)| code).collect();
        roles.sort_unstable();
        roles.dedup();
        let mut differences = Vec::new();
        for role in roles {
            for action in Action::ALL.iter().map(|action| action.as_str()) {
                let (from, to) = (self.at(role, action), other.at(role, action));
                if from != to {
                    let (from, to) = (from.to_owned(), to.to_owned());
                    differences.push(Difference { role: role.clone(), action, from, to });
                }
            }
        }
        differences
    }

    /// What stands at a role and an action.
    #[must_use]
    pub fn at(&self, role: &str, action: &str) -> &str {
        let column = self.roles.iter().position(|(code, _)| code == role);
        let row = self.rows.iter().find(|row| row.action == action);
        let cell = row.and_then(|row| row.cells.get(column?));
        cell.map_or(DENIED, String::as_str)
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name_width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let width = |column: usize, code: &str| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(code.len())
        };
        for (code, name) in &self.roles {
            writeln!(out, "# {code} {name}")?;
        }
        for id in &self.everywhere {
            writeln!(out, "# every tick needs {id} besides")?;
        }
        let mut header = format!("{:6}  {:name_width$}", "action", "name");
        for (column, (code, _)) in self.roles.iter().enumerate() {
            header.push_str(&format!("  {code:0$}", width(column, code)));
        }
        writeln!(out, "{}", header.trim_end())?;
        for row in &self.rows {
            let mut line = format!("{:6}  {:name_width$}", row.action, row.name);
            for (column, cell) in row.cells.iter().enumerate() {
                let code = self.roles.get(column).map_or("", |(code, _)| code.as_str());
                line.push_str(&format!("  {cell:0$}", width(column, code)));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
