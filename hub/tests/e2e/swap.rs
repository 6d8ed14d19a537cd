//! Components that take the place of others while the hub works: nothing lost, nothing doubled, nothing unasked.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use hub::adapters::Digest;
use serde_json::{Value, json};

use crate::harness::{Config, Reply, World, repository, run, samples, until};
use crate::onboarding::{is_everywhere_once, mails};
use crate::parked::journal;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A component that `make plugins` has built.
fn built(name: &str) -> Vec<u8> {
    std::fs::read(repository().join("plugins/dist").join(name)).unwrap()
}

/// The same component as another file: with a custom section more.
fn variant(name: &str, mark: u8) -> Vec<u8> {
    [built(name), vec![0, 2, 1, mark]].concat()
}

/// May do more than the CRM's own: it reads other settings. What it does is its setting `behave`.
fn stranger() -> Vec<u8> {
    built("fixtures/behaviour.wasm")
}

fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// A world whose components of `adapters` lie in its own folder, with more lines for the CRM.
async fn world(adapters: &[&str], crm: &str, behave: &str) -> World {
    let usual = Config::default();
    let mut text = usual.adapters.replace("feedback-link = ", &format!("behave = \"{behave}\", feedback-link = "));
    for adapter in adapters {
        text = text.replace(&format!("{{plugins}}/{adapter}.wasm"), &format!("{{folder}}/{adapter}.wasm"));
    }
    let text = text.replace("[adapters.crm]\n", &format!("[adapters.crm]\n{crm}\n"));
    let world = World::prepare(Config { adapters: text, ..usual }).await;
    for adapter in adapters {
        put(&world, adapter, &built(&format!("{adapter}.wasm")));
    }
    world.up();
    world
}

fn file(world: &World, adapter: &str) -> PathBuf {
    world.folder().join(format!("{adapter}.wasm"))
}

/// Puts a component in the place of another, at once.
fn put(world: &World, adapter: &str, bytes: &[u8]) {
    let beside = world.folder().join(format!("{adapter}.new"));
    std::fs::write(&beside, bytes).unwrap();
    std::fs::rename(beside, file(world, adapter)).unwrap();
}

async fn reload(world: &World, adapter: &str, body: &Value) -> Reply {
    world.operator().post(&format!("/admin/adapters/{adapter}/reload"), body).await
}

/// What is shown of an adapter.
async fn shown(world: &World, adapter: &str) -> Value {
    let all = world.operator().get("/admin/adapters").await.ok(200);
    all["items"].as_array().unwrap().iter().find(|item| item["name"] == adapter).unwrap().clone()
}

async fn shown_when(world: &World, what: &str, so: impl Fn(&Value) -> bool) -> Value {
    until(what, || async { Some(shown(world, "crm").await).filter(&so) }).await
}

