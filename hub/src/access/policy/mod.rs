//! The files of `policies/` as decisions.
//!
//! A folder is read whole, checked by the hub's own strict parsers with every finding at once, handed to a new casbin
//! enforcer, asked whether it decides what the files say, and tried on the cases in `tests/`; only a policy without a
//! finding exists. It never changes afterwards, so whoever holds one decides by one set of files.
//!
//! This module knows members, roles, actions and clients' attributes; it knows no tokens, no routes and no store.

mod cases;
mod check;
mod conditions;
mod csv;
mod decide;
mod enforcer;
mod explain;
mod finding;
mod matcher;
mod matrix;
mod model;
mod names;
mod recalled;
mod rules;
mod schema;
mod source;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;

use super::action::Action;
use conditions::{Condition, Conditions};
use enforcer::{Answer, Casbin};
use model::Model;
use names::Names;
use rules::Rules;
use schema::PolicySchema;

pub use cases::{CaseOutcome, CaseReport};
pub use explain::{ConditionStep, Explanation, GrantStep, Question, RoleStep};
pub use finding::Finding;
pub use matrix::{Difference, Matrix, MatrixRow};
pub use source::{Source, SourceFile};

pub(super) use decide::Decision;
pub(super) use schema::View;

/// A policy is checked on a thread with room for casbin's parser, and within this time.
const STACK_BYTES: usize = 16 * 1024 * 1024;
const CHECK_SECONDS: u64 = 20;

/// How many answers are remembered.
const REMEMBERED: usize = 16_384;

/// A set of rules in force, or ready to be.
pub struct Policy {
    digest: String,
    since: DateTime<Utc>,
    files: Vec<SourceFile>,
    names: Names,
    /// The place of each role in `names`.
    roles: HashMap<String, u16>,
    rules: Rules,
    conditions: Vec<Condition>,
    schema: PolicySchema,
    /// Whether a condition looks at what a record of a decision does not keep.
    looks_beyond: bool,
    /// The conditions that apply, for each role and action.
    applying: Vec<Vec<u16>>,
    casbin: Casbin,
    /// Role, action, and which of the applying conditions hold.
    remembered: Cache<(u16, Action, u64), Answer>,
}

impl fmt::Debug for Policy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Policy").field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Policy {
    /// Reads, checks and tries the files of a folder.
    ///
    /// # Errors
    /// Every finding.
    pub fn load(folder: &Path) -> Result<Self, Vec<Finding>> {
        Self::build(Source::read(folder)?)
    }

    /// Checks and tries what was read.
    ///
    /// # Errors
    /// Every finding.
    pub fn build(source: Source) -> Result<Self, Vec<Finding>> {
        let policy = Self::check(source.clone())?;
        let findings: Vec<Finding> =
            policy.cases(&source).into_iter().filter_map(cases::CaseOutcome::finding).collect();
        if findings.is_empty() { Ok(policy) } else { Err(findings) }
    }

    /// Checks what was read, without the cases in `tests/`.
    ///
    /// # Errors
    /// Every finding.
    pub fn check(source: Source) -> Result<Self, Vec<Finding>> {
        // Not joined: a check that does not end must not keep its caller. Its thread has nothing of the policy in force.
        let (done, outcome) = mpsc::sync_channel(1);
        let checking = thread::Builder::new().name("policy-check".to_owned()).stack_size(STACK_BYTES);
        let spawned = checking.spawn(move || drop(done.send(Self::assemble(&source))));
        if let Err(error) = spawned {
            return Err(vec![Finding::of("policies", format!("the check can't be started: {error}"))]);
        }
        outcome.recv_timeout(Duration::from_secs(CHECK_SECONDS)).unwrap_or_else(|_| {
            let message = format!("the check did not end within {CHECK_SECONDS} s, or failed within casbin");
            Err(vec![Finding::of(source::MODEL, message).expected("a model that casbin can evaluate")])
        })
    }

    fn assemble(source: &Source) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let model = Model::read(source, &mut findings);
        let names = Names::read(source, &mut findings);
        let rules = Rules::read(source, &names, &mut findings);
        let Conditions { all: conditions, schema } = Conditions::read(source, &names, &mut findings);
        if !findings.is_empty() {
            return Err(findings);
        }
        let casbin = Casbin::new(&model, &rules, &conditions)
            .map_err(|error| vec![Finding::of(source::MODEL, format!("casbin refuses the policy: {error}"))])?;
        let subjects = check::Subjects { model: &model, names: &names, rules: &rules, conditions: &conditions };
        let findings = subjects.findings(&casbin);
        if !findings.is_empty() {
            return Err(findings);
        }
        let codes = names.roles.iter().map(|(role, _)| role.clone());
        let roles = codes.zip(0_u16..).collect();
        let applying = applying(&names, &conditions);
        let (digest, since, files) = (source.digest(), Utc::now(), source.files());
        let looks_beyond = conditions.iter().any(|condition| recalled::looks_beyond(&condition.expression));
        let remembered = Cache::new(REMEMBERED);
        Ok(Self {
            digest,
            since,
            files,
            names,
            roles,
            rules,
            conditions,
            schema,
            looks_beyond,
            applying,
            casbin,
            remembered,
        })
    }

    /// SHA-256 over the files.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// When it was loaded.
    #[must_use]
    pub const fn since(&self) -> DateTime<Utc> {
        self.since
    }

    /// The files that it was made from.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// How many roles, lines of `policy.csv` and lines of `conditions.csv` there are.
    #[must_use]
    pub fn size(&self) -> (usize, usize, usize) {
        (self.roles.len(), self.rules.opens.len() + self.rules.holds.len(), self.conditions.len())
    }

    /// casbin's answer, remembered.
    fn ask(&self, role: u16, action: Action, held: u64) -> Answer {
        let key = (role, action, held);
        if let Some(answer) = self.remembered.get(&key) {
            return answer;
        }
        let answer = self.ask_casbin(role, action, held);
        self.remembered.insert(key, answer);
        answer
    }

    /// An id holds where every applying line that bears it does.
    fn ask_casbin(&self, role: u16, action: Action, held: u64) -> Answer {
        let applying = || self.applying(role, action).enumerate();
        let failed = |id: &str| applying().any(|(bit, condition)| held >> bit & 1 == 0 && condition.id == id);
        let mut ids: Vec<&str> = applying().map(|(_, condition)| condition.id.as_str()).collect();
        ids.retain(|id| !failed(id));
        let code = self.names.roles.get(usize::from(role)).map_or("", |(code, _)| code.as_str());
        self.casbin.ask(code, action, &ids)
    }

    /// The conditions that apply to a role and an action, in the order of the file.
    fn applying(&self, role: u16, action: Action) -> impl Iterator<Item = &Condition> {
        let places = self.applying.get(usize::from(role) * Action::ALL.len() + action.index());
        places.into_iter().flatten().filter_map(|place| self.conditions.get(usize::from(*place)))
    }
}

fn applying(names: &Names, conditions: &[Condition]) -> Vec<Vec<u16>> {
    let roles = names.roles.iter().map(|(role, _)| role.as_str());
    let pairs = roles.flat_map(|role| Action::ALL.iter().map(move |action| (role, *action)));
    let of = |(role, action): (&str, Action)| -> Vec<u16> {
        let applying = conditions.iter().zip(0_u16..).filter(|(condition, _)| condition.applies(role, action));
        applying.map(|(_, place)| place).collect()
    };
    pairs.map(of).collect()
}
