//! What follows from a command in the outside systems: onboarding, mirrors, devices, messages, and systems that fail.

use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::harness::{Config, Member, World, in_step, run, samples, until};

/// Disturbances hit every client of a world, so that tests with one come one after the other.
static DISTURBING: Mutex<()> = Mutex::const_new(());

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// The templates of the mails to an address, in order.
pub async fn mails(world: &World, address: &str) -> Vec<String> {
    let state = world.outside.state("mail", address).await;
    state["messages"].as_array().unwrap().iter().map(|mail| text(&mail["categories"][0]).to_owned()).collect()
}

async fn mailed(world: &World, address: &str, template: &str) {
    until(&format!("{template} to {address}"), || async {
        mails(world, address).await.iter().any(|sent| sent == template).then_some(())
    })
    .await;
}

fn count(kinds: &[String], kind: &str) -> usize {
    kinds.iter().filter(|found| *found == kind).count()
}

/// The customer, the contact and the identity of a client are there, once each.
pub async fn is_everywhere_once(world: &World, reference: &str) {
    let banked = world.outside.kinds("fineract", reference).await;
    assert_eq!((count(&banked, "client.created"), count(&banked, "client.activated")), (1, 1), "{banked:?}");
    let related = world.outside.kinds("espocrm", reference).await;
    let made = count(&related, "account.created") + count(&related, "contact.created");
    assert_eq!(made, 1, "{related:?}");
    let identified = world.outside.kinds("scim", reference).await;
    assert_eq!(count(&identified, "user.created"), 1, "{identified:?}");
    for (system, list) in [("fineract", "clients"), ("scim", "users")] {
        let state = world.outside.state(system, reference).await;
        assert_eq!(state[list].as_array().unwrap().len(), 1, "{system}: {state}");
    }
}

#[test]
fn a_new_client_is_screened_and_known_everywhere() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("onboarding"));
        for body in [samples::company(), samples::person()] {
            let created = admin.create(&body).await;
            assert_eq!((&created["status"], &created["kyc"]["status"]), (&json!("pending"), &json!("pending")));
            let reference = text(&created["reference"]);
            let client = admin.settled(reference).await;
            assert_eq!(client["kyc"]["status"], "approved");
            assert!(client["kyc"]["checkedAt"].is_string() && client["kyc"]["expiresAt"].is_string(), "{client}");
            is_everywhere_once(&world, reference).await;

            let banked = world.outside.state("fineract", reference).await;
            let customer = &banked["clients"][0]["client"];
            assert_eq!((&customer["externalId"], &customer["active"]), (&json!(reference), &json!(true)), "{customer}");
            assert_eq!(client["sync"]["core-banking"]["externalId"].as_str(), Some(&*customer["id"].to_string()));
            let related = world.outside.state("espocrm", reference).await;
            let (own, other) =
                if body["kind"] == "corporate" { ("accounts", "contacts") } else { ("contacts", "accounts") };
            assert_eq!(related[own].as_array().unwrap().len(), 1, "{related}");
            assert!(related[other].as_array().unwrap().is_empty(), "{related}");
            let identified = world.outside.state("scim", reference).await;
            assert_eq!(identified["users"][0]["active"], true, "{identified}");

            // Enrolled behind the provisioning, so that `identified` may have been too early for them.
            assert!(!admin.devices(reference).await.is_empty());
            assert_eq!(mails(&world, text(&body["email"])).await, ["welcome"]);
            // The relationship comes with the contact; the version speaks of profile and status alone.
            let viewed = admin.client_when(reference, "with a relationship", |c| c["relationship"].is_object()).await;
            assert!(viewed["relationship"]["asOf"].is_string(), "{viewed}");
            assert_eq!(viewed["version"], client["version"]);
        }
    });
}

