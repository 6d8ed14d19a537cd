//! The cases, one after the other.
//!
//! For each function: once undisturbed, then with each of its requests disturbed in each way, then delivered twice, then
//! with odd clients. A function that does not work undisturbed is not tried further.

use std::collections::BTreeMap;

use chrono::Utc;

use super::acts::{self, Act, Scene, Unset};
use super::backend::{Backend, Exchange};
use super::clients::{self, ODD};
use super::fault::Fault;
use super::judge::{self, Finding, Heard};
use super::report::{Case, Report, Verdict};
use super::script::Known;
use crate::adapters::{AdapterName, Adapters, CallError, LoadedInfo};

/// Reads of one call that are disturbed, from its first request; writes are all of them.
const MOST_READS: usize = 8;
/// Failures of one function after which no more of it is tried.
const MOST_FAILURES: usize = 12;
/// What the first case of each function is called.
const UNDISTURBED: &str = "nothing disturbs it";
/// The longest that an idempotency key may be, which is what the suite sends.
const KEY_LENGTH: usize = 64;

/// A component in the sandbox, in front of its outside system.
pub struct Checked<'a> {
    /// Loaded with the backend's endpoints.
    pub adapters: &'a Adapters,
    /// The same component with endpoints that nobody listens on.
    pub alone: &'a Adapters,
    /// What it implements.
    pub adapter: AdapterName,
    /// What was loaded.
    pub info: &'a LoadedInfo,
    /// Its outside system.
    pub backend: &'a Backend,
    /// What the script knows.
    pub known: &'a Known,
}

/// Tries everything.
pub async fn run(checked: &Checked<'_>) -> Report {
    let mut suite = Suite { checked, cases: Vec::new(), clients: 0, keys: BTreeMap::new() };
    suite.described();
    for act in acts::of_world(checked.adapter) {
        suite.act(*act).await;
    }
    suite.endpoints_used();
    let count = |verdict| suite.cases.iter().filter(|case| case.verdict == verdict).count();
    Report {
        digest: checked.info.digest,
        world: checked.info.world.clone(),
        contract: checked.info.contract.clone(),
        hub: env!("CARGO_PKG_VERSION"),
        at: Utc::now(),
        description: checked.info.description.clone(),
        passed: count(Verdict::Pass),
        failed: count(Verdict::Fail),
        skipped: count(Verdict::Skip),
        cases: suite.cases,
    }
}

struct Suite<'a> {
    checked: &'a Checked<'a>,
    cases: Vec<Case>,
    /// How many clients there have been.
    clients: u32,
    /// The idempotency keys that were sent, and for which of the clients.
    keys: BTreeMap<String, u32>,
}

/// What a case is called and what is right in it.
struct About {
    act: Act,
    what: String,
    expected: String,
}

