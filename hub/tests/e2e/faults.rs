//! Panics, errors and threads that hang, put into every kind of actor of the real program while it is at work.
//!
//! The hub that tests build looks for files in `HUB_FAULTS`; each hit takes one off, so that a test waits for what has happened
//! and never for a time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Config, Member, Nats, World, free_port, run, samples, until};

/// Of each organisation.
const WRITERS: usize = 4;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A hub that looks for faults, with a NATS server.
pub async fn world(port: u16) -> World {
    let more = format!("[nats]\nurl = \"nats://127.0.0.1:{port}\"\n");
    let world = World::prepare(Config { more, env: vec![("HUB_FAULTS", "faults")], ..Config::default() }).await;
    std::fs::create_dir(world.folder().join("faults")).unwrap();
    world.up();
    world
}

pub fn ask_for(world: &World, point: &str, what: &str) {
    let folder = world.folder();
    let aside = folder.join("fault");
    std::fs::write(&aside, what).unwrap();
    std::fs::rename(aside, folder.join("faults").join(point)).unwrap();
}

async fn met(world: &World, point: &str) {
    let file = world.folder().join("faults").join(point);
    until(&format!("{point} is met"), || std::future::ready((!file.exists()).then_some(()))).await;
}

async fn tree(world: &World) -> Value {
    world.operator().get("/admin/tree").await.ok(200)
}

fn actor(tree: &Value, name: &str) -> Value {
    let actors = tree["actors"].as_array().unwrap();
    actors.iter().find(|actor| actor["name"] == name).unwrap_or_else(|| panic!("no {name}: {tree}")).clone()
}

fn restarts(tree: &Value, name: &str) -> u64 {
    actor(tree, name)["restarts"].as_u64().unwrap()
}

/// The actor once it runs after its `count`-th restart; it has to be back within the backoff.
async fn risen(world: &World, name: &str, count: u64) -> Value {
    let found = until(&format!("{name} was made again {count} times"), || async {
        let actor = actor(&tree(world).await, name);
        (actor["restarts"].as_u64() >= Some(count) && actor["state"] == "running").then_some(actor)
    })
    .await;
    let at = |value: &Value| text(value).parse::<DateTime<Utc>>().unwrap();
    let away = at(&found["since"]) - at(&found["lastFailure"]["at"]);
    assert!(away.num_milliseconds() <= 2_000, "away for {away}: {found}");
    found
}

pub async fn ready(world: &World) -> Value {
    world.http.get(format!("{}/health/ready", world.url())).send().await.unwrap().json().await.unwrap()
}

/// What the writers were told: by reference, the newest version with its segment; and what was refused.
#[derive(Default)]
pub struct Told {
    pub edits: RefCell<BTreeMap<String, (u64, String)>>,
    pub restarting: Cell<usize>,
    stop: Cell<bool>,
}

impl Told {
    /// Creates and edits until told to stop. A refusal of an actor that was made again is all that may go wrong.
    async fn write(&self, member: &Member<'_>) {
        while !self.stop.get() {
            let mut body = samples::company();
            let reply = member.post("/clients/profile", &body).await;
            if reply.status != 201 {
                reply.problem(503, "restarting");
                self.restarting.set(self.restarting.get() + 1);
                continue;
            }
            let created = reply.ok(201);
            let reference = text(&created["reference"]).to_owned();
            let mut newest = (created["version"].as_u64().unwrap(), String::new());
            body["segment"] = format!("s-{}", samples::unique()).into();
            let edit = member.put(&format!("/clients/profile/{reference}"), &body).await;
            if edit.status == 200 {
                newest = (edit.ok(200)["version"].as_u64().unwrap(), text(&body["segment"]).to_owned());
            } else {
                edit.problem(503, "restarting");
                self.restarting.set(self.restarting.get() + 1);
            }
            self.edits.borrow_mut().insert(reference, newest);
        }
    }