#[test]
fn a_match_is_never_final_until_somebody_decides() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("review");
        let (admin, compliance) = (world.admin(&org), world.member(&org, "m-3", &["RP003"]));
        let mut references = Vec::new();
        for _ in 0..2 {
            let body = samples::listed_person();
            let created = admin.create(&body).await;
            let reference = text(&created["reference"]).to_owned();
            let review = |client: &Value| client["kyc"]["status"] == "review" && in_step(client);
            let client = admin.client_when(&reference, "in review", review).await;
            assert_eq!(client["status"], "pending", "{client}");
            assert!(!client["kyc"]["reasons"].as_array().unwrap().is_empty(), "{client}");
            references.push((reference, body));
        }
        world.settle().await;
        for (reference, body) in &references {
            for system in ["fineract", "espocrm", "scim"] {
                let kinds = world.outside.kinds(system, reference).await;
                assert!(kinds.is_empty(), "{system} knows a client in review: {kinds:?}");
            }
            assert!(mails(&world, text(&body["email"])).await.is_empty());
        }
        let decide = async |reference: &str, decision: &str| {
            let body = json!({"decision": decision, "reason": "compared the papers"});
            compliance.post(&format!("/clients/kyc/{reference}"), &body).await
        };
        // By hand there is no other way out of it.
        let mut by_hand = admin.client(&references[0].0).await;
        by_hand["status"] = "active".into();
        let path = format!("/clients/profile/{}", references[0].0);
        admin.put(&path, &by_hand).await.problem(409, "invalid-transition");

        let (approved, body) = &references[0];
        let answer = decide(approved, "approve").await.ok(200);
        assert_eq!((&answer["status"], &answer["kyc"]["status"]), (&json!("active"), &json!("approved")), "{answer}");
        admin.settled(approved).await;
        is_everywhere_once(&world, approved).await;
        assert_eq!(mails(&world, text(&body["email"])).await, ["welcome"]);
        decide(approved, "reject").await.problem(409, "invalid-transition");

        let (rejected, body) = &references[1];
        let answer = decide(rejected, "reject").await.ok(200);
        assert_eq!((&answer["status"], &answer["kyc"]["status"]), (&json!("rejected"), &json!("rejected")), "{answer}");
        world.settle().await;
        for system in ["fineract", "scim"] {
            let kinds = world.outside.kinds(system, rejected).await;
            assert!(kinds.is_empty(), "{system} has a rejected client: {kinds:?}");
        }
        assert!(mails(&world, text(&body["email"])).await.is_empty());
        decide(rejected, "approve").await.problem(409, "invalid-transition");
        let history = compliance.get(&format!("/clients/history/{rejected}")).await.ok(200);
        let decided =
            |item: &&Value| item["kind"] == "kyc.reviewed" && item["member"] == "m-3" && item["action"] == "CX004";
        let decisions: Vec<&Value> = history["items"].as_array().unwrap().iter().filter(decided).collect();
        assert_eq!(decisions.len(), 1, "{history}");
        assert_eq!(
            (&decisions[0]["outcome"], &decisions[0]["reason"]),
            (&json!("rejected"), &json!("compared the papers")),
            "{history}"
        );
    });
}

#[test]
fn nobody_decides_on_what_was_not_screened() {
    run(async {
        let world = World::start(Config::default()).await;
        let admin = world.admin("renamed");
        let body = samples::listed_person();
        let reference = text(&admin.create(&body).await["reference"]).to_owned();
        let in_review = |client: &Value| client["kyc"]["status"] == "review" && in_step(client);
        let first = admin.client_when(&reference, "in review", in_review).await;
        // Another one of the list, while the KYC system can't be asked.
        world.outside.fault("match", json!({"kind": "fail", "status": 503})).await;
        let mut other = body.clone();
        other["individual"] = json!({"givenName": "Anselm", "familyName": "Kruithof", "dateOfBirth": "1958-06-05",
            "nationality": "SR", "nationalId": body["individual"]["nationalId"]});
        admin.put(&format!("/clients/profile/{reference}"), &other).await.ok(200);
        let path = format!("/clients/kyc/{reference}");
        for decision in ["approve", "reject"] {
            let problem = admin.post(&path, &json!({"decision": decision})).await.problem(409, "invalid-transition");
            assert!(text(&problem["detail"]).contains("changed since it was screened"), "{problem}");
        }
        assert_eq!(admin.client(&reference).await["status"], "pending");
        world.outside.heal("match").await;
        let again = |client: &Value| in_review(client) && client["kyc"]["reasons"] != first["kyc"]["reasons"];
        admin.client_when(&reference, "screened again", again).await;
        let approved = admin.post(&path, &json!({"decision": "approve"})).await.ok(200);
        assert_eq!((&approved["status"], &approved["kyc"]["status"]), (&json!("active"), &json!("approved")));
        assert_eq!(approved["statusReason"], Value::Null, "{approved}");
        world.settle().await;
    });
}

