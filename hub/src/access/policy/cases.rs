//! `tests/*.yaml`: who, in which organisation, does what to which client, and what must come of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::schema::View;
use super::source::Source;
use super::{Decision, Policy};
use crate::access::action::Action;
use crate::access::caller::Caller;
use crate::domain::filter::{Attribute, Attributes, Type, Value};

/// The operating organisation that cases assume; which one it is, is configuration.
pub(super) const OPERATORS: &str = "operators";

/// How many cases a file may hold.
const MAX_CASES: usize = 5000;

/// A case as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    member: Member,
    #[serde(alias = "actions")]
    action: OneOrMany,
    #[serde(default)]
    client: Option<CaseClient>,
    expect: Expected,
    /// The policy that denies.
    #[serde(default)]
    by: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    #[serde(default = "some_member")]
    id: String,
    #[serde(default = "some_org")]
    org: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    clients: Vec<String>,
    /// Left out, the subscription to Backoffice is active.
    #[serde(default = "subscribed")]
    apps: BTreeMap<String, Option<String>>,
}

fn some_member() -> String {
    "m-1".to_owned()
}

fn some_org() -> String {
    "acme".to_owned()
}

fn subscribed() -> BTreeMap<String, Option<String>> {
    BTreeMap::from([("backoffice".to_owned(), Some("active".to_owned()))])
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Allow,
    Deny,
}

/// A client by its attributes: `reference`, `assignedTo`, `status`, `address.country`, ….
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct CaseClient(BTreeMap<String, serde_json::Value>);

impl CaseClient {
    /// A client of which little is known.
    pub(super) fn new(reference: &str, assigned_to: &[String]) -> Self {
        let values = [("reference", serde_json::json!(reference)), ("assignedTo", serde_json::json!(assigned_to))];
        Self(values.into_iter().map(|(path, value)| (path.to_owned(), value)).collect())
    }

    fn value(&self, attribute: Attribute) -> Option<&serde_json::Value> {
        self.0.get(attribute.path())
    }

    fn problem(&self) -> Option<String> {
        let wrong = |path: &&String| Attribute::at(path).is_none_or(|known| known.known().of == Type::Complex);
        if let Some(path) = self.0.keys().find(wrong) {
            return Some(format!("the client has an unknown attribute `{path}`"));
        }
        (!self.0.contains_key("reference")).then(|| "the client has no `reference`".to_owned())
    }
}

impl Attributes<Attribute> for CaseClient {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        let text = self.value(attribute).and_then(serde_json::Value::as_str);
        match (attribute.known().of, text) {
            (Type::Instant, Some(text)) => match (text.parse::<DateTime<Utc>>(), text.parse()) {
                (Ok(at), _) => Value::Instant(at),
                (_, Ok(date)) => Value::Date(date),
                _ => Value::Missing,
            },
            (_, text) => text.map_or(Value::Missing, Value::Text),
        }
    }

    fn any(&self, attribute: Attribute, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        let all = self.value(attribute).and_then(serde_json::Value::as_array).into_iter().flatten();
        all.filter_map(serde_json::Value::as_str).any(|text| test(Value::Text(text)))
    }

    fn any_element(&self, _of: Attribute, _test: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        false
    }
}

/// What came of one case and action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseOutcome {
    /// The file.
    pub file: String,
    /// Where in it the case begins, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// The character of that line, from 1; 0 where the line as a whole is meant.
    pub column: usize,
    /// The case, and which of its actions.
    pub name: String,
    /// Nothing where it came as expected; else what came instead, and by which line.
    pub difference: Option<String>,
}

impl CaseOutcome {
    /// A difference as a finding.
    pub(super) fn finding(self) -> Option<Finding> {
        let difference = self.difference?;
        Some(Finding::at(&self.file, (self.line, self.column), format!("{}: {difference}", self.name)))
    }
}

/// What came of all cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// How many decisions were compared.
    pub total: usize,
    /// Those that came differently.
    pub differences: Vec<CaseOutcome>,
}

impl From<Vec<CaseOutcome>> for CaseReport {
    fn from(outcomes: Vec<CaseOutcome>) -> Self {
        let total = outcomes.len();
        Self { total, differences: outcomes.into_iter().filter(|outcome| outcome.difference.is_some()).collect() }
    }
}

