//! What was set aside, and what operators do with it: one or all that match, with a look before and a way to stop.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Config, Member, World, in_step, run, samples, until};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

async fn world() -> World {
    World::start(Config { strict: false, ..Config::default() }).await
}

async fn list(world: &World, query: &str) -> Value {
    world.operator().get(&format!("/admin/sync/parked?{query}")).await.ok(200)
}

/// All that an adapter has set aside, once there are so many.
async fn parked(world: &World, adapter: &str, count: usize) -> Vec<Value> {
    until(&format!("{adapter} has set {count} aside"), || async {
        let page = list(world, &format!("adapter={adapter}&limit=200")).await;
        page["items"].as_array().filter(|items| items.len() == count).cloned()
    })
    .await
}

/// A client whose contact the CRM refuses.
async fn refused_contact(world: &World, admin: &Member<'_>) -> String {
    world.outside.fault("espocrm", json!({"kind": "fail", "status": 400, "method": "POST"})).await;
    let reference = text(&admin.create(&samples::company()).await["reference"]).to_owned();
    let state = |client: &Value| client["status"] == "active" && client["sync"]["crm"]["state"] == "parked";
    admin.client_when(&reference, "active with a parked contact", state).await;
    reference
}

async fn decide(operator: &Member<'_>, item: &Value, verb: &str) -> Value {
    let path = format!("/admin/sync/parked/{}/{verb}", text(&item["id"]));
    operator.post(&path, &json!({"reason": "looked into it"})).await.ok(200)
}

/// A job once it has ended.
async fn ended(world: &World, job: &Value) -> Value {
    let path = format!("/admin/sync/jobs/{}", text(&job["id"]));
    until("the job ends", || async {
        let job = world.operator().get(&path).await.ok(200);
        (!["running", "cancelling"].contains(&text(&job["state"]))).then_some(job)
    })
    .await
}

/// The entries of a client's history of these kinds, oldest first.
async fn entries(admin: &Member<'_>, reference: &str, kinds: &[&str]) -> Vec<Value> {
    let history = admin.get(&format!("/clients/history/{reference}?limit=200")).await.ok(200);
    let items = history["items"].as_array().unwrap().iter().rev();
    items.filter(|item| kinds.contains(&text(&item["kind"]))).cloned().collect()
}

/// The journal's own entries of a kind, as they are on disk.
pub fn journal(world: &World, kind: &str) -> Vec<Value> {
    let mut files: Vec<_> =
        std::fs::read_dir(world.folder().join("data/journal")).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let lines = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect::<String>();
    let entries = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    entries.filter(|entry| entry["kind"] == kind).collect()
}

#[test]
fn a_retry_after_the_repair_delivers_once() {
    run(async {
        let world = world().await;
        let (admin, operator) = (world.admin("retry"), world.operator());
        let reference = refused_contact(&world, &admin).await;
        let item = parked(&world, "crm", 1).await.remove(0);
        assert_eq!((&item["state"], &item["superseded"]), (&json!("parked"), &json!(false)), "{item}");
        world.outside.heal("espocrm").await;

        let path = format!("/admin/sync/parked/{}/retry", text(&item["id"]));
        admin.post(&path, &json!({})).await.denied("CX031");
        let unknown = operator.post("/admin/sync/parked/nothing/retry", &json!({})).await;
        unknown.problem(404, "delivery-not-found");
        let why = json!({"reason": "the field is mapped now"});
        let first = operator.post_once("k-1", &path, &why).await;
        let decided = first.ok(200);
        assert_eq!((&decided["id"], &decided["state"]), (&item["id"], &json!("retrying")), "{decided}");
        admin.settled(&reference).await;
        // The same request again is answered from its entry; another one finds nothing to decide.
        let again = operator.post_once("k-1", &path, &why).await;
        assert_eq!((again.header("idempotency-replayed"), again.ok(200)), (Some("true"), decided));
        operator.post_once("k-1", &path, &json!({})).await.problem(422, "idempotency-key-reused");
        operator.post(&path, &why).await.problem(404, "delivery-not-found");

        let kinds = world.outside.kinds("espocrm", &reference).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "account.created").count(), 1, "{kinds:?}");
        let written = entries(&admin, &reference, &["delivery.retried"]).await;
        assert_eq!(written.len(), 1, "{written:?}");
        assert_eq!((&written[0]["member"], &written[0]["action"]), (&json!("op-1"), &json!("CX031")));
        let entry = journal(&world, "delivery.retried").remove(0);
        assert_eq!((&entry["data"]["reason"], &entry["org"]), (&why["reason"], &json!("retry")), "{entry}");
        assert_eq!(entry["stream"], format!("delivery/crm/{reference}"));
        assert_eq!(list(&world, "").await, json!({"items": [], "next": null, "total": 0}));
        // All of it is in the journal.
        world.down();
        std::fs::remove_dir_all(world.folder().join("data/state")).unwrap();
        world.up();
        assert!(in_step(&admin.client(&reference).await));
        let again = operator.post_once("k-1", &path, &why).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    });
}

