//! A decision of the policy, against casbin's own enforcer on the same files.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use casbin::{CoreApi, DefaultModel, Enforcer, FileAdapter};
use chrono::Utc;
use hub::access::{
    Access, Action, Caller, DecisionLog, DecisionsConfig, Grant, LocalKey, Policy, Source, Target, Tokens,
};
use hub::domain::client::Client;

use crate::data;
use crate::report::{Row, median};

const ROUNDS: usize = 9;
const DECISIONS: u32 = 50_000;
const OF_CASBIN: u32 = 2_000;
const MEMBERS: usize = 100_000;
/// Permissions beside the repository's own, so that there are 200 lines.
const MORE: usize = 22;
const RELOADS: usize = 1_000;
const MOST_SAMPLES: usize = 5_000_000;
/// What a decision may cost, and an answer at a reload.
const MOST_MICROS: f64 = 2.0;
const MOST_MILLIS: f64 = 10.0;

pub fn permit() -> Row {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let access = Access::load(&policies, "operators").unwrap();
    let folder = data::folder();
    let key = LocalKey::open(&folder.path().join("hub.key")).unwrap();
    let token = data::tokens(folder.path(), 1).remove(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let caller = runtime.block_on(Tokens::local(&key).verify(&token)).unwrap();
    let enforcer = runtime.block_on(async {
        let model = DefaultModel::from_file(policies.join("model.conf")).await.unwrap();
        Enforcer::new(model, FileAdapter::new(policies.join("policy.csv"))).await.unwrap()
    });
    let target = Target { reference: "CL-1", client: None };
    let (mut ours, mut casbins) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..DECISIONS {
            black_box(access.permit(black_box(&caller), Action::CL002, Some(target)).unwrap());
        }
        ours.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(DECISIONS));
        let began = Instant::now();
        for _ in 0..OF_CASBIN {
            let request = ("RP001", "CL002", vec!["P_BO_001"]);
            assert!(enforcer.enforce(black_box(request)).unwrap());
        }
        casbins.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(OF_CASBIN));
    }
    let (ours, casbins) = (median(ours), median(casbins));
    let row = Row::told("a decision, beside casbin's enforcer", format!("{ours:.2} µs"));
    row.beside(format!("{casbins:.2} µs"), format!("{:.3}", ours / casbins))
}

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

/// The repository's policy with more roles, permissions and conditions: 200 lines.
fn enlarged(folder: &Path) {
    let append = |name: &str, more: String| {
        let text = fs::read_to_string(repository().join(name)).unwrap();
        fs::write(folder.join(name), format!("{text}\n{more}")).unwrap();
    };
    let each = |line: fn(usize) -> String| (0..MORE).map(line).collect::<String>();
    append("model.conf", String::new());
    append("names.csv", each(|n| format!("role, RX{n:03}, Role {n}\npermission, more_{n}, Permission {n}\n")));
    append(
        "policy.csv",
        each(|n| {
            let opens: String = (1..=6).map(|action| format!("p, more_{n}, CL{action:03}\n")).collect();
            format!("{opens}g, RX{n:03}, more_{n}\n")
        }),
    );
    let mine = "client.status eq active and member.clients contain {client}";
    append(
        "conditions.csv",
        format!("X_001, RX000, CL004, {mine}\nX_002, RP003, CL004, client.kyc.status ne rejected\n"),
    );
}

fn client() -> Client {
    serde_json::from_value(serde_json::json!({
        "reference": "CL-1", "org": "bench", "status": "active", "version": 7, "onboarding": true, "mirrored": true,
        "profile": { "kind": "corporate", "name": "A", "assignedTo": ["m-1"],
            "corporate": { "legalName": "A", "registrationNumber": "1" } },
        "kyc": { "status": "approved" }, "entry": "00000000-0000-0000-0000-000000000000", "seq": 1,
        "createdAt": Utc::now(), "createdBy": "m-1", "updatedAt": Utc::now(), "updatedBy": "m-1"
    }))
    .unwrap()
}

