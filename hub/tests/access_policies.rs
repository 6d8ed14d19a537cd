//! Permits by the repository's policy, and policy files that change while decisions are made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use hub::access::{Access, Action, Caller, Grant, LocalKey, PolicyChange, Source, Target, Tokens, watch};
use hub::domain::client::Client;
use tokio::sync::{mpsc, oneshot};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

async fn caller(member: &str, org: &str, role: &str, subscription: Option<&str>) -> Arc<Caller> {
    let folder = tempfile::tempdir().unwrap();
    let key = LocalKey::open(&folder.path().join("hub.key")).unwrap();
    let grant = Grant {
        member: member.to_owned(),
        org: org.to_owned(),
        roles: vec![role.to_owned()],
        clients: vec!["CL-TOKEN".to_owned()],
        subscription: subscription.map(str::to_owned),
        from: Utc::now(),
        lifetime: Duration::from_mins(1),
    };
    Tokens::local(&key).verify(&key.sign(&grant)).await.unwrap()
}

fn client(reference: &str, assigned_to: &str) -> Client {
    serde_json::from_value(serde_json::json!({
        "reference": reference, "org": "acme", "status": "active", "version": 7, "onboarding": true, "mirrored": true,
        "profile": { "kind": "corporate", "name": "A", "assignedTo": [assigned_to],
            "corporate": { "legalName": "A", "registrationNumber": "1" } },
        "kyc": { "status": "approved" }, "entry": uuid::Uuid::nil(), "seq": 1, "createdAt": Utc::now(),
        "createdBy": "m-1", "updatedAt": Utc::now(), "updatedBy": "m-1"
    }))
    .unwrap()
}

#[tokio::test]
async fn permits_say_what_they_rest_on_and_denials_what_a_caller_may_know() {
    let access = Access::load(&repository(), "operators").unwrap();
    let officer = caller("m-1", "acme", "RP002", Some("active")).await;
    let mine = client("CL-1", "m-1");
    let other = client("CL-2", "m-2");
    let edit = |reference, client| access.permit(&officer, Action::CL004, Some(Target { reference, client }));

    let permit = edit("CL-1", Some(&mine)).unwrap();
    assert_eq!((permit.org(), permit.member(), permit.action()), ("acme", "m-1", Action::CL004));
    assert_eq!(permit.conditional_on_client(), Some(7));
    assert_eq!(permit.policy_digest(), access.digest());
    // The token's own list reaches further than what exists.
    assert_eq!(edit("CL-TOKEN", None).unwrap().conditional_on_client(), None);
    let denied = edit("CL-2", Some(&other)).unwrap_err();
    assert_eq!((denied.action, denied.policy.as_deref()), (Action::CL004, Some("P_BO_002")));
    assert_eq!(edit("CL-UNKNOWN", None).unwrap_err().policy.as_deref(), Some("P_BO_002"));
    let view = access.permit(&officer, Action::CL002, Some(Target { reference: "CL-2", client: Some(&other) }));
    assert_eq!(view.unwrap().conditional_on_client(), None);
    assert!(access.permit(&officer, Action::CL001, None).unwrap().rows().is_none());
    assert_eq!(access.permit(&officer, Action::CL003, None).unwrap_err().policy, None);

    for action in Action::ALL {
        let lapsed = caller("m-1", "operators", "OP001", None).await;
        assert_eq!(access.permit(&lapsed, *action, None).unwrap_err().policy.as_deref(), Some("P_BO_001"));
    }
    let foreign = caller("m-1", "acme", "OP001", Some("active")).await;
    assert!(access.permit(&foreign, Action::CX020, None).is_err());
    let operator = caller("m-1", "operators", "OP001", Some("active")).await;
    assert!(access.permit(&operator, Action::CX020, None).is_ok());
}