#[test]
fn a_change_of_the_phone_is_told_to_the_old_one() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("phones"));
        let mut body = samples::person();
        let (old, new) = ("+351912340001", "+351912340002");
        body["phone"] = old.into();
        let reference = admin.onboard(&body).await;
        body["phone"] = new.into();
        admin.put(&format!("/clients/profile/{reference}"), &body).await.ok(200);
        admin.settled(&reference).await;
        world.settle().await;
        assert_eq!(world.outside.kinds("sms", old).await, ["message.queued"]);
        assert_eq!(world.outside.kinds("sms", new).await, [""; 0]);
        assert_eq!(mails(&world, text(&body["email"])).await, ["welcome", "profile-updated"]);
    });
}

#[test]
fn a_change_reaches_every_mirror_and_both_addresses() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("mirrors"));
        let mut body = samples::company();
        let before = text(&body["email"]).to_owned();
        let reference = admin.onboard(&body).await;
        let after = before.replace("ops", "desk");
        body["email"] = after.clone().into();
        body["phone"] = "+442079460999".into();
        body["name"] = format!("{} Group", text(&body["name"])).into();
        body["corporate"]["legalName"] = body["name"].clone();
        let edited = admin.put(&format!("/clients/profile/{reference}"), &body).await.ok(200);
        let client = admin.settled(&reference).await;
        for link in ["core-banking", "crm", "identity"] {
            assert!(client["sync"][link]["version"].as_u64() >= edited["version"].as_u64(), "{link}: {client}");
        }
        for system in ["fineract", "espocrm", "scim"] {
            let state = world.outside.state(system, &reference).await.to_string();
            assert!(state.contains(text(&body["name"])), "{system} has another name: {state}");
        }
        let related = world.outside.state("espocrm", &reference).await.to_string();
        assert!(related.contains(&after) && !related.contains(&before), "{related}");
        mailed(&world, &before, "profile-updated").await;
        mailed(&world, &after, "profile-updated").await;
        is_everywhere_once(&world, &reference).await;
        // A change of nothing writes nothing and tells nobody.
        let again = admin.put(&format!("/clients/profile/{reference}"), &client).await.ok(200);
        assert_eq!(again["version"], client["version"]);
        world.settle().await;
        assert_eq!(mails(&world, &after).await, ["profile-updated"]);
        // Suspending and coming back.
        body["status"] = "suspended".into();
        body["statusReason"] = "asked for by the client".into();
        let path = format!("/clients/profile/{reference}");
        assert_eq!(admin.put(&path, &body).await.ok(200)["status"], "suspended");
        body["status"] = "active".into();
        assert_eq!(admin.put(&path, &body).await.ok(200)["status"], "active");
    });
}

