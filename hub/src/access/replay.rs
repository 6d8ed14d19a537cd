//! The recorded decisions again, under other files: who gains, who loses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::log::files;
use super::policy::Policy;
use super::record::{Answer, Record};

/// The longest line that is read, in bytes: a record is bounded by the token that it was made of.
const LONGEST: u64 = 1 << 20;

/// What the other files would change for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// A denial becomes an allow.
    Gains,
    /// An allow becomes a denial.
    Loses,
    /// A listing shows all rows that showed only some.
    Widened,
    /// A listing shows only some rows that showed all.
    Narrowed,
    /// The other files look at what was not recorded: nobody can tell.
    Unknown,
}

/// Decisions of one member, with the same roles and action, that come out differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// How.
    pub change: Change,
    /// The organisation.
    pub org: String,
    /// The member.
    pub member: String,
    /// The roles that the member brought.
    pub roles: Vec<String>,
    /// The action.
    pub action: String,
    /// How many decisions.
    pub decisions: u64,
    /// The newest of them.
    pub last: String,
    /// The line of the other files that decides it, as `file:line`.
    pub by: Option<String>,
    /// What was looked at and not recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// What a replay came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Decisions that were made again.
    pub decisions: u64,
    /// Lines that are no decision, such as one that a crash left unfinished.
    pub unreadable: u64,
    /// Who gains and who loses.
    pub moved: Vec<Moved>,
}

type Who = (Change, String, String, Vec<String>, String);

/// Makes the decisions in `folder` again by `policy`, those from `from` on.
///
/// # Errors
/// The files can't be read.
pub fn replay(folder: &Path, policy: &Policy, operator_org: &str, from: Option<DateTime<Utc>>) -> io::Result<Replay> {
    let (mut replay, mut moved) = (Replay::default(), BTreeMap::<Who, Moved>::new());
    for path in files(folder)? {
        let mut lines = BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        while lines.by_ref().take(LONGEST).read_until(b'\n', &mut line)? > 0 {
            match serde_json::from_slice::<Record<'_>>(&line) {
                Ok(record) if from.is_none_or(|from| record.at >= from) => {
                    replay.decisions += 1;
                    compare(policy, operator_org, record, &mut moved);
                }
                Ok(_) => {}
                Err(_) => replay.unreadable += 1,
            }
            line.clear();
        }
    }
    replay.moved = moved.into_values().collect();
    Ok(replay)
}

fn compare(policy: &Policy, operator_org: &str, record: Record<'_>, moved: &mut BTreeMap<Who, Moved>) {
    let (change, by, missing) = match policy.again(&record, operator_org) {
        None => (Some(Change::Unknown), None, vec![format!("action {}", record.action)]),
        Some(again) if !again.unknown.is_empty() => (Some(Change::Unknown), again.by, again.unknown),
        Some(again) => {
            let change = match (record.answer, again.answer) {
                (Answer::Deny, Answer::Allow) => Some(Change::Gains),
                (Answer::Allow, Answer::Deny) => Some(Change::Loses),
                (Answer::Allow, Answer::Allow) if record.narrowed && !again.narrowed => Some(Change::Widened),
                (Answer::Allow, Answer::Allow) if !record.narrowed && again.narrowed => Some(Change::Narrowed),
                _ => None,
            };
            (change, again.by, Vec::new())
        }
    };
    let Some(change) = change else { return };
    let [org, member, action] = [record.org, record.member, record.action].map(Cow::into_owned);
    let mut roles = record.roles.into_owned();
    roles.sort_unstable();
    let who = (change, org.clone(), member.clone(), roles.clone(), action.clone());
    let entry = moved.entry(who).or_insert_with(|| Moved {
        change,
        org,
        member,
        roles,
        action,
        decisions: 0,
        last: String::new(),
        by: None,
        missing: Vec::new(),
    });
    entry.decisions += 1;
    (entry.last, entry.by, entry.missing) = (record.id.into_owned(), by, missing);
}