#[test]
fn a_message_with_an_unknown_outcome_is_repeated_with_its_own_key() {
    run(async {
        let world = world().await;
        let admin = world.admin("message");
        world.outside.fault("mail", json!({"kind": "lose-answer", "count": 1})).await;
        let reference = text(&admin.create(&samples::company()).await["reference"]).to_owned();
        let item = parked(&world, "messaging", 1).await.remove(0);
        assert_eq!(item["reason"], "outcome-unknown");
        decide(&world.operator(), &item, "retry").await;
        admin.settled(&reference).await;
        let attempted: Vec<_> = entries(&admin, &reference, &["delivery.attempted"])
            .await
            .into_iter()
            .filter(|entry| entry.to_string().contains(text(&item["id"])))
            .collect();
        assert_eq!(attempted.len(), 2, "one before and one after the decision, with one key: {attempted:?}");
    });
}

#[test]
fn a_gateways_answer_after_the_effect_sends_no_second_message() {
    run(async {
        let world = world().await;
        let admin = world.admin("gateway");
        let after_effect = json!({"kind": "fail", "status": 503, "afterEffect": true, "method": "POST", "count": 1});
        world.outside.fault("mail", after_effect.clone()).await;
        let body = samples::company();
        let reference = text(&admin.create(&body).await["reference"]).to_owned();
        assert_eq!(parked(&world, "messaging", 1).await[0]["reason"], "outcome-unknown");
        let sent = super::onboarding::mails(&world, text(&body["email"])).await;
        assert_eq!(sent, ["welcome"]);
        let device = admin.devices(&reference).await[0]["device"].clone();
        world.outside.fault("scim", after_effect).await;
        admin.post("/clients/device/resetPIN", &json!({"device": device})).await.ok(202);
        assert_eq!(parked(&world, "identity", 1).await[0]["reason"], "outcome-unknown");
        let kinds = world.outside.kinds("scim", &reference).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "device.pinReset").count(), 1, "{kinds:?}");
    });
}

#[test]
fn a_discard_lets_a_held_lane_go_on() {
    run(async {
        let world = world().await;
        let (admin, operator) = (world.admin("discard"), world.operator());
        let reference = admin.onboard(&samples::company()).await;
        let device = text(&admin.devices(&reference).await[0]["device"]).to_owned();
        let shown = async || {
            let devices = admin.get(&format!("/clients/device/{reference}")).await.ok(200);
            devices["items"].as_array().unwrap().iter().find(|item| item["device"] == *device).unwrap()["sync"].clone()
        };
        world.outside.fault("scim", json!({"kind": "lose-answer", "method": "POST", "count": 1})).await;
        admin.post("/clients/device/resetPIN", &json!({"device": device})).await.ok(202);
        let item = parked(&world, "identity", 1).await.remove(0);
        for locked in [true, false] {
            admin.post("/clients/device/lock", &json!({"device": device, "locked": locked})).await.ok(200);
        }
        let sync = shown().await;
        assert_eq!((&sync["state"], &sync["held"]), (&json!("held"), &json!(2)), "{sync}");
        assert_eq!(parked(&world, "identity", 1).await[0]["held"], 2);
        let kinds = world.outside.kinds("scim", &reference).await;
        assert!(!kinds.iter().any(|kind| kind.contains("ock")), "sent past a command that holds its lane: {kinds:?}");

        let path = format!("/admin/sync/parked/{}/discard", text(&item["id"]));
        let required = vec![("/reason".to_owned(), "required".to_owned())];
        assert_eq!(operator.post(&path, &json!({})).await.fields(), required);
        assert_eq!(decide(&operator, &item, "discard").await["state"], "discarded");
        until("the lane goes on", || async {
            let sync = shown().await;
            (sync["state"] == "synced" && sync["held"].is_null()).then_some(())
        })
        .await;
        let kinds = world.outside.kinds("scim", &reference).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "device.pinReset").count(), 1, "{kinds:?}");
    });
}

