//! `hub sync retry` and `hub sync discard`, of a stopped hub and of a running one.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use hub::domain::delivery::{Adapter, Attempted, Function, Parked};
use hub::domain::event::Event;
use hub::domain::filter::Filter;
use hub::journal::{Append, Journal};
use hub::startup::data;
use hub::sync::entries::{By, delivery_stream};
use serde_json::{Value, json};

use crate::support::{Place, policies};

/// A hub with 48 clients, the contacts of `count` of which the CRM has refused.
fn place(count: usize) -> (Place, Vec<String>) {
    let place = Place::new()
        .with("HUB_ADAPTERS__CRM__COMPONENT", "absent.wasm")
        .with("HUB_HTTP__LISTEN", "127.0.0.1:0")
        .with("HUB_POLICIES__PATH", &policies())
        .with("HUB_SYNC__RETRY", "['1h']")
        .with("USER", "dana")
        .with_clients();
    let data = data::open(&place.store(), &[Adapter::Crm], None, |_, _| {}).unwrap();
    let mut references = data.state.references(&Filter::parse("reference pr").unwrap());
    references.sort();
    references.truncate(count);
    for reference in &references {
        let (key, function) = (format!("key-{reference}"), Function::UpsertContact);
        let (by, stream) = (By::hub("demo", &key), delivery_stream(Adapter::Crm, reference));
        let attempted = Attempted { key: key.clone(), function, version: 1, owing: 1, attempt: 1 };
        let parked = Parked { key, function, reason: "rejected".into(), error: "no such field".into(), call: None };
        let entries = [Event::DeliveryAttempted(attempted), Event::DeliveryParked(parked)];
        let entries = entries.iter().map(|event| by.entry(stream.clone(), event.clone()).unwrap()).collect();
        futures::executor::block_on(data.journal.append(Append { entries, ..Append::default() })).unwrap();
    }
    (place, references)
}

fn rows(place: &Place, words: &[&str]) -> Vec<Value> {
    let told = place.hub(&[words, &["--json"]].concat()).done();
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn decided(place: &Place, kind: &str) -> Vec<Value> {
    rows(place, &["journal", "show", "--kind", kind])
}

/// What both a stopped and a running hub are asked, with eight deliveries set aside.
fn decide_on_all(place: &Place, references: &[String]) {
    assert_eq!(rows(place, &["sync", "parked"]).len(), 8);
    assert_eq!(rows(place, &["sync", "parked", "--client", &references[1]]).len(), 1);
    let id = format!("key-{}", references[0]);

    let one = rows(place, &["sync", "retry", &id, "--reason", "repaired"]).remove(0);
    assert_eq!((&one["id"], &one["state"]), (&json!(id), &json!("retrying")), "{one}");
    let told = place.hub(&["sync", "retry", &id, "--reason", "repaired"]).failed();
    assert!(told.contains("delivery-not-found"), "{told}");
    let one = place.hub(&["sync", "discard", &format!("key-{}", references[1]), "--reason", "by phone"]).done();
    assert_eq!(one, format!("discarded: upsert-contact to crm for {}\n", references[1]));

    let crm = ["--adapter", "crm", "--reason-code", "rejected"];
    let met = rows(place, &[&["sync", "retry", "--dry-run"][..], &crm].concat()).remove(0);
    assert_eq!(met, json!({"dryRun": true, "matched": 6, "superseded": 0, "items": []}));
    assert_eq!(rows(place, &["sync", "parked"]).len(), 6, "a dry run writes nothing");
    let client = ["--client", &references[2], "--reason", "repaired"];
    let told = place.hub(&[&["sync", "retry"][..], &client].concat()).done();
    assert_eq!(told, "done: 1 matched, 1 decided, 0 passed over\n");
    let done = rows(place, &["sync", "discard", "--all", "--reason", "the CRM is gone"]).remove(0);
    assert_eq!((&done["state"], &done["matched"], &done["decided"]), (&json!("done"), &json!(5), &json!(5)), "{done}");
    assert_eq!(rows(place, &["sync", "parked"]).len(), 0);

    let (retried, discarded) = (decided(place, "delivery.retried"), decided(place, "delivery.discarded"));
    assert_eq!((retried.len(), discarded.len()), (2, 6));
    for entry in retried.iter().chain(&discarded) {
        assert_eq!((&entry["actor"]["member"], &entry["action"]), (&json!("dana"), &json!("CX031")), "{entry}");
        assert_eq!(entry["org"], "demo", "{entry}");
    }
    assert_eq!(discarded[5]["data"]["reason"], "the CRM is gone");
}

#[test]
fn a_stopped_hubs_journal_gets_the_decisions() {
    let (place, references) = place(8);
    decide_on_all(&place, &references);
    assert!(place.hub(&["journal", "verify"]).done().starts_with("whole: "));
}

#[test]
fn a_running_hub_is_asked_for_them() {
    let (place, references) = place(8);
    let mut serve = place.command(&["serve"]);
    let mut served = crate::running::Served(serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut ready = String::new();
    BufReader::new(served.0.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.starts_with("ready "), "{ready}");
    decide_on_all(&place, &references);
}
