//! Decisions that are written, sampled, dropped, bounded, and made again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;

use super::super::record::{Answer, Record};
use super::super::testing::{OPERATORS, access, caller};
use super::super::{Access, Action, DecisionsConfig, Policy, Target, replay};
use super::{Counts, DecisionLog, Mutex, Segments, bounded, files};

fn config(toml: &str) -> DecisionsConfig {
    toml::from_str(toml).unwrap()
}

fn recording(folder: &Path, toml: &str) -> Access {
    access().recording(DecisionLog::open(folder, config(toml)).unwrap())
}

fn records(folder: &Path) -> Vec<Record<'static>> {
    let text: String = files(folder).unwrap().iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn metric(access: &Access, line: &str) -> u64 {
    let (mut registry, mut text) = (prometheus_client::registry::Registry::default(), String::new());
    access.register(&mut registry);
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let value = text.lines().find_map(|found| found.strip_prefix(line)).unwrap_or_else(|| panic!("{line} in {text}"));
    value.trim().parse().unwrap()
}

#[test]
fn a_decision_is_written_with_what_made_it() {
    let folder = tempfile::tempdir().unwrap();
    let access = recording(folder.path(), "");
    let member = caller("m-1", "acme", &["RP004", "RP999"]);
    let target = Target { reference: "CL-1", client: None };
    let denied = access.permit(&member, Action::CL002, Some(target)).unwrap_err();
    let allowed = access.permit(&member, Action::CL001, None).unwrap();
    access.close();
    let written = records(folder.path());
    let [first, second] = &written[..] else { panic!("{written:?}") };
    assert_eq!((&*first.id, first.answer), (&*denied.decision_id.to_string(), Answer::Deny));
    assert_eq!((&*first.member, &*first.org, &*first.action), ("m-1", "acme", "CL002"));
    assert_eq!((&*first.roles, first.target.as_deref()), (member.roles(), Some("CL-1")));
    assert_eq!((first.apps["backoffice"].as_str(), first.by.as_deref()), ("active", None));
    assert_eq!((&*second.id, second.answer), (&*allowed.decision_id().to_string(), Answer::Allow));
    assert!(second.by.as_ref().unwrap().starts_with("policy.csv:") && second.us > 0.0);
    assert_eq!(second.digest, access.digest());
    let file = files(folder.path()).unwrap().pop().unwrap();
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(metric(&access, "hub_decisions_written_total"), 2);
}

#[test]
fn allows_are_sampled_and_denials_never() {
    let folder = tempfile::tempdir().unwrap();
    let access = recording(folder.path(), "allows = 0.25");
    let member = caller("m-1", "acme", &["RP004"]);
    for _ in 0..2000 {
        access.permit(&member, Action::CL001, None).unwrap();
        access.permit(&member, Action::CL002, None).unwrap_err();
    }
    access.close();
    let denials = records(folder.path()).iter().filter(|record| record.answer == Answer::Deny).count();
    let allows = records(folder.path()).len() - denials;
    assert_eq!(denials, 2000);
    assert!((300..=700).contains(&allows), "{allows}");
    assert!(toml::from_str::<DecisionsConfig>("allows = 1.5").is_err());
    assert!(toml::from_str::<DecisionsConfig>("keep_mib = 0").is_err());
}

#[test]
fn where_there_is_no_room_allows_are_dropped_before_denials_and_both_are_counted() {
    // Nobody writes: what is taken stays.
    let (queue, _waiting) = bounded(8);
    let (running, thread) = (Mutex::new(None), Mutex::new(None));
    let access = access().recording(DecisionLog { queue, running, thread, allows: 1.0, counts: Counts::new() });
    let member = caller("m-1", "acme", &["RP004"]);
    let (allows, denials) =
        ("hub_decisions_dropped_total{answer=\"allow\"}", "hub_decisions_dropped_total{answer=\"deny\"}");
    for _ in 0..8 {
        access.permit(&member, Action::CL001, None).unwrap();
    }
    assert_eq!((metric(&access, allows), metric(&access, denials)), (2, 0));
    for _ in 0..3 {
        access.permit(&member, Action::CL002, None).unwrap_err();
    }
    assert_eq!((metric(&access, allows), metric(&access, denials)), (2, 1));
}

#[test]
fn the_files_are_bounded_and_an_unfinished_line_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let keep = 64 << 10;
    let line = [&[b'x'; 99][..], b"\n"].concat();
    let mut segments = Segments::open(folder.path(), keep).unwrap();
    (0..5000).for_each(|_| segments.write(&line).unwrap());
    segments.flush().unwrap();
    let size =
        |folder: &Path| -> u64 { files(folder).unwrap().iter().map(|file| fs::metadata(file).unwrap().len()).sum() };
    assert!(size(folder.path()) <= keep && size(folder.path()) > keep / 2, "{}", size(folder.path()));
    let newest = files(folder.path()).unwrap().pop().unwrap();
    fs::write(&newest, "{\"id\":").unwrap();
    let mut segments = Segments::open(folder.path(), keep).unwrap();
    segments.write(b"{}\n").unwrap();
    segments.flush().unwrap();
    assert!(fs::read_to_string(&newest).unwrap().ends_with("{\"id\":\n{}\n"));
}