#[test]
fn a_newer_version_takes_the_place_of_a_parked_mirror() {
    run(async {
        // One call to the CRM at a time, so that a slow one makes the next wait.
        let adapters = Config::default().adapters.replace("[adapters.crm]\n", "[adapters.crm]\nconcurrency = 1\n");
        let world = World::start(Config { adapters, strict: false, ..Config::default() }).await;
        let (admin, operator) = (world.admin("newer"), world.operator());
        let reference = refused_contact(&world, &admin).await;
        let item = parked(&world, "crm", 1).await.remove(0);
        world.outside.heal("espocrm").await;
        world.outside.fault("espocrm", json!({"kind": "delay", "ms": 2500})).await;
        let slow = text(&admin.create(&samples::company()).await["reference"]).to_owned();
        admin.client_when(&slow, "at the CRM", |client| client["sync"]["crm"]["attempts"] == 1).await;
        let mut newer = admin.client(&reference).await;
        newer["segment"] = "corporate".into();
        admin.put(&format!("/clients/profile/{reference}"), &newer).await.ok(200);

        let body = json!({"filter": {"client": reference}, "dryRun": true});
        let met = operator.post("/admin/sync/parked/retry", &body).await.ok(200);
        assert_eq!(
            (&met["dryRun"], &met["matched"], &met["superseded"]),
            (&json!(true), &json!(1), &json!(1)),
            "{met}"
        );
        assert_eq!(met["items"][0]["id"], item["id"], "{met}");
        // Nothing is to be gained by a retry: it is passed over.
        let body = json!({"filter": {"client": reference}});
        let reply = operator.post("/admin/sync/parked/retry", &body).await;
        let job = reply.ok(202);
        assert_eq!(reply.header("location"), Some(format!("/admin/sync/jobs/{}", text(&job["id"])).as_str()));
        let job = ended(&world, &job).await;
        assert_eq!(
            (&job["state"], &job["decided"], &job["passedOver"]),
            (&json!("done"), &json!(0), &json!(1)),
            "{job}"
        );
        world.outside.heal("espocrm").await;
        admin.settled(&reference).await;
        assert_eq!(list(&world, "").await["total"], 0);
        let kinds = world.outside.kinds("espocrm", &reference).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "account.created").count(), 1, "{kinds:?}");
        let attempts = entries(&admin, &reference, &["delivery.attempted"]).await;
        let of_old = attempts.iter().filter(|entry| entry.to_string().contains(text(&item["id"]))).count();
        assert_eq!(of_old, 1, "what was superseded was sent again: {attempts:?}");
    });
}