#[test]
fn commands_on_devices_reach_the_identity_system_in_order() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("devices");
        let (admin, support) = (world.admin(&org), world.member(&org, "m-4", &["RP004"]));
        let (first, mut second) = (samples::company(), samples::person());
        second["phone"] = "+351912345999".into();
        let from = admin.onboard(&first).await;
        let to = admin.onboard(&second).await;
        let devices = admin.devices(&from).await;
        let device = devices[0]["device"].clone();
        // How many of the owner's devices are so at the identity system, once nothing is owed.
        let outside = async |owner: &str, member: &str, value: bool| {
            world.settle().await;
            let state = world.outside.state("scim", owner).await;
            state["devices"].as_array().unwrap().iter().filter(|device| device[member] == value).count()
        };

        let lock = |locked: bool| json!({"device": device, "locked": locked, "reason": "lost"});
        let locked = support.post("/clients/device/lock", &lock(true)).await.ok(200);
        assert_eq!((&locked["locked"], &locked["lockReason"]), (&json!(true), &json!("lost")), "{locked}");
        let again = support.post("/clients/device/lock", &lock(true)).await.ok(200);
        assert_eq!(again["version"], locked["version"], "locking a locked one writes nothing");
        let activate = |active: bool| json!({"device": device, "active": active, "reason": "asked for"});
        support.post("/clients/device/activate", &activate(true)).await.problem(409, "device-locked");
        assert_eq!(outside(&from, "locked", true).await, 1);
        // What is urgent goes by text message where there is a number.
        let phone = text(&first["phone"]);
        assert_eq!(world.outside.kinds("sms", phone).await, ["message.queued"]);

        let unlocked = support.post("/clients/device/lock", &lock(false)).await.ok(200);
        assert_eq!((&unlocked["locked"], &unlocked["active"]), (&json!(false), &devices[0]["active"]), "{unlocked}");
        assert_eq!(outside(&from, "locked", true).await, 0);
        support.post("/clients/device/activate", &activate(false)).await.ok(200);
        assert_eq!(outside(&from, "active", false).await, 1);
        support.post("/clients/device/activate", &activate(true)).await.ok(200);
        assert_eq!(outside(&from, "active", false).await, 0);

        let reset = support.post("/clients/device/resetPIN", &json!({"device": device, "reason": "forgotten"})).await;
        let reset = reset.ok(202);
        let (masked, shown) = (text(&reset["sentTo"]), &phone[phone.len() - 4..]);
        let hidden = masked.strip_prefix("+44").and_then(|rest| rest.strip_suffix(shown)).unwrap_or("");
        assert!(hidden.chars().count() >= 5 && hidden.chars().all(|shown| shown == '•'), "{reset}");
        world.settle().await;
        let kinds = world.outside.kinds("scim", &from).await;
        assert_eq!(count(&kinds, "device.pinReset"), 1, "{kinds:?}");

        let transfer = json!({"device": device, "from": from, "to": to, "reason": "sold"});
        let moved = support.post("/clients/device/transfer", &transfer).await.ok(200);
        assert_eq!((&moved["client"], &moved["active"]), (&json!(to), &json!(false)), "{moved}");
        support.post("/clients/device/transfer", &transfer).await.problem(409, "device-not-owned");
        world.settle().await;
        assert_eq!(count(&world.outside.kinds("scim", &to).await, "device.transferred"), 1);
        assert_eq!(admin.devices(&from).await.len(), devices.len() - 1);
        assert!(admin.devices(&to).await.iter().any(|found| found["device"] == device && found["active"] == false));
        let messages = mails(&world, text(&first["email"])).await;
        assert_eq!(messages, ["welcome", "device-unlocked", "device-deactivated", "device-activated"]);
        let texts = world.outside.state("sms", phone).await["messages"].clone();
        let said: Vec<_> = texts.as_array().unwrap().iter().map(|message| text(&message["body"])).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        for (said, about) in said.iter().zip(["locked", "PIN", "moved"]) {
            assert!(said.contains(about), "{said}");
        }
        let told = world.outside.kinds("sms", text(&second["phone"])).await;
        assert_eq!(told, ["message.queued"], "both owners are told of a transfer");
        // A target that is not active.
        let pending = admin.create(&samples::listed_person()).await["reference"].clone();
        let transfer = json!({"device": device, "from": to, "to": pending});
        support.post("/clients/device/transfer", &transfer).await.problem(409, "target-not-active");
        // Existence comes before fields, for either owner.
        for (from, to) in [("CL-NOBODY", to.as_str()), (from.as_str(), "CL-NOBODY")] {
            let transfer = json!({"device": device, "from": from, "to": to, "colour": "red"});
            support.post("/clients/device/transfer", &transfer).await.problem(404, "client-not-found");
        }
    });
}

#[test]
fn a_device_waits_for_the_provisioning_of_its_new_owner() {
    let world = World::shared("slow provisioning");
    run(async {
        let admin = world.admin(&samples::org("waiting"));
        let from = admin.onboard(&samples::company()).await;
        let device = admin.devices(&from).await[0]["device"].clone();
        let slow = json!({"kind": "delay", "ms": 2500, "method": "POST", "path": "/Users"});
        world.outside.fault("scim", slow).await;
        let created = admin.create(&samples::person()).await;
        let to = text(&created["reference"]);
        admin.client_when(to, "active", |client: &Value| client["status"] == "active").await;
        let transfer = json!({"device": device, "from": from, "to": to});
        admin.post("/clients/device/transfer", &transfer).await.ok(200);
        assert_eq!(world.outside.kinds("scim", to).await, [""; 0], "the new owner is not known there yet");

        world.settle().await;
        world.outside.heal("scim").await;
        assert_eq!(count(&world.outside.kinds("scim", to).await, "device.transferred"), 1);
        let history = admin.get(&format!("/clients/history/{to}?limit=200")).await.ok(200);
        let steps = history["items"].as_array().unwrap().iter();
        let steps = steps.filter(|item| item["kind"].as_str().unwrap().starts_with("delivery.failed"));
        assert_eq!(steps.count(), 0, "waiting is no failure: {history}");
    });
}

