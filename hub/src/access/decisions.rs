//! The policy in force, and the decisions that are made by it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use serde::Serialize;

use super::action::Action;
use super::caller::Caller;
use super::log::{DecisionLog, Made};
use super::permit::{DecisionId, DecisionIds, Denied, Permit, Target};
use super::policy::{Decision, Explanation, Finding, Policy, Question, SourceFile, View};
use super::record::Facts;
use crate::domain::client::Client;

/// What is in force, and what is wrong with the files on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReport {
    /// SHA-256 over the files that are in force.
    pub digest: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The files that are in force.
    pub files: Vec<SourceFile>,
    /// Why the files on disk are not; empty where they are.
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    action: &'static str,
    answer: &'static str,
}

/// Who asks for what, and about which client.
type Asked<'a> = (&'a Arc<Caller>, Action, Option<Target<'a>>);

/// A decision as the decision log takes it.
fn made(
    (caller, action, target): Asked<'_>,
    (decision, policy): (&Decision, &Arc<Policy>),
    (id, took): (DecisionId, Duration),
) -> Made {
    Made {
        id,
        at: Utc::now(),
        caller: Arc::clone(caller),
        action,
        target: target.map(|target| DecisionLog::target(target.reference)),
        facts: target.and_then(|target| target.client).map(Facts::of),
        outcomes: policy.outcomes(caller, action, target.map_or_else(View::default, Target::view)),
        policy: Arc::clone(policy),
        decision: decision.clone(),
        took,
    }
}

/// The line in the log. Denials are for everybody to see.
fn say(
    (caller, action, target): Asked<'_>,
    (decision, policy): (&Decision, &Arc<Policy>),
    (id, took): (DecisionId, Duration),
) {
    let (file, line) = policy.deciding_line(decision, action);
    let (member, org, digest, micros) = (caller.member(), caller.org(), policy.digest(), took.as_micros());
    let client = target.map(|target| DecisionLog::target(target.reference));
    let client = client.as_deref().unwrap_or_default();
    if decision.is_allowed() {
        tracing::debug!(decision = %id, member, org, %action, client, answer = "allow", file, line, digest, micros);
    } else {
        tracing::info!(decision = %id, member, org, %action, client, answer = "deny", file, line, digest, micros);
    }
}

/// Makes permits.
pub struct Access {
    operator_org: String,
    policy: RwLock<Arc<Policy>>,
    findings: RwLock<Vec<Finding>>,
    ids: DecisionIds,
    decided: Family<Labels, Counter>,
    /// Allowed and denied, for each action.
    counters: Vec<(Counter, Counter)>,
    log: Option<DecisionLog>,
}

impl Access {
    /// Decides by `policy`; `operator_org` is the organisation whose members may operate the hub.
    #[must_use]
    pub fn new(policy: Policy, operator_org: &str) -> Self {
        let decided = Family::<Labels, Counter>::default();
        let counter =
            |action: &Action, answer| decided.get_or_create(&Labels { action: action.as_str(), answer }).clone();
        let counters = Action::ALL.iter().map(|action| (counter(action, "allow"), counter(action, "deny"))).collect();
        Self {
            operator_org: operator_org.to_owned(),
            policy: RwLock::new(Arc::new(policy)),
            findings: RwLock::default(),
            ids: DecisionIds::new(),
            decided,
            counters,
            log: None,
        }
    }

    /// Writes every decision to `log` from now on.
    #[must_use]
    pub fn recording(mut self, log: DecisionLog) -> Self {
        self.log = Some(log);
        self
    }

    /// Loads the policy of a folder and decides by it.
    ///
    /// # Errors
    /// Every finding: nothing is decided by a policy that has one.
    pub fn load(folder: &Path, operator_org: &str) -> Result<Self, Vec<Finding>> {
        Policy::load(folder).map(|policy| Self::new(policy, operator_org))
    }