#[tokio::test]
async fn listings_show_the_rows_that_a_condition_allows() {
    let folder = copied();
    let text = fs::read_to_string(folder.path().join("conditions.csv")).unwrap();
    let narrowed = format!("{text}\nP_1, RP002, CL001, member.clients contain {{client}}\n");
    fs::write(folder.path().join("conditions.csv"), narrowed).unwrap();
    let access = Access::load(folder.path(), "operators").unwrap();
    let officer = caller("m-1", "acme", "RP002", Some("active")).await;
    let permit = access.permit(&officer, Action::CL001, None).unwrap();
    let rows = permit.rows().unwrap();
    assert!(rows.allows(&client("CL-1", "m-1")) && rows.allows(&client("CL-TOKEN", "m-2")));
    assert!(!rows.allows(&client("CL-2", "m-2")));
    let administrator = caller("m-1", "acme", "RP001", Some("active")).await;
    assert!(access.permit(&administrator, Action::CL001, None).unwrap().rows().is_none());
}

fn copied() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_to(copy.path());
    copy
}

fn copy_to(folder: &Path) {
    fs::create_dir_all(folder.join("tests")).unwrap();
    for file in Source::read(&repository()).unwrap().files() {
        fs::copy(repository().join(&file.name), folder.join(&file.name)).unwrap();
    }
}