#[test]
fn a_device_follows_an_owner_that_was_archived_before_anybody_knew_it() {
    run(async {
        let retry = ["\"500ms\""; 20].join(", ");
        let sync = format!("retry = [{retry}]\nbreaker = {{ failures = 2, window_s = 30, open_s = 1 }}");
        let world = World::start(Config { sync, strict: false, ..Config::default() }).await;
        let admin = world.admin("gone");
        let from = admin.onboard(&samples::company()).await;
        let device = admin.devices(&from).await[0].clone();
        assert_eq!(device["active"], true, "{device}");
        world.outside.fault("scim", json!({"kind": "fail", "status": 503})).await;
        for _ in 0..3 {
            admin.create(&samples::company()).await;
        }
        until("the identity system is left alone", || async {
            let url = format!("{}/health/ready", world.url());
            let health: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
            let mut parts = health["parts"].as_array().unwrap().iter();
            parts.any(|part| part["name"] == "adapter/identity" && part["status"] != "ok").then_some(())
        })
        .await;
        let created = admin.create(&samples::person()).await;
        let to = text(&created["reference"]);
        admin.client_when(to, "active", |client: &Value| client["status"] == "active").await;
        let transfer = json!({"device": device["device"], "from": from, "to": to});
        admin.post("/clients/device/transfer", &transfer).await.ok(200);
        admin.delete(&format!("/clients/profile/{to}")).await.ok(200);

        world.outside.heal("scim").await;
        world.settle().await;
        let parked = world.operator().get("/admin/sync/parked").await.ok(200);
        assert_eq!(parked["items"], json!([]));
        let there = world.outside.state("scim", to).await;
        assert_eq!(there["users"][0]["active"], false, "{there}");
        // The identity system enrols devices of its own for whomever it gets to know.
        let inactive = there["devices"].as_array().unwrap().iter().filter(|device| device["active"] == false);
        assert_eq!(inactive.count(), 1, "{there}");
        assert_eq!(count(&world.outside.kinds("scim", to).await, "device.transferred"), 1);
    });
}

#[test]
fn archiving_closes_everywhere() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("archive"));
        let body = samples::company();
        let reference = admin.onboard(&body).await;
        let path = format!("/clients/profile/{reference}");
        let request = admin.request(reqwest::Method::DELETE, &path).json(&json!({"reason": "moved away"}));
        let archived = crate::harness::Reply::read(request.send().await.unwrap()).await.ok(200);
        assert_eq!(archived["status"], "archived");
        let again = admin.delete(&path).await.ok(200);
        assert_eq!(again["version"], archived["version"], "archiving an archived one writes nothing");
        admin.put(&path, &body).await.problem(409, "client-archived");
        world.settle().await;
        let banked = world.outside.kinds("fineract", &reference).await;
        assert_eq!(count(&banked, "client.closed"), 1, "{banked:?}");
        let related = world.outside.state("espocrm", &reference).await;
        assert_eq!(related["accounts"][0]["cClientStatus"], "archived", "{related}");
        let identified = world.outside.state("scim", &reference).await;
        assert_eq!(identified["users"][0]["active"], false, "{identified}");
        let devices = admin.get(&format!("/clients/device/{reference}")).await.ok(200);
        let devices = devices["items"].as_array().unwrap();
        assert!(!devices.is_empty() && devices.iter().all(|device| device["active"] == false), "{devices:?}");
        for (verb, body) in [("activate", json!({"active": true})), ("resetPIN", json!({}))] {
            let mut body = body;
            body["device"] = devices[0]["device"].clone();
            admin.post(&format!("/clients/device/{verb}"), &body).await.problem(409, "client-archived");
        }
        assert_eq!(mails(&world, text(&body["email"])).await, ["welcome", "deactivated"]);
        // Left out of lists unless a filter names the status; its number is free again.
        assert_eq!(admin.get("/clients/profile").await.ok(200)["total"], 0);
        let found = admin.get("/clients/profile?filter=status%20eq%20%22archived%22").await.ok(200);
        assert_eq!(found["items"][0]["reference"], reference);
        admin.create(&body).await;
    });
}

