//! What the hub survives: SIGKILL in the middle of writes, damage on disk, wrong files at start; and how it leaves.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Config, Member, Reply, World, hub_command, repository, run, samples, until};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn verify(world: &World) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hub"));
    let command = command.args(["journal", "verify", "--config"]).arg(world.config_file()).current_dir(world.folder());
    command.output().unwrap()
}

/// What one writer was told and what it tried.
#[derive(Default, Clone)]
struct Writer {
    /// By key: what was sent, and the answer, where one came.
    creates: Vec<(String, Value, Option<Value>)>,
    /// By reference: the newest version that was answered, with its segment.
    edits: BTreeMap<String, (u64, String)>,
}

/// A request whose answer may never come.
async fn attempt(member: &Member<'_>, request: reqwest::RequestBuilder) -> Option<Reply> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.ok()?;
    assert!(!member.token.is_empty());
    Some(Reply { status, headers, text })
}

/// Creates and edits until the hub is gone.
async fn write(member: &Member<'_>, number: usize, told: &Mutex<Writer>) {
    for place in 0.. {
        let (key, body) = (format!("w{number}-{}", samples::unique()), samples::company());
        told.lock().creates.push((key.clone(), body.clone(), None));
        let request = member.request(Method::POST, "/clients/profile").header("idempotency-key", &key).json(&body);
        let Some(reply) = attempt(member, request).await else { return };
        let created = reply.ok(201);
        let reference = text(&created["reference"]).to_owned();
        told.lock().creates.last_mut().unwrap().2 = Some(created);
        let mut body = body;
        let segment = format!("edit-{place}");
        body["segment"] = segment.clone().into();
        let request = member.request(Method::PUT, &format!("/clients/profile/{reference}")).json(&body);
        let Some(reply) = attempt(member, request).await else { return };
        let edited = reply.ok(200);
        told.lock().edits.insert(reference, (edited["version"].as_u64().unwrap(), segment));
    }
}

#[test]
fn what_was_answered_survives_kills_and_nothing_happens_twice() {
    const WRITERS: usize = 6;
    run(async {
        let world = World::start(Config { strict: false, ..Config::default() }).await;
        let admin = world.admin("kills");
        let told: Vec<_> = (0..WRITERS).map(|_| Arc::new(Mutex::new(Writer::default()))).collect();
        for round in 0..4 {
            let writing = told.iter().enumerate().map(|(number, told)| write(&admin, number, told));
            let killing = async {
                tokio::time::sleep(Duration::from_millis(400 + 200 * round)).await;
                world.kill();
            };
            tokio::join!(futures::future::join_all(writing), killing);
            world.up();
        }
        let (mut answered, mut asked) = (0, 0);
        let mut references = Vec::new();
        for writer in &told {
            let writer = writer.lock().clone();
            for (key, body, answer) in &writer.creates {
                asked += 1;
                // Whether or not the answer came, the same key answers with the one client that there is.
                let again = admin.post_once(key, "/clients/profile", body).await.ok(201);
                if let Some(answer) = answer {
                    answered += 1;
                    assert_eq!(again, *answer, "another answer to {key}");
                }
                let reference = text(&again["reference"]).to_owned();
                let client = admin.client(&reference).await;
                if let Some((version, segment)) = writer.edits.get(&reference) {
                    assert!(client["version"].as_u64().unwrap() >= *version, "a lost edit: {client}");
                    assert_eq!(client["segment"], **segment, "a lost edit: {client}");
                }
                references.push((reference, text(&body["email"]).to_owned()));
            }
        }
        assert!(answered > 20, "only {answered} answers: this proves nothing");
        assert_eq!(admin.get("/clients/profile").await.ok(200)["total"], asked);
        world.settle().await;
        for (reference, email) in &references {
            let count = |kinds: &[String], kind: &str| kinds.iter().filter(|found| *found == kind).count();
            for (system, kind) in
                [("fineract", "client.created"), ("espocrm", "account.created"), ("scim", "user.created")]
            {
                let kinds = world.outside.kinds(system, reference).await;
                assert_eq!(count(&kinds, kind), 1, "{system} {reference}: {kinds:?}");
            }
            let mails = world.outside.state("mail", email).await["messages"].clone();
            let mails = mails.as_array().unwrap();
            let welcomes = mails.iter().filter(|mail| mail["categories"][0] == "welcome").count();
            assert!(welcomes <= 1, "{reference} was welcomed {welcomes} times");
        }
        // Only messages, whose outcome can't be asked for, may have been set aside.
        let parked = world.operator().get("/admin/sync/parked").await.ok(200);
        for item in parked["items"].as_array().unwrap() {
            assert_eq!((&item["adapter"], &item["reason"]), (&json!("messaging"), &json!("outcome-unknown")), "{item}");
        }
        assert!(verify(&world).status.success(), "beside the running hub");
        world.down();
        let verified = verify(&world);
        assert!(verified.status.success(), "{verified:?}");
    });
}