fn members(key: &LocalKey, count: usize) -> Vec<Arc<Caller>> {
    let tokens = Tokens::local(key);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let caller = |number: usize| {
        let role = ["RP001", "RP002", "RP003", "RX000"][number % 4];
        let token = key.sign(&Grant {
            member: format!("m-{number}"),
            org: "bench".to_owned(),
            roles: vec![role.to_owned()],
            clients: vec!["CL-1".to_owned(), format!("CL-{number}")],
            subscription: Some("active".to_owned()),
            from: Utc::now(),
            lifetime: Duration::from_secs(3600),
        });
        runtime.block_on(tokens.verify(&token)).unwrap()
    };
    (0..count).map(caller).collect()
}

/// 100,000 members, 200 lines, conditions about the client, every decision written down.
pub fn crowd() -> Row {
    let folder = data::folder();
    enlarged(folder.path());
    let log = DecisionLog::open(&folder.path().join("decisions"), DecisionsConfig::default()).unwrap();
    let access = Access::load(folder.path(), "operators").unwrap().recording(log);
    let key = LocalKey::open(&folder.path().join("hub.key")).unwrap();
    let (members, client) = (members(&key, MEMBERS), client());
    let target = Target { reference: "CL-1", client: Some(&client) };
    let enforcer = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let model = DefaultModel::from_file(folder.path().join("model.conf")).await.unwrap();
        Enforcer::new(model, FileAdapter::new(folder.path().join("policy.csv"))).await.unwrap()
    });
    let timed = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64() * 1e6
    };
    let decide = |member: &Arc<Caller>| {
        timed(&mut || drop(black_box(access.permit(black_box(member), Action::CL004, Some(target)).unwrap())))
    };
    let ours = median(members.iter().map(decide));
    let ask = |_| timed(&mut || assert!(enforcer.enforce(black_box(("RP001", "CL004", vec!["P_BO_001"]))).unwrap()));
    let casbins = median((0..OF_CASBIN).map(ask));
    let row = Row::most("a decision among 100,000 members and 200 lines", "µs", ours, MOST_MICROS);
    row.beside(format!("{casbins:.2} µs"), format!("{:.3}", ours / casbins))
}

/// Decisions while the policy is swapped a thousand times: none by a mixed or an empty one, none held up. The slowest of
/// all is told too: on a busy machine it is the scheduler's.
pub fn reloads() -> [Row; 2] {
    let folder = data::folder();
    let access = Arc::new(Access::load(&repository(), "operators").unwrap());
    let key = LocalKey::open(&folder.path().join("hub.key")).unwrap();
    let caller = members(&key, 2).remove(1);
    let source = Source::read(&repository()).unwrap();
    // The floor: the same work beside the decisions, of which nothing comes into force.
    let built = beside(&access, caller.clone(), || drop(Policy::build(source.clone()).unwrap()));
    let swapped = beside(&access, caller, || access.swap(Policy::build(source.clone()).unwrap()));
    let late = swapped[swapped.len() - 1 - swapped.len() / 10_000];
    let told = |took: &[f64]| format!("{:.1} ms", took[took.len() - 1]);
    [
        Row::most("a decision during 1,000 reloads, 9,999 of 10,000", "ms", late, MOST_MILLIS),
        Row::told("the slowest of them, beside policies that are only built", told(&swapped))
            .beside(told(&built), String::new()),
    ]
}

/// How long decisions take while something is done again and again, ms, the slowest last.
fn beside(access: &Arc<Access>, caller: Arc<Caller>, work: impl Fn()) -> Vec<f64> {
    let done = Arc::new(AtomicBool::new(false));
    let asking = {
        let (access, done) = (access.clone(), done.clone());
        std::thread::spawn(move || {
            let mut took = Vec::with_capacity(MOST_SAMPLES);
            while !done.load(Ordering::Relaxed) {
                let began = Instant::now();
                let (may, may_not) =
                    (access.permit(&caller, Action::CL001, None), access.permit(&caller, Action::CL003, None));
                if took.len() < MOST_SAMPLES {
                    took.push(began.elapsed().as_secs_f64() * 1e3);
                }
                assert!(may.is_ok() && may_not.is_err(), "decided by a mixed or an empty policy");
            }
            took
        })
    };
    (0..RELOADS).for_each(|_| work());
    done.store(true, Ordering::Relaxed);
    let mut took = asking.join().unwrap();
    took.sort_by(f64::total_cmp);
    took
}