async fn retrying(member: &Member<'_>, reference: &str, link: &str) -> Value {
    let state = |client: &Value| client["sync"][link]["state"] == "retrying";
    member.client_when(reference, &format!("retrying with {link}"), state).await["sync"][link].clone()
}

#[test]
fn a_system_that_is_down_keeps_nobody_waiting_and_gets_everything_later() {
    let world = World::shared("disturbed");
    run(async {
        let _turn = DISTURBING.lock().await;
        let admin = world.admin(&samples::org("down"));
        let broken = [("espocrm", "crm"), ("fineract", "core-banking"), ("scim", "identity"), ("match", "kyc")];
        for (system, link) in broken {
            let fault =
                if system == "fineract" { json!({"kind": "reset"}) } else { json!({"kind": "fail", "status": 503}) };
            world.outside.fault(system, fault).await;
            let created = admin.create(&samples::company()).await;
            let reference = text(&created["reference"]);
            let sync = retrying(&admin, reference, link).await;
            assert!(sync["attempts"].as_u64() >= Some(1) && sync["nextAt"].is_string(), "{sync}");
            assert!(sync["error"].as_str().is_some_and(|error| !error.is_empty()), "{sync}");
            if link != "kyc" {
                let client = admin.client_when(reference, "active", |client| client["status"] == "active").await;
                assert_ne!(client["sync"][link]["state"], "synced");
            }
            world.outside.heal(system).await;
            admin.settled(reference).await;
            is_everywhere_once(&world, reference).await;
        }
    });
}

#[test]
fn who_was_archived_before_a_system_knew_it_is_never_made_known_there() {
    let world = World::shared("disturbed");
    run(async {
        let _turn = DISTURBING.lock().await;
        let admin = world.admin(&samples::org("gone"));
        for (system, link) in [("espocrm", "crm"), ("fineract", "core-banking"), ("scim", "identity")] {
            world.outside.fault(system, json!({"kind": "fail", "status": 503})).await;
            let reference = text(&admin.create(&samples::company()).await["reference"]).to_owned();
            retrying(&admin, &reference, link).await;
            admin.delete(&format!("/clients/profile/{reference}")).await.ok(200);
            let client = admin.client_when(&reference, "owed nothing", in_step).await;
            assert_eq!(
                (&client["status"], &client["sync"][link]["version"]),
                (&json!("archived"), &json!(0)),
                "{client}"
            );
            world.outside.heal(system).await;
            world.settle().await;
            let kinds = world.outside.kinds(system, &reference).await;
            assert!(kinds.is_empty(), "{system} was told of a client that is gone: {kinds:?}");
        }
    });
}

#[test]
fn a_lost_answer_has_one_effect() {
    let world = World::shared("disturbed");
    run(async {
        let _turn = DISTURBING.lock().await;
        let admin = world.admin(&samples::org("lost"));
        for body in [samples::company(), samples::person()] {
            for system in ["fineract", "espocrm", "scim"] {
                world.outside.fault(system, json!({"kind": "lose-answer", "method": "POST", "count": 2})).await;
            }
            let created = admin.create(&body).await;
            let reference = text(&created["reference"]);
            admin.settled(reference).await;
            for system in ["fineract", "espocrm", "scim"] {
                world.outside.heal(system).await;
            }
            is_everywhere_once(&world, reference).await;
            assert_eq!(mails(&world, text(&body["email"])).await, ["welcome"]);
        }
    });
}

#[test]
fn slow_and_nonsensical_answers_are_outlived() {
    let world = World::shared("disturbed");
    run(async {
        let _turn = DISTURBING.lock().await;
        let admin = world.admin(&samples::org("nonsense"));
        for (system, fault) in [
            ("espocrm", json!({"kind": "nonsense", "form": "not-json", "count": 2})),
            ("scim", json!({"kind": "nonsense", "form": "wrong-shape", "count": 1})),
            ("fineract", json!({"kind": "delay", "ms": 600, "count": 2})),
        ] {
            world.outside.fault(system, fault).await;
            let reference = text(&admin.create(&samples::company()).await["reference"]).to_owned();
            let synced = |client: &Value| client["status"] == "active" && in_step(client);
            let client = admin.client_when(&reference, &format!("in step after {system}"), synced).await;
            assert_eq!(client["status"], "active");
            world.outside.heal(system).await;
            is_everywhere_once(&world, &reference).await;
        }
    });
}