    /// Everything that was answered is there, nothing that was refused is, and all of it is outside.
    pub async fn hold(&self, member: &Member<'_>) {
        let edits = self.edits.borrow();
        assert_eq!(member.get("/clients/profile?limit=1").await.ok(200)["total"], edits.len());
        for (reference, (version, segment)) in edits.iter() {
            let client = member.settled(reference).await;
            assert!(client["version"].as_u64().unwrap() >= *version, "a lost edit: {client}");
            match segment.is_empty() {
                true => {
                    assert_eq!(client["segment"], samples::company()["segment"], "a refused edit was done: {client}");
                }
                false => assert_eq!(client["segment"], **segment, "{client}"),
            }
        }
    }
}

/// Does `work` beside writers of `org`, then looks at what they were told.
pub async fn under_load(world: &World, org: &str, work: impl Future<Output = ()>) -> Told {
    let (member, told) = (world.admin(org), Told::default());
    let writing = join_all((0..WRITERS).map(|_| told.write(&member)));
    let working = async {
        work.await;
        told.stop.set(true);
    };
    tokio::join!(writing, working);
    assert!(told.edits.borrow().len() > WRITERS, "only {} clients: this proves nothing", told.edits.borrow().len());
    told
}

/// Makes an actor fail once, and sees it back for that reason.
async fn fail(world: &World, name: &str, point: &str, fault: &str) {
    let before = restarts(&tree(world).await, name);
    ask_for(world, point, &format!("{fault} 1"));
    met(world, point).await;
    let actor = risen(world, name, before + 1).await;
    let expected = if fault == "panic" { "panicked" } else { "task: an error was asked for" };
    assert_eq!(actor["lastFailure"]["reason"], expected, "{actor}");
}

/// Messages that were on their way when their link failed are set aside, since nobody can tell; nothing else is.
async fn sent_again(world: &World) {
    world.settle().await;
    let parked = world.operator().get("/admin/sync/parked?limit=200").await.ok(200);
    for item in parked["items"].as_array().unwrap() {
        assert_eq!((&item["adapter"], &item["reason"]), (&json!("messaging"), &json!("outcome-unknown")), "{item}");
        world.operator().post(&format!("/admin/sync/parked/{}/retry", text(&item["id"])), &json!({})).await.ok(200);
    }
}

#[test]
fn whatever_works_behind_requests_fails_and_no_request_notices() {
    run(async {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let nats = Nats::start(folder.path(), port);
        let world = world(port).await;
        let links = ["core-banking", "crm", "kyc", "identity", "messaging"].map(|link| format!("sync/{link}"));
        // One lane's work fails: nobody else's attempt is given up for it.
        let lanes = async {
            for name in &links {
                fail(&world, name, &format!("lane@{}", &name[5..]), "panic").await;
            }
        };
        let told = under_load(&world, "lanes", lanes).await;
        assert_eq!(told.restarting.get(), 0, "requests were disturbed");
        told.hold(&world.admin("lanes")).await;

        let tasks = async {
            let others = ["sync/identity-rounds", "sync/kyc-rounds", "notifier", "policies"].map(str::to_owned);
            for name in links.iter().chain(&others) {
                for fault in ["panic", "error"] {
                    fail(&world, name, &format!("task@{}", name.replace('/', ".")), fault).await;
                }
            }
        };
        let told = under_load(&world, "behind", tasks).await;
        sent_again(&world).await;
        assert_eq!(told.restarting.get(), 0, "requests were disturbed");
        let admin = world.admin("behind");
        told.hold(&admin).await;
        // The policies are watched again, and everything is announced once and in order.
        let report = tree(&world).await;
        for quiet in ["clients/shard-0", "clients/shard-1", "devices/shard-0", "devices/shard-1", "clients", "sync"] {
            assert_eq!(restarts(&report, quiet), 0, "{report}");
        }
        let expected: Vec<_> = told.edits.borrow().keys().cloned().collect();
        super::events::announced_once_and_in_order(&nats.url, &admin, &expected).await;
        assert_eq!(ready(&world).await["status"], "ok");
    });
}

