//! `hub policy …`: the policy admin's tools. They read the files alone, and need no hub.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::JsonArgs;
use super::output::Exit;
use super::session::{Session, answers, told};
use super::store::{ExplainArgs, MatrixArgs, PolicyArgs, PolicyCommand, ReplayArgs};
use crate::access::{
    self, CaseReport, Change, Difference, Explanation, Finding, Moved, Policy, Question, Replay, RoleStep, Source,
};
use crate::startup::data::decisions_in;

/// The table of rights that was reviewed.
const MATRIX: &str = "matrix.txt";
/// The largest such file that is read, in bytes.
const MATRIX_BYTES: u64 = 1024 * 1024;

/// Runs the command. It fails where something is wrong or different.
///
/// # Errors
/// What stands in its way, for stderr.
pub fn run(session: &Session, command: &PolicyCommand) -> Result<Exit, String> {
    match command {
        PolicyCommand::Check(args) => check(session, args),
        PolicyCommand::Test(args) => test(session, args),
        PolicyCommand::Matrix(args) => matrix(session, args),
        PolicyCommand::Explain(args) => explain(session, args),
        PolicyCommand::Replay(args) => replay(session, args),
    }
}

/// The folder: the one that was named, else the configured one.
fn folder(session: &Session, args: &PolicyArgs) -> Result<PathBuf, String> {
    match &args.dir {
        Some(dir) => Ok(dir.clone()),
        None => Ok(session.config(&args.config)?.policies.path),
    }
}

fn check(session: &Session, args: &PolicyArgs) -> Result<Exit, String> {
    let policy = match Policy::load(&folder(session, args)?) {
        Ok(policy) => policy,
        Err(findings) => return refused(args.json, &findings),
    };
    let (roles, rules, conditions) = policy.size();
    let digest = policy.digest();
    let text = format!("ok: {roles} roles, {rules} rules, {conditions} conditions, {digest}");
    say(args.json, &text, &json!({"digest": digest, "findings": []}), Exit::Done)
}

fn test(session: &Session, args: &PolicyArgs) -> Result<Exit, String> {
    let folder = folder(session, args)?;
    let read = Source::read(&folder).and_then(|source| Ok((Policy::check(source.clone())?, source)));
    let (policy, source) = match read {
        Ok(read) => read,
        Err(findings) => return refused(args.json, &findings),
    };
    let report = CaseReport::from(policy.cases(&source));
    let difference = |outcome: &crate::access::CaseOutcome| {
        let place = if outcome.line > 0 { format!("{}:{}", outcome.file, outcome.line) } else { outcome.file.clone() };
        format!("{place}: {}: {}", outcome.name, outcome.difference.as_deref().unwrap_or_default())
    };
    let mut lines: Vec<String> = report.differences.iter().map(difference).collect();
    lines.push(format!("{} decisions tried, {} different", report.total, report.differences.len()));
    let reviewed = reviewed(&folder, &policy);
    lines.extend(reviewed.as_ref().err().cloned());
    let mut shown = json!(report);
    if let Some(members) = shown.as_object_mut() {
        members.insert("matrixReviewed".to_owned(), json!(reviewed.is_ok()));
    }
    // Who has nothing tried has tried nothing: a folder without its tests is not a good one.
    let failed = !report.differences.is_empty() || report.total == 0 || reviewed.is_err();
    say(args.json, &lines.join("\n"), &shown, failed_if(failed))
}

/// Whether the rights are those that were reviewed as a table.
fn reviewed(folder: &Path, policy: &Policy) -> Result<(), String> {
    let file = folder.join(MATRIX);
    match crate::file::read_text(&file, MATRIX_BYTES) {
        Ok(kept) if kept == policy.matrix().to_string() => Ok(()),
        Ok(_) => Err(format!(
            "{MATRIX} is not what the files grant: review `hub policy matrix`, and keep what it prints there"
        )),
        Err(error) => Err(format!("{MATRIX} can't be read ({error}): keep what `hub policy matrix` prints there")),
    }
}

fn matrix(session: &Session, args: &MatrixArgs) -> Result<Exit, String> {
    let json = args.policy.json;
    let policy = match read(&folder(session, &args.policy)?) {
        Ok(policy) => policy,
        Err(findings) => return refused(json, &findings),
    };
    let matrix = policy.matrix();
    let Some(other) = &args.diff else { return say(json, matrix.to_string().trim_end(), &json!(matrix), Exit::Done) };
    let differences = match read(other) {
        Ok(other) => matrix.differences(&other.matrix()),
        Err(findings) => return refused(json, &findings),
    };
    let line = |one: &Difference| format!("{} {}: {} → {}", one.role, one.action, one.from, one.to);
    let text = match differences.is_empty() {
        true => "no difference".to_owned(),
        false => differences.iter().map(line).collect::<Vec<_>>().join("\n"),
    };
    say(json, &text, &json!(differences), failed_if(!differences.is_empty()))
}

/// A policy whose rights can be shown although its cases may not hold.
fn read(folder: &Path) -> Result<Policy, Vec<Finding>> {
    Policy::check(Source::read(folder)?)
}