#[test]
fn all_that_match_are_looked_at_and_retried() {
    run(async {
        let world = world().await;
        let (admin, operator) = (world.admin("bulk"), world.operator());
        let mut references = Vec::new();
        for _ in 0..5 {
            references.push(refused_contact(&world, &admin).await);
        }
        let all = parked(&world, "crm", 5).await;
        world.outside.heal("espocrm").await;

        // Page by page, each once.
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = list(&world, &format!("reason=rejected&limit=2{cursor}")).await;
            assert_eq!(page["total"], 5);
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, all.iter().map(|item| item["id"].clone()).collect::<Vec<_>>());
        let foreign = operator.get(&format!("/admin/sync/parked?adapter=crm{cursor}")).await;
        foreign.problem(400, "malformed-cursor");
        operator.get("/admin/sync/parked?function=fly").await.problem(400, "malformed-query");
        for (query, total) in [
            (format!("client={}", references[2]), 1),
            ("org=bulk&function=upsert-contact".to_owned(), 5),
            ("org=other".to_owned(), 0),
            ("reason=outcome-unknown".to_owned(), 0),
        ] {
            assert_eq!(list(&world, &query).await["total"], total, "{query}");
        }

        let filter = json!({"adapter": "crm", "org": "bulk", "reason": "rejected"});
        let dry = json!({"filter": filter, "dryRun": true});
        let met = operator.post("/admin/sync/parked/discard", &dry).await.ok(200);
        assert_eq!(met, json!({"dryRun": true, "matched": 5, "superseded": 0, "items": []}));
        assert_eq!(list(&world, "").await["total"], 5);
        let fields = operator.post("/admin/sync/parked/discard", &json!({"filter": filter})).await.fields();
        assert_eq!(fields, [("/reason".to_owned(), "required".to_owned())]);
        admin.post("/admin/sync/parked/retry", &dry).await.denied("CX031");

        let body = json!({"filter": filter, "reason": "the CRM is repaired"});
        let first = operator.post_once("k-2", "/admin/sync/parked/retry", &body).await;
        let job = first.ok(202);
        assert_eq!((&job["matched"], &job["member"], &job["filter"]), (&json!(5), &json!("op-1"), &filter), "{job}");
        let again = operator.post_once("k-2", "/admin/sync/parked/retry", &body).await;
        assert_eq!((again.header("idempotency-replayed"), again.ok(202)), (Some("true"), job.clone()));
        let done = ended(&world, &job).await;
        assert_eq!((&done["state"], &done["decided"]), (&json!("done"), &json!(5)), "{done}");
        assert_eq!(operator.get("/admin/sync/jobs").await.ok(200)["items"], json!([done]));
        until("the end of the job is written", || std::future::ready(journal(&world, "job.ended").first().cloned()))
            .await;
        // What became of it is known after a restart too, and its key still leads to it.
        world.down();
        world.up();
        let path = format!("/admin/sync/jobs/{}", text(&job["id"]));
        let found = operator.get(&path).await.ok(200);
        for member in ["id", "decision", "filter", "reason", "member", "state", "matched", "decided", "startedAt"] {
            assert_eq!(found[member], done[member], "{member}: {found}");
        }
        assert!(found["endedAt"].is_string(), "{found}");
        assert_eq!(operator.delete(&path).await.ok(200), found);
        assert_eq!(operator.post_once("k-2", "/admin/sync/parked/retry", &body).await.ok(202), job);
        for reference in &references {
            admin.settled(reference).await;
            let written = entries(&admin, reference, &["delivery.retried"]).await;
            assert_eq!((written.len(), &written[0]["member"]), (1, &json!("op-1")), "{written:?}");
        }
        let written = journal(&world, "delivery.retried");
        assert_eq!(written.len(), 5);
        assert!(written.iter().all(|entry| entry["data"]["reason"] == "the CRM is repaired"), "{written:?}");
        assert_eq!(journal(&world, "job.started").len(), 1);
        operator.get("/admin/sync/jobs/JB-NONE").await.problem(404, "job-not-found");
        operator.delete("/admin/sync/jobs/JB-NONE").await.problem(404, "job-not-found");
    });
}

/// While no further job may run, whoever repeats the request of one that does is answered with it.
async fn as_many_jobs_as_may_run(world: &World) {
    const PATH: &str = "/admin/sync/parked/retry";
    let (operator, body) = (world.operator(), json!({"filter": {"org": "many"}, "reason": "perhaps now"}));
    let keys = ["k-1", "k-2", "k-3", "k-4"];
    let jobs = futures::future::join_all(keys.iter().map(|key| operator.post_once(key, PATH, &body))).await;
    operator.post_once("k-5", PATH, &body).await.problem(503, "overloaded");
    let again = operator.post_once(keys[0], PATH, &body).await;
    operator.post_once("k-5", PATH, &body).await.problem(503, "overloaded");
    assert_eq!((again.header("idempotency-replayed"), again.ok(202)), (Some("true"), jobs[0].ok(202)));
    for job in jobs {
        ended(world, &job.ok(202)).await;
    }
}

/// A hub that ends while a job runs knows afterwards that it was interrupted, and how far it came.
async fn interrupted(world: &World) {
    let operator = world.operator();
    let before = list(world, "").await["total"].as_u64().unwrap();
    let body = json!({"filter": {"org": "many"}, "reason": "once more"});
    let job = operator.post_once("k-cut", "/admin/sync/parked/discard", &body).await.ok(202);
    world.kill();
    world.up();
    let found = operator.get(&format!("/admin/sync/jobs/{}", text(&job["id"]))).await.ok(200);
    let left = list(world, "").await["total"].as_u64().unwrap();
    assert_eq!((&found["state"], &found["matched"]), (&json!("interrupted"), &json!(before)), "{found}");
    assert_eq!(found["decided"], before - left, "{found}");
    assert!(left > 0 && found["endedAt"].is_string(), "{found}, {left} left");
    let again = operator.post_once("k-cut", "/admin/sync/parked/discard", &body).await;
    assert_eq!((again.header("idempotency-replayed"), again.ok(202)["id"].clone()), (Some("true"), job["id"].clone()));
}