#[test]
fn a_second_hub_on_the_same_data_says_who_holds_it() {
    let world = World::shared("usual");
    let output = hub_command(world.folder(), &world.config_file()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&world.pid().to_string()), "no process {} in: {said}", world.pid());
    run(async {
        world.admin("second").get("/clients/profile").await.ok(200);
    });
}

#[test]
fn sigterm_lets_what_runs_finish() {
    run(async {
        let world = World::start(Config { strict: false, ..Config::default() }).await;
        let admin = world.admin("leaving");
        let reference = admin.onboard(&samples::company()).await;
        world.outside.fault("fineract", json!({"kind": "delay", "ms": 1200})).await;
        let slow = async { admin.get(&format!("/clients/accounts/{reference}")).await };
        let stop = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            world.terminate();
            tokio::time::sleep(Duration::from_millis(200)).await;
            let request = reqwest::Client::new().get(format!("{}/health/live", world.url()));
            assert!(request.send().await.is_err(), "a hub that stops takes no new connection");
        };
        let (reply, ()) = tokio::join!(slow, stop);
        assert_eq!(reply.ok(200)["stale"], false);
        world.left();
        world.outside.heal("fineract").await;
        world.up();
        assert_eq!(admin.client(&reference).await["status"], "active");
    });
}

/// Something that may happen to files, by its name.
type Damage = (&'static str, Box<dyn Fn()>);

#[test]
fn a_lost_or_damaged_state_is_made_again() {
    run(async {
        let world = World::start(Config::default()).await;
        let admin = world.admin("rebuild");
        let mut clients = Vec::new();
        for _ in 0..3 {
            let reference = admin.onboard(&samples::company()).await;
            admin.post(&format!("/clients/starred/{reference}"), &json!({"starred": true})).await.ok(200);
            clients.push(reference);
        }
        let seen = async || {
            let mut seen = Vec::new();
            for reference in &clients {
                let mut client = admin.client(reference).await;
                // Asked for again when a client is viewed.
                client.as_object_mut().unwrap().remove("relationship");
                seen.push(client);
                seen.push(admin.get(&format!("/clients/device/{reference}")).await.ok(200));
                let history = admin.get(&format!("/clients/history/{reference}")).await.ok(200);
                seen.push(
                    history["items"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .find(|item| item["kind"] == "client.created")
                        .unwrap()
                        .clone(),
                );
            }
            seen.push(admin.get("/clients/profile?starred=true&sort=name").await.ok(200));
            seen
        };
        world.settle().await;
        let before = seen().await;
        let state = world.folder().join("data/state");
        let files = |folder: &Path| {
            let mut files: Vec<PathBuf> = Vec::new();
            let mut left = vec![folder.to_owned()];
            while let Some(folder) = left.pop() {
                for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                    if entry.is_dir() { left.push(entry) } else { files.push(entry) }
                }
            }
            files
        };
        let (one, two, three, four) = (state.clone(), state.clone(), state.clone(), state.clone());
        let damages: [Damage; 4] = [
            ("deleted", Box::new(move || std::fs::remove_dir_all(&one).unwrap())),
            ("garbage", Box::new(move || files(&two).iter().for_each(|file| std::fs::write(file, "garbage").unwrap()))),
            ("emptied", Box::new(move || files(&three).iter().for_each(|file| std::fs::write(file, "").unwrap()))),
            (
                "bits",
                Box::new(move || {
                    for file in files(&four) {
                        let mut bytes = std::fs::read(&file).unwrap();
                        bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x5a);
                        std::fs::write(&file, bytes).unwrap();
                    }
                }),
            ),
        ];
        for (what, damage) in &damages {
            world.down();
            damage();
            world.up();
            assert_eq!(seen().await, before, "state {what}");
            admin.onboard(&samples::company()).await;
        }
    });
}