#[test]
fn a_disk_that_refuses_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("decisions");
    let access = recording(&place, "keep_mib = 1");
    let member = caller("m-1", "acme", &["RP004"]);
    fs::remove_dir_all(&place).unwrap();
    fs::write(&place, "no folder").unwrap();
    // A segment takes 64 KiB: the next can't be made.
    for _ in 0..2000 {
        access.permit(&member, Action::CL002, None).unwrap_err();
    }
    access.close();
    assert!(metric(&access, "hub_decisions_dropped_total{answer=\"deny\"}") > 0);
}

fn policy(change: impl Fn(&str, String) -> String) -> Policy {
    let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies"), tempfile::tempdir().unwrap());
    for name in ["model.conf", "names.csv", "policy.csv", "conditions.csv"] {
        let text = fs::read_to_string(from.join(name)).unwrap();
        fs::write(to.path().join(name), change(name, text)).unwrap();
    }
    Policy::load(to.path()).unwrap()
}

#[test]
fn recorded_decisions_come_out_the_same_under_the_same_files_and_differences_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let access = recording(folder.path(), "");
    let client: crate::domain::client::Client = serde_json::from_value(serde_json::json!({
        "reference": "CL-1", "org": "acme", "status": "active", "version": 7, "onboarding": true, "mirrored": true,
        "profile": { "kind": "corporate", "name": "A", "assignedTo": ["m-1"], "segment": "marker-segment",
            "corporate": { "legalName": "A", "registrationNumber": "1" } },
        "kyc": { "status": "approved" }, "entry": uuid::Uuid::nil(), "seq": 1, "createdAt": Utc::now(),
        "createdBy": "m-1", "updatedAt": Utc::now(), "updatedBy": "m-1"
    }))
    .unwrap();
    let target = Some(Target { reference: "CL-1", client: Some(&client) });
    for member in ["m-1", "m-2"] {
        for action in Action::ALL {
            for role in ["RP001", "RP002", "RP003", "RP004", "OP001"] {
                let org = if role == "OP001" { OPERATORS } else { "acme" };
                drop(access.permit(&caller(member, org, &[role]), *action, target.filter(|_| !action.is_listing())));
            }
        }
    }
    access.close();
    let text: String = files(folder.path()).unwrap().iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert!(!text.contains("marker-segment"));
    let again = |policy: &Policy| replay(folder.path(), policy, OPERATORS, None).unwrap();
    let same = again(&policy(|_, text| text));
    assert_eq!(
        (same.decisions as usize, same.unreadable, same.moved.len()),
        (Action::ALL.len() * 10, 0, 0),
        "{same:?}"
    );

    let other = again(&policy(|_, text| {
        text.replace("g, RP004, clnt_list\n", "g, RP004, acct_list\n").replace("role eq RP002 AND ", "")
    }));
    let told: Vec<_> = other
        .moved
        .iter()
        .map(|moved| (format!("{:?}", moved.change), moved.member.as_str(), moved.action.as_str()))
        .collect();
    let of = |change: &str, action| ["m-1", "m-2"].map(|member| (change.to_owned(), member, action));
    assert_eq!(told, [of("Gains", "CL006"), of("Loses", "CL001")].concat());

    // What was not recorded can't be told; what was recorded of the same condition can.
    let asks = |name: &str, text: String| match name {
        "conditions.csv" => text + "\nQ_1, RP003, CL002, client.segment eq private\n",
        _ => text,
    };
    let unknown = again(&policy(asks));
    assert_eq!(unknown.moved.len(), 2, "{unknown:?}");
    assert!(unknown.moved.iter().all(|moved| moved.missing == ["client.segment"] && moved.action == "CL002"));
    let later = Utc::now() + Duration::from_secs(60);
    assert_eq!(replay(folder.path(), &policy(asks), OPERATORS, Some(later)).unwrap().decisions, 0);

    let second = tempfile::tempdir().unwrap();
    let access = Access::new(policy(asks), OPERATORS).recording(DecisionLog::open(second.path(), config("")).unwrap());
    drop(access.permit(&caller("m-1", "acme", &["RP003"]), Action::CL002, target));
    access.close();
    let known = replay(second.path(), &policy(asks), OPERATORS, None).unwrap();
    assert_eq!((known.decisions, known.moved.len()), (1, 0), "{known:?}");
}