impl Policy {
    /// Tries every case of `tests/*.yaml`.
    #[must_use]
    pub fn cases(&self, source: &Source) -> Vec<CaseOutcome> {
        source.cases().flat_map(|file| self.cases_of(source, file)).collect()
    }

    fn cases_of(&self, source: &Source, file: &str) -> Vec<CaseOutcome> {
        let failed = |(line, column): (usize, usize), why: String| {
            vec![CaseOutcome { file: file.to_owned(), line, column, name: "file".to_owned(), difference: Some(why) }]
        };
        let text = match source.text(file) {
            Ok(text) => text,
            Err(finding) => return failed((finding.line, finding.column), finding.to_string()),
        };
        match serde_yaml_ng::from_str::<Vec<Case>>(text) {
            Ok(cases) if cases.len() > MAX_CASES => failed((0, 0), format!("more than {MAX_CASES} cases")),
            Ok(cases) => {
                let lines = lines_of(text, cases.len());
                let placed = cases.iter().zip(lines);
                placed.flat_map(|(case, line)| self.try_case((file, line), case)).collect()
            }
            Err(error) => {
                let place = error.location().map_or((0, 0), |place| (place.line(), place.column()));
                failed(place, format!("expected a list of cases: {error}"))
            }
        }
    }

    fn try_case(&self, (file, line): (&str, usize), case: &Case) -> Vec<CaseOutcome> {
        let codes = match &case.action {
            OneOrMany::One(code) => std::slice::from_ref(code),
            OneOrMany::Many(codes) => codes,
        };
        let outcome = |code: &String| {
            let problem = case.client.as_ref().and_then(CaseClient::problem);
            let difference = match (Action::parse(code), problem) {
                (_, Some(problem)) => Some(problem),
                (None, None) => Some(format!("unknown action `{code}`")),
                (Some(action), None) => self.difference(case, action),
            };
            CaseOutcome { file: file.to_owned(), line, column: 0, name: format!("{} ({code})", case.name), difference }
        };
        codes.iter().map(outcome).collect()
    }

    fn difference(&self, case: &Case, action: Action) -> Option<String> {
        let caller = caller(&case.member);
        let view = case.client.as_ref().map_or_else(View::default, |client| View::row(client));
        let decision = self.decide((&caller, OPERATORS), action, view);
        let (found, by) = match &decision {
            Decision::Allowed { .. } => (Expected::Allow, None),
            Decision::Denied { by } => (Expected::Deny, by.and_then(|place| self.condition_id(place))),
        };
        if found == case.expect && (case.by.is_none() || case.by.as_deref() == by) {
            return None;
        }
        let (file, line) = self.deciding_line(&decision, action);
        let mut said = format!("expected {}", word(case.expect));
        if let Some(by) = &case.by {
            let _ = write!(said, " by {by}");
        }
        let _ = write!(said, ", found {}", word(found));
        if let Some(by) = by {
            let _ = write!(said, " by {by}");
        }
        let _ = if line > 0 { write!(said, " ({file}:{line})") } else { write!(said, " (nothing grants it)") };
        Some(said)
    }
}

/// The lines on which the items of a list begin: those with a dash as far in as the first. Zeroes, where it is written in
/// another way.
fn lines_of(text: &str, items: usize) -> Vec<usize> {
    let dash = |line: &str| line.trim_start().starts_with('-').then(|| line.len() - line.trim_start().len());
    let dashes = text.lines().enumerate().filter(|(_, line)| *line != "---");
    let dashes: Vec<_> = dashes.filter_map(|(at, line)| Some((at + 1, dash(line)?))).collect();
    let outermost = dashes.first().map(|(_, depth)| *depth);
    let lines: Vec<_> = dashes.iter().filter(|(_, depth)| Some(*depth) == outermost).map(|(line, _)| *line).collect();
    if lines.len() == items { lines } else { vec![0; items] }
}

const fn word(expected: Expected) -> &'static str {
    match expected {
        Expected::Allow => "allow",
        Expected::Deny => "deny",
    }
}

fn caller(member: &Member) -> Caller {
    let apps = member.apps.iter().filter_map(|(app, state)| Some((app.clone(), state.clone()?))).collect();
    Caller::new(member.id.clone(), member.org.clone(), DateTime::UNIX_EPOCH)
        .with(member.roles.clone(), member.clients.clone())
        .with_apps(apps)
}