#[test]
fn a_job_is_cancelled_while_it_runs() {
    const MANY: usize = 1_500;
    run(async {
        let usual = Config::default().adapters;
        let crm = usual.split("\n\n").find(|section| section.contains("[adapters.crm]")).unwrap().to_owned();
        let world = World::prepare(Config { adapters: crm, strict: false, ..Config::default() }).await;
        world.outside.fault("espocrm", json!({"kind": "fail", "status": 400, "method": "POST"})).await;
        let clients: Vec<_> = (0..MANY).map(|_| samples::person().to_string()).collect();
        let file = world.folder().join("clients.jsonl");
        std::fs::write(&file, clients.join("\n")).unwrap();
        let mut import = Command::new(env!("CARGO_BIN_EXE_hub"));
        import.arg("import").arg(&file).args([
            "--org",
            "many",
            "--member",
            "m-1",
            "--status",
            "active",
            "--no-onboarding",
        ]);
        let import = import.arg("--config").arg(world.config_file()).current_dir(world.folder()).output().unwrap();
        assert!(import.status.success(), "{import:?}");
        world.up();
        until("all are set aside", || async { (list(&world, "").await["total"] == MANY).then_some(()) }).await;

        as_many_jobs_as_may_run(&world).await;
        until("all are set aside again", || async { (list(&world, "").await["total"] == MANY).then_some(()) }).await;

        let operator = world.operator();
        let body = json!({"filter": {"org": "many"}, "reason": "too many to look at"});
        let job = operator.post("/admin/sync/parked/discard", &body).await.ok(202);
        let path = format!("/admin/sync/jobs/{}", text(&job["id"]));
        assert_eq!(operator.delete(&path).await.ok(200)["state"], "cancelling");
        let job = ended(&world, &job).await;
        assert_eq!((&job["state"], &job["matched"]), (&json!("cancelled"), &json!(MANY)), "{job}");
        let decided = usize::try_from(job["decided"].as_u64().unwrap()).unwrap();
        assert!(decided < MANY && job["endedAt"].is_string(), "{job}");
        assert_eq!(list(&world, "").await["total"], MANY - decided);
        // Ended, it stays as it is; and the rest can be decided on at any time.
        assert_eq!(operator.delete(&path).await.ok(200), job);
        interrupted(&world).await;
        let decided = MANY - usize::try_from(list(&world, "").await["total"].as_u64().unwrap()).unwrap();
        let rest = ended(&world, &operator.post("/admin/sync/parked/discard", &body).await.ok(202)).await;
        assert_eq!((&rest["state"], &rest["decided"]), (&json!("done"), &json!(MANY - decided)), "{rest}");
        assert_eq!(list(&world, "").await["total"], 0);
    });
}

#[test]
fn of_two_who_decide_at_once_one_does() {
    run(async {
        let world = world().await;
        let admin = world.admin("race");
        let reference = refused_contact(&world, &admin).await;
        let item = parked(&world, "crm", 1).await.remove(0);
        let ask = async |number: usize| {
            let verb = if number.is_multiple_of(2) { "retry" } else { "discard" };
            let operator = world.member("operators", &format!("op-{number}"), &["OP001"]);
            let path = format!("/admin/sync/parked/{}/{verb}", text(&item["id"]));
            operator.post(&path, &json!({"reason": "mine"})).await
        };
        world.outside.heal("espocrm").await;
        let replies = futures::future::join_all((0..10).map(ask)).await;
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert_eq!(won.len(), 1, "{replies:?}");
        for reply in lost {
            reply.problem(404, "delivery-not-found");
        }
        let written = entries(&admin, &reference, &["delivery.retried", "delivery.discarded"]).await;
        assert_eq!(written.len(), 1, "{written:?}");
    });
}

#[test]
fn a_discarded_screening_waits_until_the_client_changes() {
    run(async {
        let world = world().await;
        let (admin, operator) = (world.admin("screening"), world.operator());
        world.outside.fault("match", json!({"kind": "fail", "status": 400})).await;
        let mut body = samples::person();
        let reference = text(&admin.create(&body).await["reference"]).to_owned();
        let item = parked(&world, "kyc", 1).await.remove(0);
        decide(&operator, &item, "discard").await;
        world.outside.heal("match").await;
        world.settle().await;
        let client = admin.client(&reference).await;
        assert_eq!(
            (&client["status"], &client["sync"]["kyc"]["state"]),
            (&json!("pending"), &json!("synced")),
            "{client}"
        );
        assert_eq!(entries(&admin, &reference, &["delivery.attempted"]).await.len(), 1);
        body["segment"] = "retail".into();
        admin.put(&format!("/clients/profile/{reference}"), &body).await.ok(200);
        admin.settled(&reference).await;
    });
}
