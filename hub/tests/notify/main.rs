//! The notifier against a real NATS server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::as_conversions)]

mod support;

use std::time::Duration;

use async_nats::jetstream;
use futures::StreamExt;
use hub::notify::{Credentials, DeviceChange};
use serde_json::{Value, json};
use support::{LONG, Memory, Server, Working};

#[tokio::test]
async fn every_change_goes_into_the_stream_once_in_order_and_the_position_is_marked() {
    let (server, journal) = (Server::started(true).await, Memory::new());
    journal.grow(1200);
    let mut working = Working::on(server.config(), &journal);
    working.caught_up(&journal).await;
    let status = working.until("the whole journal passed", |status| status.lag() == 0 && status.position > 2400).await;
    assert!(status.connected && status.jetstream);
    assert_eq!((status.published, status.last_failure), (1200, None));
    working.leave().await;
    let announced = journal.announced();
    assert_eq!(
        *journal.marks.lock().unwrap(),
        [announced[999].0, journal.seqs()[1199] + 2],
        "by the thousand, and at the end"
    );
    let messages = server.messages().await;
    assert_eq!(messages.len(), 1200);
    for ((seq, message), (expected, id)) in messages.iter().zip(&announced) {
        assert_eq!(seq, expected);
        assert_eq!(message.subject.as_str(), "backoffice.clients.org-1.client.updated");
        assert_eq!(message.headers.get("Content-Type").unwrap().as_str(), "application/cloudevents+json");
        let event: Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!((event["id"].as_str(), &event["specversion"]), (Some(id.as_str()), &json!("1.0")));
        assert_eq!(event["data"]["changed"], json!(["/email"]));
    }
}

#[tokio::test]
async fn a_restart_repeats_nothing_even_where_server_and_journal_forgot() {
    let (mut server, journal) = (Server::started(true).await, Memory::new());
    let context = jetstream::new(server.client().await);
    let short_memory = jetstream::stream::Config {
        name: "BACKOFFICE_EVENTS".to_owned(),
        subjects: vec!["backoffice.clients.>".to_owned()],
        duplicate_window: Duration::from_millis(100),
        ..Default::default()
    };
    context.create_stream(short_memory).await.unwrap();
    for round in 0..3 {
        journal.grow(100);
        let mut working = Working::on(server.config(), &journal);
        working.caught_up(&journal).await;
        working.leave().await;
        // A rebuilt journal of another keeper may have lost its marks.
        journal.marks.lock().unwrap().clear();
        if round == 1 {
            server.kill();
            server.start().await;
        }
    }
    assert_eq!(server.seqs().await, journal.seqs());
}

#[tokio::test]
async fn without_nats_notifications_wait_and_are_sent_when_it_comes() {
    let (mut server, journal) = (Server::reserved(true), Memory::new());
    journal.grow(50);
    let mut working = Working::on(server.config(), &journal);
    let status = working.until("says why", |status| status.last_failure.is_some()).await;
    assert!(!status.connected);
    assert_eq!((status.position, status.lag()), (0, 100));
    journal.grow(50);
    server.start().await;
    working.caught_up(&journal).await;
    working.leave().await;
    assert_eq!(server.seqs().await, journal.seqs());
}

#[tokio::test]
async fn a_server_killed_in_the_middle_costs_and_repeats_nothing() {
    let (mut server, journal) = (Server::started(true).await, Memory::new());
    let mut working = Working::on(server.config(), &journal);
    for round in 1..=3_u64 {
        journal.grow(2000);
        working.until("under way", |status| status.published > (round - 1) * 2000 + 200).await;
        server.kill();
        journal.grow(10);
        server.start().await;
    }
    working.caught_up(&journal).await;
    working.leave().await;
    assert_eq!(server.seqs().await, journal.seqs());
}

#[tokio::test]
async fn without_jetstream_whoever_listens_gets_every_change_and_the_journal_keeps_the_position() {
    let (server, journal) = (Server::started(false).await, Memory::new());
    let client = server.client().await;
    let mut events = client.subscribe("backoffice.clients.>").await.unwrap();
    client.flush().await.unwrap();
    for _ in 0..2 {
        journal.grow(700);
        let mut working = Working::on(server.config(), &journal);
        working.caught_up(&journal).await;
        let status = working.status.borrow().clone();
        assert!(status.connected && !status.jetstream);
        working.leave().await;
    }
    for (seq, id) in journal.announced() {
        let event = tokio::time::timeout(LONG, events.next()).await.unwrap().unwrap();
        let headers = event.headers.unwrap();
        assert_eq!(headers.get("Hub-Seq").unwrap().as_str(), seq.to_string());
        assert_eq!(headers.get("Nats-Msg-Id").unwrap().as_str(), id);
    }
}

