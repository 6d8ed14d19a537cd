//! What an independent subscriber on NATS sees, and what device events make the hub do.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_nats::jetstream;
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::harness::{Config, Member, Nats, World, free_port, run, samples, until};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

async fn world(port: u16) -> World {
    let more = format!("[nats]\nurl = \"nats://127.0.0.1:{port}\"\n");
    World::start(Config { more, ..Config::default() }).await
}

/// An event with the subject that it came on.
struct Announced {
    subject: String,
    body: Value,
}

/// A CloudEvent 1.0 that names and does not tell.
fn check(event: &Announced, org: &str, secrets: &[String]) {
    let Announced { subject, body } = event;
    assert_eq!(body["specversion"], "1.0", "{body}");
    for member in ["id", "source", "type", "subject", "time"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body}");
    }
    let kind = text(&body["type"]).strip_prefix("backoffice.clients.").unwrap();
    assert_eq!(*subject, format!("backoffice.clients.{org}.{kind}"));
    assert_eq!(body["data"]["reference"], body["subject"]);
    assert!(body["data"]["changed"].is_array(), "{body}");
    let written = body.to_string();
    for secret in secrets {
        assert!(!written.contains(secret.as_str()), "{secret} in {body}");
    }
}

/// Everything personal in a client.
fn secrets(body: &Value) -> Vec<String> {
    let mut secrets = Vec::new();
    let mut left = vec![body];
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) if text.len() > 5 && text != "corporate" && text != "individual" => {
                secrets.push(text.clone());
            }
            Value::Array(items) => left.extend(items),
            Value::Object(members) => left.extend(members.values()),
            _ => {}
        }
    }
    secrets
}

/// Everything in the stream, with its number, once it is `enough`.
async fn stream(url: &str, enough: impl Fn(&[Announced]) -> bool) -> Vec<Announced> {
    let client = async_nats::connect(url).await.unwrap();
    let context = jetstream::new(client);
    until("the stream has everything", || async {
        let mut stream = context.get_stream("BACKOFFICE_EVENTS").await.ok()?;
        let state = stream.info().await.ok()?.state.clone();
        let mut events = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.ok()?;
            let body = serde_json::from_slice(&message.payload).unwrap();
            events.push(Announced { subject: message.subject.to_string(), body });
        }
        enough(&events).then_some(events)
    })
    .await
}

/// Everything that happened to these clients is in the stream, each event once, in the order of the client's history.
pub async fn announced_once_and_in_order(url: &str, member: &Member<'_>, references: &[String]) {
    let mut expected = BTreeMap::new();
    for reference in references {
        let history = member.get(&format!("/clients/history/{reference}?limit=200")).await.ok(200);
        let announced = |kind: &str| kind.starts_with("client.") || kind.starts_with("kyc.");
        let mut items: Vec<_> = history["items"].as_array().unwrap().iter().rev().collect();
        items.retain(|item| announced(text(&item["kind"])));
        expected.insert(reference, items.iter().map(|item| text(&item["id"]).to_owned()).collect::<Vec<_>>());
    }
    let ids = |events: &[Announced]| events.iter().map(|event| text(&event.body["id"]).to_owned()).collect::<Vec<_>>();
    let whole = |events: &[Announced]| {
        let found: HashSet<_> = ids(events).into_iter().collect();
        expected.values().flatten().all(|id| found.contains(id))
    };
    let found = ids(&stream(url, whole).await);
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), found.len(), "an event twice");
    let place: BTreeMap<_, _> = found.iter().enumerate().map(|(place, id)| (id, place)).collect();
    for (reference, ids) in &expected {
        assert!(ids.iter().map(|id| place[id]).is_sorted(), "order of {reference}");
    }
}

fn of<'a>(events: &'a [Announced], reference: &str) -> Vec<&'a str> {
    let own = events.iter().filter(|event| event.body["subject"] == reference);
    own.map(|event| text(&event.body["type"]).strip_prefix("backoffice.clients.").unwrap()).collect()
}