#[test]
fn a_shard_that_fails_refuses_what_waited_and_others_go_on() {
    run(async {
        let world = world(free_port()).await;
        let (struck, operator) = (world.admin("struck"), world.operator());
        let device = json!({"device": "DV-NONE", "locked": true, "reason": "lost"});
        let mut body = samples::company();
        let path = format!("/clients/profile/{}", struck.onboard(&body).await);
        let work = async {
            for fault in ["panic", "error"] {
                // Commands on clients and on devices; what is not there is refused only by a shard that lives.
                ask_for(&world, "shard@struck", &format!("{fault} 1"));
                body["segment"] = fault.into();
                let reply = struck.put(&path, &body).await;
                if fault == "panic" {
                    reply.problem(503, "restarting");
                }
                met(&world, "shard@struck").await;
                ask_for(&world, "shard@struck", &format!("{fault} 1"));
                let reply = struck.post("/clients/device/lock", &device).await;
                if fault == "panic" {
                    reply.problem(503, "restarting");
                }
                met(&world, "shard@struck").await;
                for group in ["clients", "devices"] {
                    until("the shards run again", || async {
                        let report = tree(&world).await;
                        let names = [0, 1].map(|number| format!("{group}/shard-{number}"));
                        names.iter().all(|name| actor(&report, name)["state"] == "running").then_some(())
                    })
                    .await;
                }
            }
        };
        let told = under_load(&world, "calm", work).await;
        let report = tree(&world).await;
        let of = |group: &str| (0..2).map(|number| restarts(&report, &format!("{group}/shard-{number}"))).sum::<u64>();
        assert_eq!((of("clients"), of("devices")), (2, 2), "{report}");
        assert_eq!((restarts(&report, "clients"), restarts(&report, "sync/crm")), (0, 0), "{report}");
        told.hold(&world.admin("calm")).await;
        // The one message that was under way when its actor stopped by itself may have been done; a panic's was not.
        assert_ne!(struck.get(&path).await.ok(200)["segment"], "panic", "a refused edit was done");
        body["segment"] = "calm".into();
        struck.put(&path, &body).await.ok(200);
        struck.create(&samples::company()).await;
        struck.post("/clients/device/lock", &device).await.problem(404, "device-not-found");
        assert_eq!(operator.get("/admin/tree").await.ok(200)["abandonedThreads"], 0);
    });
}

#[test]
fn a_spent_budget_is_seen_and_at_the_root_it_ends_the_hub() {
    run(async {
        let world = world(free_port()).await;
        let admin = world.admin("budget");
        let kept = admin.onboard(&samples::company()).await;
        ask_for(&world, "shard@budget", "panic 1000");
        let body = samples::company();
        let (mut seen, mut report) = (Vec::new(), Value::Null);
        while report.is_null() {
            admin.put(&format!("/clients/profile/{kept}"), &body).await.problem(503, "restarting");
            let actors = ready(&world).await["parts"].as_array().unwrap().clone();
            seen.extend(actors.into_iter().filter(|part| part["name"] == "actors" && part["status"] == "degraded"));
            let now = tree(&world).await;
            report = if restarts(&now, "clients") > 0 { now } else { Value::Null };
        }
        std::fs::remove_file(world.folder().join("faults/shard@budget")).unwrap();
        let group = actor(&report, "clients");
        let reason = text(&group["lastFailure"]["reason"]);
        assert!(reason.starts_with("clients/shard-") && reason.ends_with(": panicked"), "{group}");
        assert!(seen.iter().any(|part| text(&part["detail"]).contains("clients/shard-")), "{seen:?}");
        until("commands are taken again", || async {
            (admin.put(&format!("/clients/profile/{kept}"), &body).await.status == 200).then_some(())
        })
        .await;
        assert_eq!((restarts(&report, "devices"), restarts(&report, "sync")), (0, 0), "{report}");

        // What nobody is left to decide on ends the process, and a new one begins with all that was answered.
        ask_for(&world, "task@notifier", "panic 6");
        assert_eq!(world.fell().await.code(), Some(1));
        assert!(world.log().contains("`notifier` is given up: panicked"), "{}", world.log());
        world.up();
        assert_eq!(admin.settled(&kept).await["name"], body["name"]);
    });
}

