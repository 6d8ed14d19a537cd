//! What the suite has found, for people and programs.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::backend::Exchange;
use crate::adapters::{DescriptionReport, Digest};

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as the contract has it.
    Pass,
    /// It is not.
    Fail,
    /// It could not be tried; that is said, and fails nothing.
    Skip,
}

/// One case.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// For example `upsert-contact: time-out of request 2`.
    pub name: String,
    /// The function.
    pub function: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What is right.
    pub expected: String,
    /// What came.
    pub came: String,
    /// What the vendor should look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_at: Option<String>,
    /// What the component sent, and what became of it.
    pub sent: Vec<Exchange>,
}

/// The whole report.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Of the component that was checked.
    pub digest: Digest,
    /// What it implements.
    pub world: String,
    /// The version of the contract that it was made for.
    pub contract: String,
    /// The version of the hub that has checked it.
    pub hub: &'static str,
    /// When.
    pub at: DateTime<Utc>,
    /// What it says of itself.
    pub description: DescriptionReport,
    /// How many cases passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many could not be tried.
    pub skipped: usize,
    /// All of them.
    pub cases: Vec<Case>,
}

impl Report {
    /// Whether nothing failed.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.failed == 0
    }

    /// For people: a line for each function, and everything about each case that failed or was left out.
    #[must_use]
    pub fn text(&self) -> String {
        let about = &self.description;
        let mut lines = vec![format!("{} {} ({}), {}", about.name, about.version, self.world, self.digest)];
        let mut functions: Vec<&str> = self.cases.iter().map(|case| case.function).collect();
        functions.dedup();
        for function in functions {
            let of =
                |verdict| self.cases.iter().filter(|case| case.function == function && case.verdict == verdict).count();
            let (passed, failed) = (of(Verdict::Pass), of(Verdict::Fail));
            let mark = if failed == 0 { "ok  " } else { "FAIL" };
            lines.push(format!("{mark}  {function}: {passed} passed, {failed} failed, {} left out", of(Verdict::Skip)));
        }
        for case in &self.cases {
            match case.verdict {
                Verdict::Pass => {}
                Verdict::Skip => lines.push(format!("\nleft out: {}\n  {}", case.name, case.came)),
                Verdict::Fail => lines.push(case.text()),
            }
        }
        let verdict = if self.holds() { "it holds" } else { "it does NOT hold" };
        lines.push(format!("\n{verdict}: {} passed, {} failed, {} left out", self.passed, self.failed, self.skipped));
        lines.join("\n")
    }
}

impl Case {
    fn text(&self) -> String {
        let mut lines = vec![format!("\nFAILED: {}", self.name)];
        for (number, one) in self.sent.iter().enumerate() {
            let status = one.status.map_or_else(|| "not asked".to_owned(), |status| status.to_string());
            let fault = one.fault.map(|fault| format!(", disturbed with {}", fault.name())).unwrap_or_default();
            lines.push(format!("  sent {}:   {} ({status}{fault})", number + 1, printable(&one.request)));
            if !one.body.is_empty() {
                let body: String = one.body.chars().take(300).collect();
                lines.push(format!("            {}", printable(&body)));
            }
        }
        lines.push(format!("  expected: {}", self.expected));
        lines.push(format!("  came:     {}", printable(&self.came)));
        lines.extend(self.look_at.iter().map(|advice| format!("  look at:  {advice}")));
        lines.join("\n")
    }
}

/// What a component says must not write to the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