#[test]
fn a_subscriber_sees_what_changed_and_nothing_personal() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let nats = Nats::start(folder.path(), free_port());
        let client = async_nats::connect(&nats.url).await.unwrap();
        let mut all = client.subscribe("backoffice.clients.>").await.unwrap();
        client.flush().await.unwrap();
        let port = nats.url.rsplit(':').next().unwrap().parse().unwrap();
        let world = world(port).await;
        let org = "subscriber";
        let admin = world.admin(org);
        let mut body = samples::company();
        let reference = admin.onboard(&body).await;
        let path = format!("/clients/profile/{reference}");
        let known = secrets(&body);
        body["email"] = "moved@meridian.example".into();
        admin.put(&path, &body).await.ok(200);
        let device = admin.devices(&reference).await[0]["device"].clone();
        admin
            .post("/clients/device/lock", &json!({"device": device, "locked": true, "reason": "lost property"}))
            .await
            .ok(200);
        admin.delete(&path).await.ok(200);
        let mut events = Vec::new();
        let archived = |events: &[Announced]| of(events, &reference).contains(&"client.archived");
        while !archived(&events) {
            let message = tokio::time::timeout(crate::harness::PATIENCE, all.next()).await.unwrap().unwrap();
            let headers = message.headers.as_ref().unwrap();
            assert_eq!(headers.get("Content-Type").unwrap().as_str(), "application/cloudevents+json");
            let body: Value = serde_json::from_slice(&message.payload).unwrap();
            assert_eq!(headers.get("Nats-Msg-Id").unwrap().as_str(), text(&body["id"]));
            events.push(Announced { subject: message.subject.to_string(), body });
        }
        for event in &events {
            check(event, org, &known);
            assert!(!event.body.to_string().contains("lost property"), "{}", event.body);
        }
        let kinds = of(&events, &reference);
        for kind in ["client.created", "kyc.checked", "client.activated", "client.updated", "client.archived"] {
            assert_eq!(kinds.iter().filter(|found| **found == kind).count(), 1, "{kind} in {kinds:?}");
        }
        assert_eq!(of(&events, text(&device)).iter().filter(|kind| **kind == "device.locked").count(), 1);
        let updated = events.iter().find(|event| event.subject.ends_with("client.updated")).unwrap();
        assert_eq!(updated.body["data"]["changed"], json!(["/email"]));
        assert_eq!(updated.body["data"]["action"], "CL004");
        let ids: HashSet<_> = events.iter().map(|event| text(&event.body["id"])).collect();
        assert_eq!(ids.len(), events.len());
        // The history names the same entries by the same ids.
        let history = admin.get(&format!("/clients/history/{reference}?limit=200")).await.ok(200);
        let created =
            history["items"].as_array().unwrap().iter().find(|item| item["kind"] == "client.created").unwrap();
        assert!(ids.contains(text(&created["id"])), "{created}");
    });
}

#[test]
fn what_happened_while_nats_was_away_arrives_once_and_in_order() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let world = world(port).await;
        let admin = world.admin("late");
        let mut expected = BTreeMap::new();
        for _ in 0..3 {
            let mut body = samples::company();
            let reference = admin.onboard(&body).await;
            body["segment"] = "large".into();
            admin.put(&format!("/clients/profile/{reference}"), &body).await.ok(200);
            admin.settled(&reference).await;
            let history = admin.get(&format!("/clients/history/{reference}?limit=200")).await.ok(200);
            let announced = |kind: &str| kind.starts_with("client.") || kind.starts_with("kyc.");
            let mut ids: Vec<_> = history["items"].as_array().unwrap().iter().collect();
            ids.retain(|item| announced(text(&item["kind"])));
            let ids: Vec<_> = ids.iter().rev().map(|item| text(&item["id"]).to_owned()).collect();
            expected.insert(reference, ids);
        }
        let nats = Nats::start(folder.path(), port);
        let whole = |events: &[Announced]| {
            let found: HashSet<_> = events.iter().map(|event| text(&event.body["id"])).collect();
            expected.values().flatten().all(|id| found.contains(id.as_str()))
        };
        let events = stream(&nats.url, whole).await;
        let once = |events: &[Announced]| {
            let ids: Vec<_> = events.iter().map(|event| text(&event.body["id"]).to_owned()).collect();
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "an event twice");
            for (reference, expected) in &expected {
                let own: Vec<_> = ids.iter().filter(|id| expected.contains(id)).collect();
                assert_eq!(own, expected.iter().collect::<Vec<_>>(), "order of {reference}");
            }
            ids.len()
        };
        let count = once(&events);

        // Neither a restart, nor a rebuild, nor a kill makes it say anything again.
        world.down();
        std::fs::remove_dir_all(world.folder().join("data/state")).unwrap();
        world.up();
        let next = admin.onboard(&samples::company()).await;
        stream(&nats.url, |events| of(events, &next).contains(&"client.activated")).await;
        world.kill();
        world.up();
        let last = admin.onboard(&samples::company()).await;
        let events = stream(&nats.url, |events| of(events, &last).contains(&"client.activated")).await;
        assert!(once(&events) > count);
        for reference in [&next, &last] {
            assert_eq!(of(&events, reference).iter().filter(|kind| **kind == "client.created").count(), 1);
        }

        // The server goes away and comes back with what it had.
        drop(nats);
        let away = admin.onboard(&samples::company()).await;
        let nats = Nats::start(folder.path(), port);
        let events = stream(&nats.url, |events| of(events, &away).contains(&"client.activated")).await;
        once(&events);
    });
}