#[test]
fn a_thread_that_hangs_is_given_up_and_the_second_ends_the_hub() {
    run(async {
        let world = world(free_port()).await;
        let (admin, struck) = (world.admin("calm"), world.admin("struck"));
        let path = format!("/clients/profile/{}", struck.onboard(&samples::company()).await);
        ask_for(&world, "lane@crm", "block 1");
        let reference = text(&admin.create(&samples::company()).await["reference"]).to_owned();
        met(&world, "lane@crm").await;
        let actor = risen(&world, "sync/crm", 1).await;
        assert!(text(&actor["lastFailure"]["reason"]).starts_with("no progress on waiting work for"), "{actor}");
        assert_eq!(tree(&world).await["abandonedThreads"], 1);
        // The link goes on, with what the hung one had in hand, and with hints.
        admin.settled(&reference).await;
        admin.client_when(&reference, "its relationship is there", |client| !client["relationship"].is_null()).await;

        ask_for(&world, "shard@struck", "block 1");
        let body = samples::company();
        let blocked = async {
            let request = struck.request(reqwest::Method::PUT, &path).json(&body);
            request.send().await.map(|reply| reply.status().as_u16())
        };
        let (blocked, fell) = tokio::join!(blocked, world.fell());
        assert!(blocked.as_ref().map_or(true, |status| *status == 503), "{blocked:?}");
        assert_eq!(fell.code(), Some(1));
        assert!(world.log().contains("a second thread hangs in an actor"), "{}", world.log());
        world.up();
        assert_ne!(struck.get(&path).await.ok(200)["name"], body["name"], "a refused edit was done");
        admin.settled(&reference).await;
    });
}

#[test]
fn a_shard_that_hangs_is_given_up_and_its_messages_are_refused() {
    run(async {
        let world = world(free_port()).await;
        let struck = world.admin("struck");
        let path = format!("/clients/profile/{}", struck.onboard(&samples::company()).await);
        ask_for(&world, "shard@struck", "block 1");
        let body = samples::company();
        let blocked = struck.put(&path, &body);
        let others = async {
            met(&world, "shard@struck").await;
            world.admin("calm").get("/clients/profile").await.ok(200);
        };
        let (blocked, ()) = tokio::join!(blocked, others);
        blocked.problem(503, "restarting");
        until("the shards run again", || async {
            let report = tree(&world).await;
            let names = [0, 1].map(|number| format!("clients/shard-{number}"));
            names.iter().all(|name| actor(&report, name)["state"] == "running").then_some(())
        })
        .await;
        assert_eq!(tree(&world).await["abandonedThreads"], 1);
        assert_ne!(struck.get(&path).await.ok(200)["name"], body["name"], "a refused edit was done");
        struck.put(&path, &body).await.ok(200);
        for _ in 0..8 {
            struck.create(&samples::company()).await;
        }
    });
}

#[test]
fn a_journal_whose_writer_panics_ends_the_hub_and_nothing_answered_is_lost() {
    run(async {
        for point in ["journal@flush", "journal@fold"] {
            let world = world(free_port()).await;
            let admin = world.admin("journal");
            let kept = admin.onboard(&samples::company()).await;
            ask_for(&world, point, "panic 1");
            let (unsure, body) = (format!("k-{}", samples::unique()), samples::company());
            let request = admin.request(reqwest::Method::POST, "/clients/profile");
            let request = request.header("idempotency-key", &unsure).json(&body).send();
            let (reply, fell) = tokio::join!(request, world.fell());
            assert!(reply.is_ok_and(|reply| reply.status() == 503), "{point}");
            assert_eq!(fell.code(), Some(1), "{point}");
            world.up();
            admin.settled(&kept).await;
            // Whether or not it was written, the same key does it once.
            let once = admin.post_once(&unsure, "/clients/profile", &body).await.ok(201);
            admin.settled(text(&once["reference"])).await;
            assert_eq!(admin.get("/clients/profile?limit=1").await.ok(200)["total"], 2, "{point}");
        }
    });
}