#[test]
fn accounts_are_served_stale_while_core_banking_is_down() {
    let world = World::shared("disturbed");
    run(async {
        let _turn = DISTURBING.lock().await;
        let admin = world.admin(&samples::org("stale"));
        let known = admin.onboard(&samples::company()).await;
        let unknown = admin.onboard(&samples::company()).await;
        let path = format!("/clients/accounts/{known}");
        world.outside.balance(&known, "1250.50").await;
        let live = admin.get(&path).await.ok(200);
        assert_eq!((&live["stale"], &live["items"][0]["balance"]), (&json!(false), &json!("1250.50")), "{live}");
        world.outside.fault("fineract", json!({"kind": "fail", "status": 503})).await;
        let reply = admin.get(&path).await;
        let stale = reply.ok(200);
        assert_eq!((&stale["stale"], &stale["items"]), (&json!(true), &live["items"]));
        assert!(reply.header("warning").is_some_and(|warning| warning.starts_with("110")), "{reply:?}");
        let never = admin.get(&format!("/clients/accounts/{unknown}")).await;
        let problem = never.problem(503, "adapter-unavailable");
        assert_eq!(problem["adapter"], "core-banking");
        assert!(never.header("retry-after").is_some(), "{never:?}");
        world.outside.heal("fineract").await;
        crate::harness::until("live again", || async {
            let reply = admin.get(&path).await;
            (reply.status == 200 && reply.json()["stale"] == false).then_some(())
        })
        .await;
        // Nobody there yet: an empty list.
        let pending = admin.create(&samples::listed_person()).await["reference"].clone();
        assert_eq!(admin.get(&format!("/clients/accounts/{}", text(&pending))).await.ok(200)["items"], json!([]));
    });
}

#[test]
fn what_is_refused_or_can_not_be_known_is_set_aside() {
    run(async {
        let world = World::start(Config { strict: false, ..Config::default() }).await;
        let admin = world.admin("parked");
        let parked = async |adapter: &str| {
            let items = until(&format!("{adapter} has something parked"), || async {
                let list = world.operator().get(&format!("/admin/sync/parked?adapter={adapter}")).await.ok(200);
                list["items"].as_array().filter(|items| !items.is_empty()).cloned()
            })
            .await;
            assert_eq!(items.len(), 1, "{items:?}");
            items[0].clone()
        };
        // Refused: set aside, the other links go on, and a newer version takes its place.
        world.outside.fault("espocrm", json!({"kind": "fail", "status": 400, "method": "POST"})).await;
        let mut body = samples::company();
        let reference = text(&admin.create(&body).await["reference"]).to_owned();
        let item = parked("crm").await;
        assert_eq!(
            (&item["reason"], &item["client"], &item["org"]),
            (&json!("rejected"), &json!(reference), &json!("parked"))
        );
        assert!(item["id"].is_string() && item["function"].is_string() && item["attempts"].is_u64(), "{item}");
        let state = |client: &Value| client["status"] == "active" && client["sync"]["crm"]["state"] == "parked";
        admin.client_when(&reference, "active with a parked contact", state).await;
        world.outside.heal("espocrm").await;
        body["segment"] = "corporate".into();
        admin.put(&format!("/clients/profile/{reference}"), &body).await.ok(200);
        admin.settled(&reference).await;
        is_everywhere_once(&world, &reference).await;
        let list = world.operator().get("/admin/sync/parked").await.ok(200);
        assert_eq!(list["items"], json!([]));

        // Mail has neither a key nor a look-up: an unknown outcome is never repeated by itself.
        world.outside.fault("mail", json!({"kind": "lose-answer", "count": 1})).await;
        let body = samples::company();
        let reference = text(&admin.create(&body).await["reference"]).to_owned();
        let item = parked("messaging").await;
        assert_eq!((&item["reason"], &item["client"]), (&json!("outcome-unknown"), &json!(reference)), "{item}");
        // Wrong for a member of the organisation, shown to the operator alone.
        admin.get("/admin/sync/parked").await.denied("CX030");
        assert_eq!(mails(&world, text(&body["email"])).await, ["welcome"]);
        let client = admin.client(&reference).await;
        assert_eq!(client["sync"]["messaging"]["state"], "parked", "{client}");
        // Nor is a PIN reset.
        let device = admin.devices(&reference).await[0]["device"].clone();
        world.outside.fault("scim", json!({"kind": "lose-answer", "method": "POST", "count": 1})).await;
        admin.post("/clients/device/resetPIN", &json!({"device": device})).await.ok(202);
        let item = parked("identity").await;
        assert_eq!((&item["reason"], &item["device"]), (&json!("outcome-unknown"), &device), "{item}");
        let kinds = world.outside.kinds("scim", &reference).await;
        assert_eq!(count(&kinds, "device.pinReset"), 1, "{kinds:?}");
    });
}