#[tokio::test]
async fn a_stranger_in_the_stream_is_a_conflict_that_heals() {
    let (server, journal) = (Server::started(true).await, Memory::new());
    let mut working = Working::on(server.config(), &journal);
    let context = jetstream::new(server.client().await);
    for round in 1..=5_u64 {
        journal.grow(40);
        working.caught_up(&journal).await;
        context.publish("backoffice.clients.org-1.stranger", "hello".into()).await.unwrap().await.unwrap();
        assert_eq!(working.status.borrow().published, round * 40);
    }
    journal.grow(1);
    working.caught_up(&journal).await;
    let status = working.status.borrow().clone();
    assert_eq!(status.last_failure.as_deref(), Some("the stream does not end where it should"));
    working.leave().await;
    let (strangers, own): (Vec<u64>, Vec<u64>) = server.seqs().await.into_iter().partition(|seq| *seq == 0);
    assert_eq!((strangers.len(), own), (5, journal.seqs()));
}

#[tokio::test]
async fn a_stream_of_another_journal_is_not_taken_for_the_own_position() {
    let (server, other, own) = (Server::started(true).await, Memory::new(), Memory::new());
    other.grow(30);
    own.grow(20);
    for journal in [&other, &own] {
        let mut working = Working::on(server.config(), journal);
        working.until("all sent", |status| status.published == journal.seqs().len() as u64).await;
        working.leave().await;
    }
    assert_eq!(server.seqs().await, [other.seqs(), own.seqs()].concat());
}

#[tokio::test]
async fn a_stream_that_does_not_take_the_subject_is_named() {
    let (server, journal) = (Server::started(true).await, Memory::new());
    let other = jetstream::stream::Config {
        name: "BACKOFFICE_EVENTS".to_owned(),
        subjects: vec!["other.>".to_owned()],
        ..Default::default()
    };
    jetstream::new(server.client().await).create_stream(other).await.unwrap();
    journal.grow(1);
    let mut working = Working::on(server.config(), &journal);
    let status = working.until("says why", |status| status.last_failure.is_some()).await;
    let reason = status.last_failure.unwrap();
    assert!(reason.contains("`BACKOFFICE_EVENTS` takes [\"other.>\"], but not `backoffice.clients.>`"), "{reason}");
    working.leave().await;
}

#[tokio::test]
async fn a_token_opens_the_door_and_its_absence_is_told() {
    let (server, journal) = (Server::with(&["--auth", "s3cr3t"]).await, Memory::new());
    journal.grow(1);
    let mut without = Working::on(server.config(), &journal);
    let status = without.until("says why", |status| status.last_failure.is_some()).await;
    let reason = status.last_failure.unwrap();
    assert!(reason.starts_with("can't connect: authorization violation") && !reason.contains("s3cr3t"), "{reason}");
    without.leave().await;
    let mut with = Working::with(server.config(), Credentials::Token("s3cr3t".to_owned()), &journal);
    with.caught_up(&journal).await;
    with.leave().await;
}

#[tokio::test]
async fn device_events_become_hints_and_nothing_else_does() {
    let (server, journal) = (Server::started(false).await, Memory::new());
    let mut working = Working::on(server.config(), &journal);
    working.until("connected", |status| status.connected).await;
    let client = server.client().await;
    let event =
        |user: &str| json!({"specversion": "1.0", "type": "device.changed", "data": {"user": user}}).to_string();
    for payload in ["nonsense".to_owned(), event("u-1"), event("u-2"), event("u-3")] {
        client.publish("backoffice.devices.org-1", payload.into()).await.unwrap();
    }
    let status =
        working.until("all four", |status| status.hints + status.hints_malformed + status.hints_dropped == 4).await;
    assert_eq!((status.hints, status.hints_malformed, status.hints_dropped), (2, 1, 1), "two places, three hints");
    let hint = working.hints.recv().await.unwrap();
    assert_eq!((hint.org.as_str(), hint.change, hint.user.as_deref()), ("org-1", DeviceChange::Changed, Some("u-1")));
    working.leave().await;
}