#[test]
fn a_device_event_makes_the_hub_list_again_and_is_never_trusted() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let nats = Nats::start(folder.path(), free_port());
        let port = nats.url.rsplit(':').next().unwrap().parse().unwrap();
        let world = world(port).await;
        let admin = world.admin("hints");
        let reference = admin.onboard(&samples::company()).await;
        let before = admin.devices(&reference).await;
        let client = async_nats::connect(&nats.url).await.unwrap();
        let tell = async |org: &str, body: Value| {
            let subject = format!("backoffice.devices.{org}");
            client.publish(subject, body.to_string().into()).await.unwrap();
            client.flush().await.unwrap();
        };
        let event = |kind: &str, data: Value| json!({"specversion": "1.0", "id": samples::unique().to_string(), "source": "/identity", "type": kind, "data": data});
        // Nonsense, strangers' subjects and lies change nothing.
        client.publish("backoffice.devices.hints", "nonsense".into()).await.unwrap();
        let lie = json!({"client": reference, "device": "made-up", "active": false, "locked": true});
        tell("hints", event("device.changed", lie)).await;
        tell("another", event("device.removed", json!({"client": reference}))).await;

        let set = json!({"deviceType": "pos", "label": "Till 9"});
        world.outside.device(json!({"externalId": reference, "op": "enrol", "set": set})).await;
        tell("hints", event("device.enrolled", json!({"client": reference}))).await;
        let listed = until("the new device is listed", || async {
            let devices = admin.devices(&reference).await;
            devices.iter().any(|device| device["label"] == "Till 9").then_some(devices)
        })
        .await;
        assert_eq!(listed.len(), before.len() + 1);
        for device in &before {
            let now = listed.iter().find(|listed| listed["device"] == device["device"]).unwrap();
            assert_eq!((&now["active"], &now["locked"]), (&device["active"], &device["locked"]), "a lie was believed");
        }
        world.outside.device(json!({"externalId": reference, "op": "remove"})).await;
        tell("hints", event("device.removed", json!({"client": reference}))).await;
        assert_eq!(admin.devices(&reference).await.len(), before.len());
        // An event that comes while the hub holds an answer of before it makes the hub ask once more.
        world.outside.fault("scim", json!({"kind": "delay", "ms": 2_000, "afterEffect": true})).await;
        tell("hints", event("device.changed", json!({"client": reference}))).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        world.outside.heal("scim").await;
        let set = json!({"deviceType": "pos", "label": "Till 10"});
        world.outside.device(json!({"externalId": reference, "op": "enrol", "set": set})).await;
        tell("hints", event("device.enrolled", json!({"client": reference}))).await;
        let devices = admin.devices(&reference).await;
        assert!(devices.iter().any(|device| device["label"] == "Till 10"), "{devices:?}");
        // One that comes while the identity system does not answer is not forgotten.
        world.outside.fault("scim", json!({"kind": "fail", "status": 503})).await;
        world.outside.device(json!({"externalId": reference, "op": "remove"})).await;
        tell("hints", event("device.removed", json!({"client": reference}))).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        world.outside.heal("scim").await;
        assert_eq!(admin.devices(&reference).await.len(), before.len());
        let health: Value =
            world.http.get(format!("{}/health/ready", world.url())).send().await.unwrap().json().await.unwrap();
        assert_eq!(health["status"], "ok", "{health}");
    });
}

#[test]
fn one_trace_goes_from_the_request_to_the_outside_systems() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("trace"));
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let request = admin.request(reqwest::Method::POST, "/clients/profile").json(&samples::company());
        let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
        let created = admin.send(request).await.ok(201);
        let reference = created["reference"].as_str().unwrap();
        admin.settled(reference).await;
        // Every entry about the client, whoever wrote it, is of the request's trace; only a view may have asked the CRM.
        let mut export = std::process::Command::new(env!("CARGO_BIN_EXE_hub"));
        let export = export.args(["journal", "export", "--config"]).arg(world.config_file());
        let journal = export.current_dir(world.folder()).output().unwrap();
        assert!(journal.status.success(), "{journal:?}");
        let journal = String::from_utf8(journal.stdout).unwrap();
        let entries = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let is_own = |stream: &str| stream.ends_with(reference) && !stream.starts_with("relationship/");
        let own: Vec<_> = entries.filter(|entry| is_own(entry["stream"].as_str().unwrap())).collect();
        assert!(own.iter().any(|entry| entry["kind"] == "delivery.delivered"), "{own:#?}");
        for entry in own {
            let of = entry["trace"].as_str().unwrap_or_else(|| panic!("no trace: {entry}"));
            assert_eq!(of.split('-').nth(1), Some(trace), "{entry}");
        }
        // And so is the request's line in the log.
        assert!(world.log().lines().any(|line| line.contains(trace) && line.contains("CL003")));
    });
}