    /// Publishes `hub_decisions_total`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("hub_decisions", "Decisions by action and answer", self.decided.clone());
        if let Some(log) = &self.log {
            log.register(registry);
        }
    }

    /// Whether `caller` may do `action`, to `target` where it is done to a client. For a listing there is no target, and
    /// the permit says which rows may be seen.
    ///
    /// # Errors
    /// The policy denies it, or could not decide.
    pub fn permit(&self, caller: &Arc<Caller>, action: Action, target: Option<Target<'_>>) -> Result<Permit, Denied> {
        let started = Instant::now();
        let policy = Arc::clone(&self.policy.read());
        let view = target.map_or_else(View::default, Target::view);
        let decision = policy.decide((caller, &self.operator_org), action, view);
        let id = self.ids.next();
        self.record((caller, action, target), (&decision, &policy), (id, started));
        match decision {
            Decision::Allowed { on_client, rows, .. } => {
                let client = target.filter(|_| on_client).and_then(|target| target.client);
                let client_version = client.map(|client| client.version);
                let caller = Arc::clone(caller);
                Ok(Permit { caller, action, decision: id, policy, client_version, rows })
            }
            Decision::Denied { by } => {
                let policy = by.and_then(|place| policy.condition_id(place)).map(str::to_owned);
                Err(Denied { action, decision_id: id, policy, field: None })
            }
        }
    }

    /// Counts a decision, hands it to the decision log, and says it in the log.
    fn record(&self, asked: Asked<'_>, decided: (&Decision, &Arc<Policy>), (id, started): (DecisionId, Instant)) {
        let (allowed, took) = (decided.0.is_allowed(), started.elapsed());
        if let Some((allows, denials)) = self.counters.get(asked.1.index()) {
            let counter = if allowed { allows } else { denials };
            counter.inc();
        }
        if let Some(log) = self.log.as_ref().filter(|log| log.takes(allowed)) {
            log.take(made(asked, decided, (id, took)));
        }
        if !allowed || tracing::enabled!(tracing::Level::DEBUG) {
            say(asked, decided, (id, took));
        }
    }

    /// Writes the decisions that wait for the log, and no more of them. Blocks.
    pub fn close(&self) {
        self.log.iter().for_each(DecisionLog::close);
    }

    /// Why a request would be allowed or denied. `client` is the one that the question names, where there is one.
    ///
    /// # Errors
    /// The action is unknown.
    pub fn explain(&self, question: &Question, client: Option<&Client>) -> Result<Explanation, String> {
        let policy = Arc::clone(&self.policy.read());
        policy.explain(question, &self.operator_org, client)
    }

    /// What is in force.
    #[must_use]
    pub fn report(&self) -> PolicyReport {
        let policy = Arc::clone(&self.policy.read());
        PolicyReport {
            digest: policy.digest().to_owned(),
            since: policy.since(),
            files: policy.files().to_vec(),
            findings: self.findings.read().clone(),
        }
    }

    /// The digest of what is in force.
    #[must_use]
    pub fn digest(&self) -> String {
        self.policy.read().digest().to_owned()
    }

    /// Puts another policy in force, in one step; decisions that are being made end by the one they began with.
    pub fn swap(&self, policy: Policy) {
        // What was in force is taken down when nobody waits for the lock any more.
        let before = std::mem::replace(&mut *self.policy.write(), Arc::new(policy));
        drop(before);
        self.findings.write().clear();
    }

    /// Keeps what is in force and remembers why the files on disk are not.
    pub fn refuse(&self, findings: Vec<Finding>) {
        *self.findings.write() = findings;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{OPERATORS, access, caller, permit};
    use super::*;

    #[test]
    fn every_decision_has_an_id_of_its_own_and_is_counted() {
        let access = access();
        let member = caller("m-1", "acme", &["RP004"]);
        let denied = access.permit(&member, Action::CL003, None).unwrap_err();
        let allowed = access.permit(&member, Action::CL001, None).unwrap();
        assert_ne!(denied.decision_id.to_string(), allowed.decision_id().to_string());
        assert!(!denied.to_string().contains("m-1"));
        let mut registry = Registry::default();
        access.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [r#"{action="CL003",answer="deny"} 1"#, r#"{action="CL001",answer="allow"} 1"#] {
            assert!(text.contains(&format!("hub_decisions_total{line}")), "{text}");
        }
        assert_eq!(permit("m-1", OPERATORS, Action::CX020).org(), OPERATORS);
    }

    #[test]
    fn refused_files_are_reported_and_forgotten_when_others_come_into_force() {
        let access = access();
        access.refuse(vec![Finding {
            file: "x".to_owned(),
            line: 1,
            column: 2,
            message: "y".to_owned(),
            expected: String::new(),
        }]);
        assert_eq!(access.report().findings.len(), 1);
        let report = access.report();
        access.swap(Policy::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")).unwrap());
        assert_eq!((access.report().digest, access.report().findings.len()), (report.digest, 0));
    }
}
