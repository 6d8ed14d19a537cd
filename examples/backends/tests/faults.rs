//! The faults, as a client meets them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::error::Error;
use std::time::{Duration, Instant};

use common::{Server, answered};
use reqwest::Method;
use serde_json::json;

fn client(reference: &str) -> serde_json::Value {
    json!({"officeId": 1, "legalFormId": 2, "fullname": "Meridian Freight Ltd", "externalId": reference, "active": false})
}

fn is_reset(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
        {
            return true;
        }
        source = error.source();
    }
    false
}

#[tokio::test]
async fn a_failure_with_retry_after_has_no_effect_and_is_spent() {
    let server = Server::start(1).await;
    server.fault("fineract", json!({"kind": "fail", "status": 503, "retryAfter": 2, "count": 1})).await;
    let response = server.send(Method::POST, "/fineract/clients", client("CL-1")).await;
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "2"));
    assert!(server.effects("CL-1").await.is_empty());
    assert_eq!(server.post("/fineract/clients", client("CL-1")).await.0, 200);
}

#[tokio::test]
async fn a_reset_is_one_and_has_no_effect() {
    let server = Server::start(1).await;
    server.fault("fineract", json!({"kind": "reset", "method": "POST"})).await;
    let error = server.request(Method::POST, "/fineract/clients").json(&client("CL-1")).send().await.unwrap_err();
    assert!(is_reset(&error), "{error:?}");
    assert!(server.effects("CL-1").await.is_empty());
    assert_eq!(server.get("/fineract/offices").await[0]["id"], 1);
}

#[tokio::test]
async fn a_lost_answer_has_its_effect_once_under_a_key() {
    let server = Server::start(1).await;
    server.fault("fineract", json!({"kind": "lose-answer", "count": 1, "path": "/clients"})).await;
    let create = || {
        server.request(Method::POST, "/fineract/clients").header("Idempotency-Key", "k1").json(&client("CL-1")).send()
    };
    assert!(is_reset(&create().await.unwrap_err()));
    assert_eq!(server.effects("CL-1").await, ["client.created"]);
    let (status, body) = answered(create().await.unwrap()).await;
    assert_eq!((status, &body["clientId"]), (200, &json!(1)));
    assert_eq!(server.effects("CL-1").await, ["client.created"]);
}

#[tokio::test]
async fn a_client_that_gives_up_does_not_undo_what_it_asked_for() {
    let server = Server::start(1).await;
    server.fault("sms", json!({"kind": "delay", "ms": 300})).await;
    let form = [("To", "+442079460000"), ("From", "+15005550006"), ("Body", "x")];
    let request = server.request(Method::POST, "/sms/2010-04-01/Accounts/AC1/Messages.json").form(&form);
    let started = Instant::now();
    assert!(request.timeout(Duration::from_millis(50)).send().await.unwrap_err().is_timeout());
    while server.effects("%2B442079460000").await.is_empty() {
        assert!(started.elapsed() < Duration::from_secs(10), "the message was never queued");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(started.elapsed() >= Duration::from_millis(290));
}

#[tokio::test]
async fn nonsense_of_every_form() {
    let server = Server::start(1).await;
    for (form, length) in [("not-json", 40..200), ("wrong-shape", 10..100), ("huge", 3_000_000..3_200_000)] {
        server.fault("scim", json!({"kind": "nonsense", "form": form, "bytes": 3_000_000, "count": 1})).await;
        let response = server.request(Method::GET, "/scim/Users").send().await.unwrap();
        assert_eq!(response.status(), 200, "{form}");
        let body = response.bytes().await.unwrap();
        assert!(length.contains(&body.len()), "{form}: {}", body.len());
    }
}

#[tokio::test]
async fn faults_are_shown_checked_and_cleared() {
    let server = Server::start(1).await;
    server.fault("mail", json!({"kind": "fail", "status": 500, "afterEffect": true, "probability": 1.0})).await;
    server.fault("espocrm", json!({"kind": "delay", "ms": 1})).await;
    assert_eq!(server.request(Method::GET, "/mail/v3/scopes").send().await.unwrap().status(), 500);
    let faults = server.get("/control/faults").await;
    assert_eq!((&faults["faults"][0]["system"], &faults["faults"][0]["hits"]), (&json!("mail"), &json!(1)));
    assert_eq!(server.post("/control", json!({"system": "mail", "fault": null})).await.0, 200);
    server.get("/mail/v3/scopes").await;
    assert_eq!(server.post("/control", json!({})).await.0, 200);
    assert_eq!(server.get("/control/faults").await, json!({"faults": []}));
    let (status, body) = server.post("/control", json!({"system": "mail", "fault": {"kind": "fail"}})).await;
    assert_eq!((status, &body["error"]), (400, &json!("a failure needs \"status\", from 400 to 599")));
    let (status, _) = server.post("/control", json!({"system": "mall", "fault": {"kind": "reset"}})).await;
    assert_eq!(status, 400);
}
