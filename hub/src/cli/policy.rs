//! `hub policy check|test|matrix|explain`: the policy admin's tools, without a running hub.
//!
//! What they print is for people, or JSON with `--json`; they exit 1 where something is wrong or different.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::access::{AuthConfig, CaseReport, Explanation, Finding, Policy, Question, Source};

/// Checks, tries, shows and explains the files of a policy.
#[derive(Debug, Args)]
#[command(after_help = "Example: hub policy explain --role RP002 --member m-7 --org acme --action CL004 --client CL-1")]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: Command,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report everything that is wrong with the files.
    #[command(after_help = "Example: hub policy check policies")]
    Check {
        /// The folder.
        #[arg(default_value = "policies")]
        dir: PathBuf,
    },
    /// Try the cases in tests/.
    #[command(after_help = "Example: hub policy test policies")]
    Test {
        /// The folder.
        #[arg(default_value = "policies")]
        dir: PathBuf,
    },
    /// Show every role and every action as a table.
    #[command(after_help = "Example: hub policy matrix policies --diff policies.new")]
    Matrix {
        /// The folder.
        #[arg(default_value = "policies")]
        dir: PathBuf,
        /// Show only what another folder has differently; exit 1 if anything.
        #[arg(long, value_name = "OTHER_DIR")]
        diff: Option<PathBuf>,
    },
    /// Say why a request would be allowed or denied.
    #[command(
        after_help = "Example: hub policy explain --role RP002 --member m-7 --org acme --action CL004 --client CL-1"
    )]
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// The folder.
    #[arg(default_value = "policies")]
    dir: PathBuf,
    /// A role of the member; may be repeated.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The member's id.
    #[arg(long)]
    member: String,
    /// The organisation.
    #[arg(long)]
    org: String,
    /// The action's code.
    #[arg(long)]
    action: String,
    /// The client that is acted on.
    #[arg(long, value_name = "REF")]
    client: Option<String>,
    /// A member whom that client is assigned to; may be repeated.
    #[arg(long, value_name = "MEMBER")]
    assigned_to: Vec<String>,
    /// A client that the token assigns to the member; may be repeated.
    #[arg(long, value_name = "REF")]
    token_client: Vec<String>,
    /// How the organisation's Backoffice subscription stands.
    #[arg(long, default_value = "active")]
    subscription: String,
    /// The organisation that operates the hub.
    #[arg(long, value_name = "ORG")]
    operator_org: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// The output can't be written.
#[expect(clippy::unused_async, reason = "every command is run alike, and others wait")]
pub async fn run(args: PolicyArgs) -> io::Result<ExitCode> {
    let json = args.json;
    match args.command {
        Command::Check { dir } => check(&dir, json),
        Command::Test { dir } => test(&dir, json),
        Command::Matrix { dir, diff: None } => matrix(&dir, json),
        Command::Matrix { dir, diff: Some(other) } => diff((&dir, &other), json),
        Command::Explain(args) => explain(args, json),
    }
}

fn check(dir: &Path, json: bool) -> io::Result<ExitCode> {
    let policy = match Policy::load(dir) {
        Ok(policy) => policy,
        Err(findings) => return refused(&findings, json),
    };
    let (roles, rules, conditions) = policy.size();
    let digest = policy.digest();
    if json {
        return answer(&json!({ "digest": digest, "findings": [] }), ExitCode::SUCCESS);
    }
    say(&format!("ok: {roles} roles, {rules} rules, {conditions} conditions, {digest}\n"), ExitCode::SUCCESS)
}

fn test(dir: &Path, json: bool) -> io::Result<ExitCode> {
    let read = Source::read(dir).and_then(|source| Ok((Policy::check(source.clone())?, source)));
    let (policy, source) = match read {
        Ok(read) => read,
        Err(findings) => return refused(&findings, json),
    };
    let report = CaseReport::from(policy.cases(&source));
    let exit = if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        return answer(&report, exit);
    }
    let mut text = String::new();
    for outcome in &report.differences {
        let difference = outcome.difference.as_deref().unwrap_or("");
        text.push_str(&format!("{}: {}: {difference}\n", outcome.file, outcome.name));
    }
    text.push_str(&format!("{} decisions tried, {} different\n", report.total, report.differences.len()));
    say(&text, exit)
}

fn matrix(dir: &Path, json: bool) -> io::Result<ExitCode> {
    match policy_of(dir) {
        Ok(policy) if json => answer(&policy.matrix(), ExitCode::SUCCESS),
        Ok(policy) => say(&policy.matrix().to_string(), ExitCode::SUCCESS),
        Err(findings) => refused(&findings, json),
    }
}