struct Watched {
    access: Arc<Access>,
    changes: mpsc::Receiver<PolicyChange>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

fn watched(folder: &Path) -> Watched {
    let access = Arc::new(Access::load(folder, "operators").unwrap());
    let (tell, changes) = mpsc::channel(16);
    let (stop, stopped) = oneshot::channel();
    let watching = watch(Arc::clone(&access), folder.to_owned(), async move { drop(stopped.await) }, move |change| {
        drop(tell.try_send(change));
    });
    Watched { access, changes, stop, task: tokio::spawn(watching) }
}

impl Watched {
    async fn next(&mut self) -> PolicyChange {
        tokio::time::timeout(Duration::from_secs(20), self.changes.recv()).await.unwrap().unwrap()
    }
}

fn replace(folder: &Path, file: &str, change: impl Fn(&str) -> String) {
    let path = folder.join(file);
    let changed = change(&fs::read_to_string(&path).unwrap());
    fs::write(folder.join("new"), changed).unwrap();
    fs::rename(folder.join("new"), path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_comes_into_force_and_anything_else_changes_nothing() {
    let folder = copied();
    let mut watched = watched(folder.path());
    let support = caller("m-1", "acme", "RP004", Some("active")).await;
    let first = watched.access.digest();
    assert!(watched.access.permit(&support, Action::CL002, None).is_err());

    replace(folder.path(), "policy.csv", |text| text.replace("g, RP004, clnt_list\n", "g, RP004, clnt_lst\n"));
    let change = watched.next().await;
    assert!(!change.is_in_force() && change.old == first && change.new.is_some());
    assert_eq!(watched.access.digest(), first);
    assert_eq!(watched.access.report().findings, change.findings);

    replace(folder.path(), "policy.csv", |text| text.replace("g, RP004, clnt_lst\n", "g, RP004, clnt_update\n"));
    fs::remove_dir_all(folder.path().join("tests")).unwrap();
    let change = watched.next().await;
    assert!(change.is_in_force(), "{:?}", change.findings);
    assert_eq!(change.new, Some(watched.access.digest()));
    assert!(watched.access.report().findings.is_empty());
    assert!(watched.access.permit(&support, Action::CL002, None).is_ok());

    fs::remove_file(folder.path().join("names.csv")).unwrap();
    let change = watched.next().await;
    assert!(!change.is_in_force() && change.new.is_none());
    assert!(watched.access.permit(&support, Action::CL002, None).is_ok());
    watched.stop.send(()).unwrap();
    watched.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_refused_and_what_follows_is_taken_up() {
    let folder = copied();
    let mut watched = watched(folder.path());
    let (pipe, names) = (folder.path().join("pipe"), folder.path().join("names.csv"));
    let kept = fs::read(&names).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::rename(&pipe, &names).unwrap();
    let change = watched.next().await;
    assert!(!change.is_in_force() && change.findings.iter().any(|finding| finding.message.contains("regular file")));
    fs::remove_file(&names).unwrap();
    fs::write(&names, kept).unwrap();
    replace(folder.path(), "names.csv", |text| text.replace("Support Officer", "Help Desk"));
    let mut change = watched.next().await;
    while !change.is_in_force() {
        change = watched.next().await;
    }
    assert_ne!(change.new.as_ref(), Some(&change.old));
    watched.stop.send(()).unwrap();
    watched.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbolic_link_that_is_switched_is_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two, link) = (folder.path().join("one"), folder.path().join("two"), folder.path().join("current"));
    copy_to(&one);
    copy_to(&two);
    replace(&two, "names.csv", |text| text.replace("Support Officer", "Help Desk"));
    std::os::unix::fs::symlink("one", &link).unwrap();
    let mut watched = watched(&link);
    std::os::unix::fs::symlink("two", folder.path().join("next")).unwrap();
    fs::rename(folder.path().join("next"), &link).unwrap();
    let switched = Instant::now();
    let change = watched.next().await;
    assert!(change.is_in_force() && change.new.as_deref() != Some(change.old.as_str()));
    assert!(switched.elapsed() < Duration::from_secs(10));
}

/// Malformed files, by what is wrong with them, below the file that each stands in for.
fn malformed() -> Vec<(String, String, Vec<u8>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/policies");
    let below = |folder: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let mut all = Vec::new();
    for folder in below(&fixtures) {
        let file = folder.file_name().unwrap().to_str().unwrap().replace("cases-", "tests/");
        for path in below(&folder) {
            let what = path.file_name().unwrap().to_str().unwrap().to_owned();
            all.push((file.clone(), what, fs::read(path).unwrap()));
        }
    }
    all
}

#[test]
fn every_malformed_file_is_refused_and_named() {
    let all = malformed();
    assert!(all.len() >= 40, "{}", all.len());
    for (file, what, content) in all {
        let folder = copied();
        fs::write(folder.path().join(&file), content).unwrap();
        let findings = Access::load(folder.path(), "operators").err();
        let findings = findings.unwrap_or_else(|| panic!("{file}: {what} was accepted"));
        assert!(!findings.is_empty(), "{file}: {what} has no finding");
        // What a file lacks shows in another one: a role that names.csv does not name is unknown in policy.csv.
        assert!(
            file == "names.csv" || findings.iter().any(|finding| finding.file == file),
            "{file}: {what}: {findings:?}"
        );
        assert!(findings.iter().all(|finding| !finding.message.is_empty()), "{file}: {what}: {findings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_malformed_file_changes_what_is_in_force_on_a_running_hub() {
    let all = malformed();
    let mut groups = Vec::new();
    for group in all.chunks(8) {
        let group = group.to_vec();
        groups.push(tokio::spawn(async move {
            let folder = copied();
            let mut watched = watched(folder.path());
            let first = watched.access.digest();
            let support = caller("m-1", "acme", "RP004", Some("active")).await;
            for (file, what, content) in group {
                let right = fs::read(folder.path().join(&file)).unwrap();
                fs::write(folder.path().join(&file), content).unwrap();
                let change = watched.next().await;
                assert!(!change.is_in_force() && change.old == first, "{file}: {what}: {change:?}");
                assert_eq!(watched.access.digest(), first, "{file}: {what}");
                assert!(!watched.access.report().findings.is_empty(), "{file}: {what}");
                assert!(watched.access.permit(&support, Action::CL001, None).is_ok(), "{file}: {what}");
                assert!(watched.access.permit(&support, Action::CL002, None).is_err(), "{file}: {what}");
                fs::write(folder.path().join(&file), right).unwrap();
                assert!(watched.next().await.is_in_force(), "{file} after {what}");
            }
            watched.stop.send(()).unwrap();
            watched.task.await.unwrap();
        }));
    }
    for group in groups {
        group.await.unwrap();
    }
}