fn explain(session: &Session, args: &ExplainArgs) -> Result<Exit, String> {
    let config = session.config(&args.policy.config)?;
    let folder = args.policy.dir.as_ref().unwrap_or(&config.policies.path);
    let policy = match read(folder) {
        Ok(policy) => policy,
        Err(findings) => return refused(args.policy.json, &findings),
    };
    let question = Question {
        member: args.member.clone(),
        org: args.org.clone(),
        roles: args.roles.clone(),
        clients: args.token_client.clone(),
        apps: BTreeMap::from([("backoffice".to_owned(), args.subscription.clone())]),
        action: args.action.as_str().to_owned(),
        client: args.client.clone(),
        assigned_to: args.assigned_to.clone(),
    };
    let explanation = policy.explain(&question, config.auth.operator_org.as_str(), None)?;
    say(args.policy.json, &explained(&explanation), &json!(explanation), Exit::Done)
}

fn explained(explanation: &Explanation) -> String {
    let word = if explanation.allowed { "allow" } else { "deny" };
    let by = explanation.policy.as_deref().map_or_else(String::new, |policy| format!(" by {policy}"));
    let line = explanation.decided_by.as_deref().unwrap_or("nothing grants it");
    let first = format!("{word} {}{by} ({line})", explanation.action);
    let last = format!("to turn it: {}", explanation.to_turn_it);
    let steps = explanation.roles.iter().flat_map(step);
    std::iter::once(first).chain(steps).chain([last]).collect::<Vec<_>>().join("\n")
}

fn step(step: &RoleStep) -> Vec<String> {
    let known = if step.known { "" } else { " (not in names.csv)" };
    let way = step.granted.as_ref().map_or_else(
        || "does not grant it".to_owned(),
        |grant| format!("through {} ({}, {})", grant.permission, grant.held_by, grant.opened_by),
    );
    let mut lines = vec![format!("  {}{known}: {way}", step.role)];
    for condition in &step.conditions {
        let mark = if condition.holds { "✓" } else { "✗" };
        lines.push(format!("    {mark} {} ({}): {}", condition.id, condition.line, condition.condition));
        let value = |(path, value): &(String, Option<String>)| {
            format!("        {path} = {}", value.as_deref().unwrap_or("missing"))
        };
        lines.extend(condition.attributes.iter().map(value));
    }
    lines
}

fn replay(session: &Session, args: &ReplayArgs) -> Result<Exit, String> {
    let config = session.config(&args.config)?;
    let folder = args.decisions.clone().unwrap_or_else(|| decisions_in(&config.store.path));
    let policy = match Policy::load(&args.dir) {
        Ok(policy) => policy,
        Err(findings) => return refused(args.json, &findings),
    };
    let replayed = access::replay(&folder, &policy, config.auth.operator_org.as_str(), args.from);
    let replay = replayed.map_err(|error| format!("the decisions in {}: {error}", folder.display()))?;
    if replay.decisions == 0 {
        return Err(format!("there are no such decisions in {}: nothing was compared", folder.display()));
    }
    say(args.json, &replayed_text(&replay), &json!(replay), failed_if(!replay.moved.is_empty()))
}

fn replayed_text(replay: &Replay) -> String {
    let mut lines: Vec<String> = replay.moved.iter().map(moved).collect();
    let of = |change: Change| {
        let those = replay.moved.iter().filter(|moved| moved.change == change);
        those.map(|moved| moved.decisions).sum::<u64>()
    };
    lines.push(format!(
        "{} decisions made again: {} gained, {} lost, {} widened, {} narrowed, {} can't be told ({} lines unreadable)",
        replay.decisions,
        of(Change::Gains),
        of(Change::Loses),
        of(Change::Widened),
        of(Change::Narrowed),
        of(Change::Unknown),
        replay.unreadable
    ));
    lines.join("\n")
}

fn moved(moved: &Moved) -> String {
    let Moved { org, member, action, decisions, last, .. } = moved;
    let roles = moved.roles.join("+");
    let (word, why) = match moved.change {
        Change::Gains => ("gains", String::new()),
        Change::Loses => ("loses", String::new()),
        Change::Widened => ("sees more rows of", String::new()),
        Change::Narrowed => ("sees fewer rows of", String::new()),
        Change::Unknown => ("can't be told", format!(", not recorded: {}", moved.missing.join(", "))),
    };
    let by = moved.by.as_deref().unwrap_or("nothing grants it");
    let text = format!("{org}/{member} ({roles}) {word} {action}: {decisions} decisions, the last {last} ({by}){why}");
    // Members and roles come from outside: they must not write to the terminal.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn refused(json: JsonArgs, findings: &[Finding]) -> Result<Exit, String> {
    let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
    say(json, &text.join("\n"), &json!({"findings": findings}), Exit::Failed)
}

fn say(json: JsonArgs, text: &str, value: &Value, exit: Exit) -> Result<Exit, String> {
    let answer: io::Result<()> = answers(json).say(text, value);
    told(answer.map(|()| exit))
}

const fn failed_if(failed: bool) -> Exit {
    if failed { Exit::Failed } else { Exit::Done }
}