#[test]
fn open_accounts_block_archiving_where_the_rule_is_on() {
    run(async {
        let more = "[governance]\nopen_accounts_block_archive = true".to_owned();
        let world = World::start(Config { more, ..Config::default() }).await;
        let admin = world.admin("rule");
        let reference = admin.onboard(&samples::company()).await;
        let path = format!("/clients/profile/{reference}");
        world.outside.balance(&reference, "0.01").await;
        admin.delete(&path).await.problem(409, "client-has-open-accounts");
        world.outside.fault("fineract", json!({"kind": "fail", "status": 503})).await;
        let reply = admin.delete(&path).await;
        assert_eq!(reply.problem(503, "adapter-unavailable")["adapter"], "core-banking");
        let pending = text(&admin.create(&samples::company()).await["reference"]).to_owned();
        let being_made = |client: &Value| client["sync"]["core-banking"]["state"] == "retrying";
        admin.client_when(&pending, "being created", being_made).await;
        admin.delete(&format!("/clients/profile/{pending}")).await.problem(409, "onboarding-in-progress");
        world.outside.heal("fineract").await;
        admin.settled(&pending).await;
        world.outside.balance(&reference, "0").await;
        let archived = until("core banking can be asked again", || async {
            let reply = admin.delete(&path).await;
            (reply.status != 503).then_some(reply)
        })
        .await;
        assert_eq!(archived.ok(200)["status"], "archived");
    });
}

/// The five adapters, with a KYC system that opens a case for each client and decides it when it is asked again.
fn casework(comes_to: &str) -> Config {
    let kyc = format!(
        "[adapters.kyc]\ncomponent = \"{{plugins}}/fixtures/casework.wasm\"\nstore = true\nsettings = {{ comes-to = \"{comes_to}\" }}\n\n"
    );
    let adapters = Config::default().adapters;
    let from = adapters.find("[adapters.kyc]").unwrap();
    let to = from + adapters[from..].find("[adapters.identity]").unwrap();
    let adapters = format!("{}{kyc}{}", &adapters[..from], &adapters[to..]);
    let sync = format!("{}\nask_again = \"200ms\"", Config::default().sync);
    Config { adapters, sync, ..Config::default() }
}

#[test]
fn a_case_is_asked_about_until_it_is_decided() {
    run(async {
        for (comes_to, status) in [("approved", "active"), ("rejected", "rejected")] {
            let world = World::start(casework(comes_to)).await;
            let admin = world.admin("cases");
            let reference = text(&admin.create(&samples::person()).await["reference"]).to_owned();
            let decided = |client: &Value| client["status"] == status;
            let client = admin.client_when(&reference, status, decided).await;
            assert_eq!(client["kyc"]["status"], comes_to, "{client}");
            world.settle().await;
            let history = admin.get(&format!("/clients/history/{reference}")).await.ok(200);
            let items = history["items"].as_array().unwrap();
            let checked = items.iter().filter(|item| item["kind"] == "kyc.checked").count();
            assert_eq!(checked, 2, "in review, then decided, and nothing for the questions between: {history}");
        }
    });
}

#[test]
fn a_document_is_asked_about_until_it_is_decided() {
    run(async {
        let world = World::start(casework("approved")).await;
        let admin = world.admin("papers");
        let reference = admin.onboard(&samples::person()).await;
        crate::operations::submit(&admin, &reference, b"%PDF-1.7\n%%EOF\n").await.ok(201);
        let path = format!("/clients/documents/{reference}");
        until("the document is verified", || async {
            let documents = admin.get(&path).await.ok(200);
            (documents["items"][0]["status"] == "verified").then_some(())
        })
        .await;
    });
}