/// What a command of the program answers and says, on the hub of this world.
fn hub(world: &World, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hub"));
    let command = command.args(words).arg("--config").arg(world.config_file()).current_dir(world.folder());
    let output = command.output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

fn locked(world: &World) -> toml::Table {
    std::fs::read_to_string(world.folder().join("data/adapters.lock")).unwrap().parse().unwrap()
}

#[test]
fn swaps_under_load_lose_nothing_and_double_nothing() {
    const CLIENTS: usize = 40;
    run(async {
        let world = world(&["crm", "messaging", "identity"], "watch = false", "none").await;
        // Calls that outlast a swap, and answers that are lost on one component and found again by the next.
        for system in ["espocrm", "mail"] {
            world.outside.fault(system, json!({"kind": "delay", "ms": 150})).await;
        }
        world.outside.fault("scim", json!({"kind": "lose-answer", "method": "POST", "count": 5})).await;
        let swapping = async {
            let (started, mut swaps) = (Instant::now(), 0);
            while started.elapsed() < Duration::from_secs(6) {
                for adapter in ["crm", "messaging", "identity"] {
                    put(&world, adapter, &variant(&format!("{adapter}.wasm"), b'a' + swaps % 2));
                    let swapped = reload(&world, adapter, &json!({})).await.ok(200);
                    assert_eq!(swapped["swapped"], true, "{swapped}");
                }
                swaps += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            swaps
        };
        let admin = world.admin("swapping");
        let loading = async {
            let mut clients = Vec::new();
            for _ in 0..CLIENTS {
                let body = samples::person();
                let created = admin.create(&body).await;
                clients.push((text(&created["reference"]).to_owned(), text(&body["email"]).to_owned()));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            clients
        };
        let (swaps, clients) = tokio::join!(swapping, loading);
        for system in ["espocrm", "mail"] {
            world.outside.heal(system).await;
        }
        assert!(swaps > 5, "only {swaps} rounds of swaps");
        for (reference, email) in &clients {
            admin.settled(reference).await;
            is_everywhere_once(&world, reference).await;
            until("the welcome", || async { (!mails(&world, email).await.is_empty()).then_some(()) }).await;
            assert_eq!(mails(&world, email).await, ["welcome"]);
        }
        let written = journal(&world, "adapter.loaded").into_iter().filter(|entry| entry["action"] == "CX022").count();
        assert_eq!(written, usize::from(swaps) * 3);
        for adapter in ["crm", "messaging", "identity"] {
            let shown = shown(&world, adapter).await;
            assert_eq!((&shown["faults"]["trap"], &shown["faults"]["host"]), (&json!(0), &json!(0)), "{shown}");
        }
    });
}

#[test]
fn a_refused_component_changes_nothing_and_says_why() {
    run(async {
        let world = world(&["crm"], "watch = false", "none").await;
        let before = shown(&world, "crm").await;
        put(&world, "crm", b"nonsense");
        let refused = reload(&world, "crm", &json!({})).await.problem(409, "component-refused");
        assert!(text(&refused["detail"]).contains("not a WebAssembly component"), "{refused}");
        put(&world, "crm", &built("kyc.wasm"));
        let refused = reload(&world, "crm", &json!({})).await.problem(409, "component-refused");
        assert!(text(&refused["detail"]).contains("kyc-adapter"), "{refused}");
        let after = shown(&world, "crm").await;
        assert_eq!(after["loaded"], before["loaded"]);
        assert_eq!(after["swaps"]["refusal"]["digest"], digest(&built("kyc.wasm")));
        let entries = journal(&world, "adapter.refused");
        assert_eq!(entries.len(), 2, "{entries:?}");
        assert_eq!((&entries[1]["actor"]["member"], &entries[1]["action"]), (&json!("op-1"), &json!("CX022")));
        assert_eq!(entries[1]["data"]["previous"], before["loaded"]["digest"]);
        std::fs::remove_file(file(&world, "crm")).unwrap();
        reload(&world, "crm", &json!({})).await.problem(409, "component-refused");
        reload(&world, "ledger", &json!({})).await.problem(404, "adapter-not-found");
        assert_eq!(
            reload(&world, "crm", &json!({"confirm": "x", "force": true})).await.fields(),
            [("/confirm".to_owned(), "invalid-digest".to_owned()), ("/force".to_owned(), "unknown-field".to_owned())]
        );
        world.admin("o").post("/admin/adapters/crm/rollback", &json!({})).await.denied("CX022");
        world.admin("swapped").onboard(&samples::company()).await;
    });
}

#[test]
fn what_may_do_more_is_confirmed_first_and_comes_back_with_one_request() {
    run(async {
        let world = world(&["crm"], "watch = false", "echo").await;
        let (own, other) = (digest(&built("crm.wasm")), digest(&stranger()));
        put(&world, "crm", &stranger());
        let told = hub(&world, &["adapters", "reload", "crm"]);
        assert!(told.contains("setting behave") && told.contains(&format!("to confirm: {other}")), "{told}");
        let asked = reload(&world, "crm", &json!({})).await.problem(409, "confirmation-needed");
        assert_eq!((&asked["digest"], &asked["previous"]), (&json!(other), &json!(own)), "{asked}");
        assert!(asked["difference"]["gains"].as_array().unwrap().contains(&json!("setting behave")), "{asked}");
        let waits = shown(&world, "crm").await;
        assert_eq!((&waits["loaded"]["digest"], &waits["swaps"]["pending"]["digest"]), (&json!(own), &json!(other)));
        reload(&world, "crm", &json!({"confirm": own})).await.problem(409, "confirmation-needed");
        let swapped = reload(&world, "crm", &json!({"confirm": other})).await.ok(200);
        assert_eq!((&swapped["swapped"], &swapped["previous"]), (&json!(true), &json!(own)), "{swapped}");
        let admin = world.admin("swapped");
        let client = admin.settled(&admin.onboard(&samples::company()).await).await;
        assert_eq!(client["sync"]["crm"]["externalId"], client["reference"], "the stranger answers: {client}");
        assert_eq!(text(&locked(&world)["crm"]["digest"].as_str().into()), other);

        let listed = hub(&world, &["adapters", "status"]);
        assert!(listed.lines().any(|line| line.starts_with("crm") && line.contains(&own)), "{listed}");
        let back = world.operator().post("/admin/adapters/crm/rollback", &json!({})).await.ok(200);
        assert_eq!((&back["component"]["digest"], &back["previous"]), (&json!(own), &json!(other)), "{back}");
        let again = hub(&world, &["adapters", "rollback", "crm"]);
        assert!(again.contains("nothing-before: no other component"), "{again}");
        is_everywhere_once(&world, &admin.onboard(&samples::company()).await).await;
        let after = shown(&world, "crm").await;
        assert_eq!((&after["loaded"]["digest"], &after["swaps"]["rolledBack"]["from"]), (&json!(own), &json!(other)));
        let entry = journal(&world, "adapter.rolled-back").remove(0);
        assert_eq!((&entry["data"]["from"], &entry["actor"]["member"]), (&json!(other), &json!("op-1")), "{entry}");
        let confirmed = journal(&world, "adapter.loaded").into_iter().find(|entry| entry["action"] == "CX022").unwrap();
        assert!(confirmed["data"]["gains"].as_array().unwrap().contains(&json!("setting behave")), "{confirmed}");

        // The file is still the stranger's: the next start loads it, and says that it is another one.
        assert_eq!(text(&locked(&world)["crm"]["digest"].as_str().into()), own);
        world.settle().await;
        world.down();
        assert!(!world.log().contains("not the one that was loaded last"));
        world.up();
        assert!(world.log().contains("the component is not the one that was loaded last"), "{}", world.log());
        let mut loaded = journal(&world, "adapter.loaded").into_iter();
        let started = loaded.rfind(|entry| entry["data"]["adapter"] == "crm").unwrap();
        assert_eq!((&started["data"]["digest"], &started["data"]["previous"]), (&json!(other), &json!(own)));
        assert_eq!(text(&locked(&world)["crm"]["digest"].as_str().into()), other);
    });
}

#[test]
fn a_changed_file_takes_over_by_itself_where_it_may_do_no_more() {
    run(async {
        let world = world(&["crm"], "watch = true", "echo").await;
        let next = variant("crm.wasm", b'n');
        put(&world, "crm", &next);
        shown_when(&world, "the new file is loaded", |crm| crm["loaded"]["digest"] == digest(&next)).await;
        let entry = journal(&world, "adapter.loaded").pop().unwrap();
        assert_eq!((&entry["actor"]["member"], &entry["requestId"]), (&json!("hub"), &json!("watch")), "{entry}");

        put(&world, "crm", b"half a fi");
        let refused = shown_when(&world, "it is refused", |crm| crm["swaps"]["refusal"].is_object()).await;
        assert_eq!(refused["loaded"]["digest"], digest(&next));
        put(&world, "crm", &stranger());
        let waits = shown_when(&world, "it waits", |crm| crm["swaps"]["pending"].is_object()).await;
        assert_eq!((&waits["state"], &waits["loaded"]["digest"]), (&json!("up"), &json!(digest(&next))));
        assert!(waits["swaps"]["pending"]["difference"]["gains"].as_array().unwrap().len() > 1, "{waits}");
        put(&world, "crm", &next);
        shown_when(&world, "nothing waits any more", |crm| crm["swaps"]["pending"].is_null()).await;

        // A way back is not undone by the watch, though the file is still the one that was given up.
        world.operator().post("/admin/adapters/crm/rollback", &json!({})).await.ok(200);
        put(&world, "crm", &next);
        put(&world, "crm", &stranger());
        shown_when(&world, "the next change is seen", |crm| crm["swaps"]["pending"].is_object()).await;
        put(&world, "crm", &next);
        let last = variant("crm.wasm", b'l');
        let judged = shown_when(&world, "it is seen again", |crm| crm["swaps"]["pending"].is_null()).await;
        assert_eq!(judged["loaded"]["digest"], digest(&built("crm.wasm")));
        put(&world, "crm", &last);
        shown_when(&world, "another file is taken", |crm| crm["loaded"]["digest"] == digest(&last)).await;
        let refusals = journal(&world, "adapter.refused").len();
        assert_eq!(refusals, 3, "each file is judged once");
    });
}

#[test]
fn a_component_that_traps_on_its_first_calls_is_rolled_back_by_itself() {
    run(async {
        let world = world(&["crm"], "probation = { calls = 5, faults = 2 }", "trapper").await;
        put(&world, "crm", &stranger());
        reload(&world, "crm", &json!({"confirm": digest(&stranger())})).await.ok(200);
        let admin = world.admin("trapped");
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(text(&admin.create(&samples::company()).await["reference"]).to_owned());
        }
        let back = shown_when(&world, "it is rolled back", |crm| crm["swaps"]["rolledBack"].is_object()).await;
        assert_eq!(back["loaded"]["digest"], digest(&built("crm.wasm")), "{back}");
        assert!(text(&back["swaps"]["rolledBack"]["reason"]).contains("trap"), "{back}");
        for reference in &clients {
            admin.settled(reference).await;
            is_everywhere_once(&world, reference).await;
        }
        let entry = until("it is written down", || async { journal(&world, "adapter.rolled-back").pop() }).await;
        assert_eq!((&entry["actor"]["member"], &entry["data"]["from"]), (&json!("hub"), &json!(digest(&stranger()))));
        assert!(world.log().contains("a component failed its first calls"), "{}", world.log());
        until("the lock file says so", || async {
            (locked(&world)["crm"]["digest"].as_str() == Some(&digest(&built("crm.wasm")))).then_some(())
        })
        .await;
    });
}

#[test]
fn a_component_can_be_asked_beside_before_it_takes_over() {
    run(async {
        let world = world(&["core-banking"], "", "none").await;
        let admin = world.admin("shadowed");
        let client = admin.onboard(&samples::person()).await;
        let next = variant("core-banking.wasm", b's');
        put(&world, "core-banking", &next);
        // The watch takes it over by itself: asked beside is then what it replaces.
        until("it is loaded", || async {
            (shown(&world, "core-banking").await["loaded"]["digest"] == digest(&next)).then_some(())
        })
        .await;
        let asked = reload(&world, "core-banking", &json!({"shadow": 3})).await.ok(200);
        assert_eq!((&asked["swapped"], &asked["shadow"]), (&json!(false), &json!(3)), "{asked}");
        until("it was asked three times", || async {
            admin.get(&format!("/clients/accounts/{client}")).await.ok(200);
            let shadow = shown(&world, "core-banking").await["swaps"]["shadow"].clone();
            (shadow["functions"]["list-accounts"]["same"] == 3).then_some(())
        })
        .await;
        let entry = journal(&world, "adapter.shadowed").pop().unwrap();
        assert_eq!((&entry["data"]["calls"], &entry["actor"]["member"]), (&json!(3), &json!("op-1")), "{entry}");
        reload(&world, "core-banking", &json!({"shadow": 0})).await.problem(422, "validation-failed");
    });
}