/// The segment of the journal that was begun first.
fn first_segment(world: &World) -> PathBuf {
    let folder = world.folder().join("data/journal");
    let mut segments: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.is_file() && std::fs::metadata(path).unwrap().len() > 1_000);
    segments.sort();
    segments.first().unwrap().clone()
}

#[test]
fn a_torn_end_of_the_journal_is_cut_and_damage_elsewhere_is_refused() {
    run(async {
        let world = World::start(Config::default()).await;
        let admin = world.admin("damage");
        let reference = admin.onboard(&samples::company()).await;
        world.settle().await;
        world.down();
        let segment = first_segment(&world);
        // A flush that was never answered: half a line at the end.
        let line = std::fs::read_to_string(&segment).unwrap().lines().last().unwrap().to_owned();
        std::fs::OpenOptions::new()
            .append(true)
            .open(&segment)
            .unwrap()
            .write_all(&line.as_bytes()[..line.len() / 2])
            .unwrap();
        world.up();
        assert_eq!(admin.client(&reference).await["status"], "active");
        world.settle().await;
        world.down();
        assert!(verify(&world).status.success());
        // Anything else is the operator's to decide: one other byte in the middle.
        let mut file = std::fs::OpenOptions::new().read(true).write(true).open(&segment).unwrap();
        let middle = file.metadata().unwrap().len() / 3;
        let mut byte = [0];
        file.seek(SeekFrom::Start(middle)).unwrap();
        file.read_exact(&mut byte).unwrap();
        let mut flip = |value: u8| {
            file.seek(SeekFrom::Start(middle)).unwrap();
            file.write_all(&[value]).unwrap();
        };
        flip(byte[0] ^ 1);
        let ended = world.try_up().unwrap_err();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
        let name = segment.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(ended.log.contains(&name), "the segment {name} is not named: {}", ended.log);
        assert!(!verify(&world).status.success());
        flip(byte[0]);
        world.up();
        assert_eq!(admin.client(&reference).await["status"], "active");
    });
}

