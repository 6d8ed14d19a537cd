//! The verdict: every look at the evidence, and what is wrong with it.
//!
//! The journal is read as an auditor would, from `hub journal export`, and folded here once more by rules of this checker's
//! own, so that the hub's answers, the outside systems and NATS are each compared with what was committed.

mod answers;
mod api;
mod deliveries;
mod fold;
mod journal;
mod nats;
mod outside;

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::book::{Asked, Book};
use crate::harness::World;
use fold::Fold;

/// An entry as it was exported.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub seq: u64,
    pub id: String,
    pub time: String,
    pub org: String,
    pub stream: String,
    pub version: u64,
    pub kind: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub request_id: String,
    pub data: Value,
}

impl Entry {
    /// What follows the family in the stream's name.
    pub fn about(&self) -> &str {
        self.stream.split_once('/').map_or("", |(_, about)| about)
    }

    pub fn family(&self) -> &str {
        self.stream.split('/').next().unwrap_or_default()
    }
}

/// All that is known of a round.
pub struct Evidence<'a> {
    pub world: &'a World,
    pub nats_port: u16,
    pub asked: Vec<Asked>,
    pub exported: String,
    pub entries: Vec<Entry>,
    pub outside: Value,
    pub counts: BTreeMap<String, u64>,
    /// Whether there came a moment at which nothing was owed.
    pub caught_up: bool,
}

impl<'a> Evidence<'a> {
    pub fn new(world: &'a World, book: &Book, nats_port: u16) -> Self {
        let (exported, entries, outside) = (String::new(), Vec::new(), Value::Null);
        Self {
            world,
            nats_port,
            asked: book.all(),
            exported,
            entries,
            outside,
            counts: BTreeMap::new(),
            caught_up: true,
        }
    }

    /// Counts what was seen, for the summary.
    pub fn count(&mut self, what: impl Into<String>, number: usize) {
        *self.counts.entry(what.into()).or_default() += u64::try_from(number).unwrap();
    }
}

/// What is wrong, one line each.
pub type Findings = Vec<String>;

/// Looks at everything.
pub async fn all(evidence: &mut Evidence<'_>) -> Findings {
    let mut findings = Findings::new();
    if !evidence.caught_up {
        findings.push(format!("stuck: still owed after the round: {:?}", crate::operator::owed(evidence.world).await));
    }
    let verified = hub(evidence.world, &["journal", "verify"]);
    if !verified.0 {
        findings.push(format!("journal: `hub journal verify` found: {}", verified.1));
    }
    evidence.exported = hub(evidence.world, &["journal", "export"]).1;
    evidence.entries = evidence.exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    evidence.outside = evidence.world.outside.everything().await;
    evidence.count("requests", evidence.asked.len());
    evidence.count("requests without an answer", evidence.asked.iter().filter(|asked| asked.told.is_none()).count());
    evidence.count("journal entries", evidence.entries.len());
    for told in evidence.asked.clone().iter().filter_map(|asked| asked.told.as_ref()) {
        evidence.count(format!("answers {} {}", told.status, told.code()), 1);
    }
    let fold = Fold::of(&evidence.entries);
    findings.extend(journal::look(evidence));
    findings.extend(answers::look(evidence, &fold));
    let lanes = deliveries::read(evidence, &fold, &mut findings);
    findings.extend(outside::look(evidence, &fold, &lanes));
    findings.extend(api::look(evidence, &fold).await);
    findings.extend(nats::look(evidence).await);
    findings
}

/// A command of the `hub` program beside the running hub: whether it succeeded, and what it said.
fn hub(world: &World, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hub"));
    command.args(arguments).arg("--config").arg(world.config_file()).current_dir(world.folder());
    let output = command.output().unwrap();
    let told = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(told).unwrap())
}