impl Suite<'_> {
    /// What the component says of its functions is what the hub goes by.
    fn described(&mut self) {
        let said = &self.checked.info.description.functions;
        let missing: Vec<&str> = crate::adapters::functions(self.checked.adapter)
            .iter()
            .copied()
            .filter(|function| !said.contains_key(*function))
            .collect();
        let finding = (!missing.is_empty())
            .then(|| format!("`describe` does not say whether these may be repeated: {}", missing.join(", ")));
        self.cases.push(Case {
            name: "describe names every function".to_owned(),
            function: "describe",
            verdict: if finding.is_none() { Verdict::Pass } else { Verdict::Fail },
            expected: "each function with its repeat safety".to_owned(),
            came: format!("{} functions", said.len()),
            look_at: finding,
            sent: Vec::new(),
        });
    }

    fn has_endpoints(&self) -> bool {
        !self.checked.info.description.endpoints.is_empty()
    }

    /// An endpoint that is described is granted; one that nobody asks is granted for nothing.
    fn endpoints_used(&mut self) {
        let asked = |name: &&String| self.cases.iter().flat_map(|case| &case.sent).any(|one| one.endpoint == **name);
        let described = &self.checked.info.description.endpoints;
        let unused: Vec<&str> = described.iter().filter(|name| !asked(name)).map(String::as_str).collect();
        // What could not be tried may be what asks it.
        let untried = |case: &Case| case.verdict != Verdict::Pass && case.name.ends_with(UNDISTURBED);
        let complete = !self.cases.iter().any(untried);
        let finding = (complete && !unused.is_empty()).then(|| {
            format!(
                "`describe` names {}, and no function has sent anything there: ask it, or leave it out",
                unused.join(", ")
            )
        });
        let case = Case {
            name: "every endpoint that describe names is asked".to_owned(),
            function: "describe",
            verdict: if finding.is_none() { Verdict::Pass } else { Verdict::Fail },
            expected: "a request to each".to_owned(),
            came: format!("{} endpoints", described.len()),
            look_at: finding,
            sent: Vec::new(),
        };
        // Beside the other one about `describe`.
        self.cases.insert(self.cases.len().min(1), case);
    }

    /// A key of another delivery: what is sent under it is taken for a repeat of that one.
    fn reused_key(&mut self, sent: &[Exchange]) -> Finding {
        let client = self.clients;
        let key = sent.iter().filter_map(|one| one.key.as_ref());
        let key = key.into_iter().find(|key| *self.keys.entry((*key).clone()).or_insert(client) != client)?;
        Some(format!(
            "the idempotency key `{key}` was sent for another delivery before, so that the outside system takes this one \
             for its repeat and does nothing: send the key that the function was given"
        ))
    }

    async fn act(&mut self, act: Act) {
        let Some(requests) = self.undisturbed(act).await else { return };
        let before = self.failures();
        let writes = |at: usize| judge::moment(&requests, at).writes;
        let calm = (MOST_READS..requests.len()).filter(|at| !writes(*at)).count();
        if calm > 0 {
            self.left_out(act, &format!("{calm} reads"), "of the reads of one call the first 8 requests are disturbed");
        }
        let all = requests.iter().enumerate();
        for (at, request) in all.filter(|(at, _)| *at < MOST_READS || writes(*at)) {
            for fault in Fault::ALL {
                if self.failures() - before >= MOST_FAILURES {
                    let why = format!("{MOST_FAILURES} cases of it have failed already");
                    return self.left_out(act, "everything else", &why);
                }
                let moment = judge::moment(&requests, at);
                // An answer without a body can't be cut, and one that nobody gives can't be lost.
                let possible = fault != Fault::Cut || request.answered_bytes > 1;
                if fault.fits(moment) && possible {
                    self.disturbed(act, at, fault).await;
                }
            }
        }
        if act.stands_alone() && !requests.is_empty() {
            self.unreachable(act).await;
        }
        if act.has_key() {
            self.twice(act).await;
            for at in (0..requests.len()).filter(|at| writes(*at)) {
                self.again_after_a_loss(act, at).await;
            }
        }
        if act.carries_names() {
            for (what, client) in ODD {
                self.odd(act, what, client).await;
            }
        }
    }

    /// The requests of the call where nothing is in its way; nothing where it does not work.
    async fn undisturbed(&mut self, act: Act) -> Option<Vec<Exchange>> {
        let about = About { act, what: UNDISTURBED.to_owned(), expected: "an answer".to_owned() };
        let mut scene = self.scene();
        if !self.ready(&about, &mut scene).await {
            return None;
        }
        let heard = self.call(act, &scene, None).await;
        let exchanges = self.checked.backend.exchanges();
        let finding = judge::success(&heard, &exchanges, act.must_write(self.checked.adapter));
        let finding = finding.or_else(|| judge::asked(&exchanges).filter(|_| act.must_ask() && self.has_endpoints()));
        let works = finding.is_none();
        self.judged(about, &heard, exchanges.clone(), finding);
        if !works {
            self.left_out(act, "everything else", "it does not work undisturbed");
        }
        works.then_some(exchanges)
    }

    async fn disturbed(&mut self, act: Act, at: usize, fault: Fault) {
        let what = format!("{} at request {}", fault.name(), at + 1);
        let mut about = About { act, what, expected: String::new() };
        let mut scene = self.scene();
        if !self.ready(&about, &mut scene).await {
            return;
        }
        let heard = self.call(act, &scene, Some((at, fault))).await;
        let exchanges = self.checked.backend.exchanges();
        if exchanges.len() <= at {
            return self.left_out(act, &about.what, "the component sent fewer requests this time");
        }
        let finding = if act == Act::Health {
            "a failure, or health with `ok = false`".clone_into(&mut about.expected);
            judge::unhealthy(&heard, &exchanges, at, fault)
        } else {
            about.expected = judge::in_words(fault.expected(judge::moment(&exchanges, at)));
            let function = act.function(self.checked.adapter);
            let once = self.checked.info.description.functions.get(function) == Some(&"unsafe");
            judge::disturbed(&heard, &exchanges, at, fault)
                .or_else(|| judge::redirected(&heard, &exchanges, at, fault).filter(|_| once))
        };
        self.judged(about, &heard, exchanges, finding);
    }

    /// Nobody listens.
    async fn unreachable(&mut self, act: Act) {
        let expected = "unavailable or retry".to_owned();
        let about = About { act, what: "nobody listens".to_owned(), expected };
        let scene = self.scene();
        let heard = self.heard(self.checked.alone, act, &scene).await;
        let harmless = matches!(heard.outcome, "unavailable" | "retry") || (act == Act::Health && !heard.well);
        let finding = (!harmless).then(|| "no connection was made, so that nothing was sent: `unavailable`".to_owned());
        self.judged(about, &heard, Vec::new(), finding);
    }

    /// One delivery, made twice.
    async fn twice(&mut self, act: Act) {
        let about =
            About { act, what: "the same delivery twice".to_owned(), expected: "one effect, two answers".into() };
        self.second(about, None).await;
    }

    /// A delivery whose answer was lost, made again.
    async fn again_after_a_loss(&mut self, act: Act, at: usize) {
        let what = format!("the same delivery again, the answer to request {} having been lost", at + 1);
        let about = About { act, what, expected: "one effect, and an answer".to_owned() };
        self.second(about, Some((at, Fault::LostAnswer))).await;
    }

    async fn second(&mut self, about: About, disturb: Option<(usize, Fault)>) {
        let act = about.act;
        let function = act.function(self.checked.adapter);
        if self.checked.info.description.functions.get(function) == Some(&"unsafe") {
            return self.left_out(act, &about.what, "`describe` says `unsafe`, so that the hub never repeats it");
        }
        let mut scene = self.scene();
        if !self.ready(&about, &mut scene).await {
            return;
        }
        self.call(act, &scene, disturb).await;
        let first = self.checked.backend.exchanges();
        let heard = self.call(act, &scene, None).await;
        let second = self.checked.backend.exchanges();
        let finding = judge::repeated(&heard, &first, &second);
        self.judged(about, &heard, [first, second].concat(), finding);
    }

    async fn odd(&mut self, act: Act, what: &str, client: fn(&str) -> crate::adapters::wit::types::Profile) {
        let about = About { act, what: what.to_owned(), expected: "an answer, the name unchanged".to_owned() };
        self.clients += 1;
        let scene = Scene::new(client(&reference(self.clients)));
        self.checked.backend.new_case();
        let heard = self.call(act, &scene, None).await;
        let exchanges = self.checked.backend.exchanges();
        let finding = judge::odd(&heard, &exchanges, &scene.client);
        self.judged(about, &heard, exchanges, finding);
    }

    fn scene(&mut self) -> Scene {
        self.clients += 1;
        Scene::new(clients::person(&reference(self.clients)))
    }

    /// Brings the outside system into the state that the case begins with; a case that can't be is left out.
    async fn ready(&mut self, about: &About, scene: &mut Scene) -> bool {
        let Checked { adapters, adapter, backend, known, .. } = self.checked;
        backend.new_case();
        backend.new_call(None);
        match acts::prepare(adapters, *adapter, about.act, scene, known).await {
            Ok(()) => true,
            Err(Unset::Missing(what)) => {
                self.left_out(about.act, &about.what, what);
                false
            }
            Err(Unset::Failed(why)) => {
                let look_at =
                    "what has to be there before could not be made; see the functions that make it".to_owned();
                let heard = Heard { text: why, ..Heard::default() };
                let (act, what, expected) = (about.act, about.what.clone(), about.expected.clone());
                self.judged(About { act, what, expected }, &heard, backend.exchanges(), Some(look_at));
                false
            }
        }
    }

    async fn call(&self, act: Act, scene: &Scene, disturb: Option<(usize, Fault)>) -> Heard {
        self.checked.backend.new_call(disturb);
        self.heard(self.checked.adapters, act, scene).await
    }

    async fn heard(&self, adapters: &Adapters, act: Act, scene: &Scene) -> Heard {
        let blamed =
            || adapters.report().first().map_or((0, None), |one| (one.blamed_on_guest, one.last_fault.clone()));
        let key: String = format!("{:0>KEY_LENGTH$}", scene.client.reference.replace('-', ""));
        let (before, _) = blamed();
        let result = acts::perform(adapters, self.checked.adapter, act, scene, &key).await;
        let (after, fault) = blamed();
        let mut heard = match result {
            Ok(answer) => Heard { outcome: "ok", text: answer.text, well: answer.well, ..Heard::default() },
            Err(error) => failed(&error),
        };
        heard.broke = (after > before).then(|| fault.unwrap_or_default());
        heard
    }

    fn judged(&mut self, about: About, heard: &Heard, sent: Vec<Exchange>, finding: Finding) {
        // Where the simulator is silent nothing was proven, and that is not the same as holding.
        let trouble = self.checked.backend.trouble();
        let finding = finding.or_else(|| self.reused_key(&sent)).or_else(|| trouble.clone());
        let verdict = if finding.is_none() { Verdict::Pass } else { Verdict::Fail };
        self.cases.push(Case {
            name: format!("{}: {}", about.act.label(self.checked.adapter), about.what),
            function: about.act.function(self.checked.adapter),
            verdict,
            expected: about.expected,
            came: trouble.unwrap_or_else(|| heard.text.clone()),
            look_at: finding,
            sent,
        });
    }

    fn left_out(&mut self, act: Act, what: &str, why: &str) {
        self.cases.push(Case {
            name: format!("{}: {what}", act.label(self.checked.adapter)),
            function: act.function(self.checked.adapter),
            verdict: Verdict::Skip,
            expected: String::new(),
            came: why.to_owned(),
            look_at: None,
            sent: Vec::new(),
        });
    }

    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.verdict == Verdict::Fail).count()
    }
}

/// As the hub's own references look.
fn reference(number: u32) -> String {
    format!("CL-01CHECK{number:016}")
}

fn failed(error: &CallError) -> Heard {
    let after_ms = match error {
        CallError::Retry { after, .. } => after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
        _ => None,
    };
    Heard { outcome: outcome(error), text: error.to_string(), after_ms, ..Heard::default() }
}

const fn outcome(error: &CallError) -> &'static str {
    match error {
        CallError::Retry { .. } => "retry",
        CallError::Unknown(_) => "unknown",
        CallError::Reject { .. } => "reject",
        CallError::Unauthorized(_) => "unauthorized",
        CallError::Unavailable(_) => "unavailable",
        CallError::Down(_) => "down",
        CallError::Busy => "busy",
    }
}