fn diff((dir, other): (&Path, &Path), json: bool) -> io::Result<ExitCode> {
    let both = policy_of(dir).and_then(|policy| Ok((policy, policy_of(other)?)));
    let differences = match both {
        Ok((policy, other)) => policy.matrix().differences(&other.matrix()),
        Err(findings) => return refused(&findings, json),
    };
    let exit = if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        return answer(&differences, exit);
    }
    let line = |one: &crate::access::Difference| format!("{} {}: {} → {}\n", one.role, one.action, one.from, one.to);
    say(&differences.iter().map(line).collect::<String>(), exit)
}

/// A policy whose rights can be shown although its cases may not hold.
fn policy_of(dir: &Path) -> Result<Policy, Vec<Finding>> {
    Policy::check(Source::read(dir)?)
}

fn explain(args: ExplainArgs, json: bool) -> io::Result<ExitCode> {
    let policy = match policy_of(&args.dir) {
        Ok(policy) => policy,
        Err(findings) => return refused(&findings, json),
    };
    let default = AuthConfig::default().operator_org;
    let operator_org = args.operator_org.unwrap_or_else(|| default.as_str().to_owned());
    let question = Question {
        member: args.member,
        org: args.org,
        roles: args.roles,
        clients: args.token_client,
        apps: BTreeMap::from([("backoffice".to_owned(), args.subscription)]),
        action: args.action,
        client: args.client,
        assigned_to: args.assigned_to,
    };
    match policy.explain(&question, &operator_org, None) {
        Ok(explanation) if json => answer(&explanation, ExitCode::SUCCESS),
        Ok(explanation) => say(&told(&explanation), ExitCode::SUCCESS),
        Err(problem) => {
            writeln!(io::stderr(), "{problem}")?;
            Ok(ExitCode::from(2))
        }
    }
}

fn told(explanation: &Explanation) -> String {
    let word = if explanation.allowed { "allow" } else { "deny" };
    let by = explanation.policy.as_deref().map_or_else(String::new, |policy| format!(" by {policy}"));
    let line = explanation.decided_by.as_deref().unwrap_or("nothing grants it");
    let mut text = format!("{word} {}{by} ({line})\n", explanation.action);
    for step in &explanation.roles {
        let known = if step.known { "" } else { " (not in names.csv)" };
        match &step.granted {
            Some(grant) => text.push_str(&format!(
                "  {}{known}: through {} ({}, {})\n",
                step.role, grant.permission, grant.held_by, grant.opened_by
            )),
            None => text.push_str(&format!("  {}{known}: does not grant it\n", step.role)),
        }
        for condition in &step.conditions {
            let mark = if condition.holds { "✓" } else { "✗" };
            text.push_str(&format!("    {mark} {} ({}): {}\n", condition.id, condition.line, condition.condition));
            for (path, value) in &condition.attributes {
                text.push_str(&format!("        {path} = {}\n", value.as_deref().unwrap_or("missing")));
            }
        }
    }
    text.push_str(&format!("to turn it: {}\n", explanation.to_turn_it));
    text
}

fn refused(findings: &[Finding], json: bool) -> io::Result<ExitCode> {
    if json {
        return answer(&json!({ "findings": findings }), ExitCode::FAILURE);
    }
    let text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    say(&text, ExitCode::FAILURE)
}

fn answer(value: &impl Serialize, exit: ExitCode) -> io::Result<ExitCode> {
    let text = serde_json::to_string_pretty(value)?;
    say(&format!("{text}\n"), exit)
}

fn say(text: &str, exit: ExitCode) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(exit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::{CommandFactory as _, Parser};
    use futures::executor::block_on;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        policy: PolicyArgs,
    }

    fn ran(arguments: &[&str]) -> ExitCode {
        let cli = Cli::try_parse_from(["policy"].iter().chain(arguments)).unwrap();
        block_on(run(cli.policy)).unwrap()
    }

    #[test]
    fn commands_exit_by_what_they_find() {
        Cli::command().debug_assert();
        let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");
        let empty = tempfile::tempdir().unwrap();
        let empty = empty.path().to_str().unwrap();
        let who = ["--member", "m-7", "--org", "acme", "--role", "RP002", "--client", "CL-1"];
        for (arguments, exit) in [
            (vec!["check", own], 0),
            (vec!["check", own, "--json"], 0),
            (vec!["check", empty], 1),
            (vec!["test", own], 0),
            (vec!["test", empty, "--json"], 1),
            (vec!["matrix", own], 0),
            (vec!["matrix", own, "--diff", own], 0),
            (vec!["matrix", own, "--diff", empty], 1),
            ([&["explain", own, "--action", "CL004"], &who[..]].concat(), 0),
            ([&["explain", own, "--action", "CL099"], &who[..]].concat(), 2),
        ] {
            assert_eq!(ran(&arguments), ExitCode::from(exit), "{arguments:?}");
        }
    }
}