fn copied_policies(folder: &Path) -> PathBuf {
    let to = folder.join("policies");
    let mut left = vec![(repository().join("policies"), to.clone())];
    while let Some((from, to)) = left.pop() {
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                left.push((entry.path(), target));
            } else {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    to
}

#[test]
fn policies_with_mistakes_never_come_into_force() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let policies = copied_policies(folder.path());
        let file = policies.join("policy.csv");
        let good = std::fs::read_to_string(&file).unwrap();
        let line = good.lines().count() + 1;
        std::fs::write(&file, format!("{good}p, clnt_list, CL099\n")).unwrap();
        let world = World::prepare(Config { policies, ..Config::default() }).await;
        let ended = world.try_up().unwrap_err();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
        assert!(ended.log.contains(&format!("policy.csv:{line}")), "{}", ended.log);
        assert!(ended.log.contains("CL099"), "{}", ended.log);

        std::fs::write(&file, &good).unwrap();
        world.up();
        let operator = world.operator();
        let in_force = operator.get("/admin/policies").await.ok(200);
        for broken in
            ["p, clnt_list, CL099\n", "p, clnt_list\n", "q, a, b\n", "g, RP002, clnt_admin\ng, RP002, clnt_admin\n"]
        {
            std::fs::write(&file, format!("{good}{broken}")).unwrap();
            let report = until(&format!("findings for {broken:?}"), || async {
                let report = operator.get("/admin/policies").await.ok(200);
                (report["findings"] != json!([])).then_some(report)
            })
            .await;
            assert_eq!(report["digest"], in_force["digest"], "{report}");
            assert_eq!(
                (&report["findings"][0]["file"], &report["findings"][0]["line"].as_u64().is_some()),
                (&json!("policy.csv"), &true)
            );
            world.member("acme", "m-2", &["RP002"]).get("/clients/profile").await.ok(200);
            std::fs::write(&file, &good).unwrap();
            until("no findings", || async {
                (operator.get("/admin/policies").await.ok(200)["findings"] == json!([])).then_some(())
            })
            .await;
        }
        // A right change is in force within moments, and denies at once: the cases go with it.
        let without: String =
            good.lines().filter(|line| *line != "g, RP002, clnt_list").map(|line| format!("{line}\n")).collect();
        let officer = world.member("acme", "m-2", &["RP002"]);
        std::fs::remove_dir_all(folder.path().join("policies/tests")).unwrap();
        std::fs::create_dir(folder.path().join("policies/tests")).unwrap();
        std::fs::write(&file, without).unwrap();
        until("RP002 may not list any more", || async {
            (officer.get("/clients/profile").await.status == 403).then_some(())
        })
        .await;
        let report = operator.get("/admin/policies").await.ok(200);
        assert_ne!(report["digest"], in_force["digest"]);
    });
}

#[test]
fn a_missing_or_corrupt_component_takes_its_adapter_down_and_nothing_else() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let corrupt = folder.path().join("corrupt.wasm");
        std::fs::write(&corrupt, b"\0asm\x0d\0\x01\0nonsense").unwrap();
        let adapters = Config::default().adapters;
        let adapters = adapters.replace("{plugins}/crm.wasm", corrupt.to_str().unwrap());
        let adapters = adapters.replace("{plugins}/messaging.wasm", "{plugins}/missing.wasm");
        let world = World::start(Config { adapters, strict: false, ..Config::default() }).await;
        let admin = world.admin("missing");
        let health: Value =
            world.http.get(format!("{}/health/ready", world.url())).send().await.unwrap().json().await.unwrap();
        assert_eq!(health["status"], "degraded");
        let list = world.operator().get("/admin/adapters").await.ok(200);
        let down: Vec<_> = list["items"].as_array().unwrap().iter().filter(|item| item["state"] != "up").collect();
        let names: Vec<_> = down.iter().map(|item| text(&item["name"])).collect();
        assert_eq!(names, ["crm", "messaging"], "{list}");
        assert!(down.iter().all(|item| item["reason"].as_str().is_some_and(|reason| !reason.is_empty())), "{down:?}");
        let reference = text(&admin.create(&samples::company()).await["reference"]).to_owned();
        let rest = |client: &Value| {
            let synced = |link: &str| client["sync"][link]["state"] == "synced";
            client["status"] == "active" && synced("core-banking") && synced("identity") && synced("kyc")
        };
        let client = admin.client_when(&reference, "active with two links down", rest).await;
        for link in ["crm", "messaging"] {
            assert!(["pending", "retrying"].contains(&text(&client["sync"][link]["state"])), "{link}: {client}");
        }
        assert!(world.outside.kinds("espocrm", &reference).await.is_empty());
    });
}

#[test]
fn a_configuration_with_mistakes_names_them_all_and_opens_nothing() {
    run(async {
        let more = "[governance]\nretention_years = 0\n[journal]\nkind = \"paper\"\n[nats]\nurl = \"http://x\"\n[colour]\nred = 1".to_owned();
        let world = World::prepare(Config { more, ..Config::default() }).await;
        let ended = world.try_up().unwrap_err();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
        for key in ["governance.retention_years", "journal.kind", "nats.url", "colour"] {
            assert!(ended.log.contains(key), "{key} is not named: {}", ended.log);
        }
        assert!(!world.folder().join("data/journal").exists());
    });
}
