//! What is sent again: entity tags, idempotency keys, request ids.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Reply, World, run, samples, text};

#[test]
fn entity_tags_guard_against_lost_updates() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("etags"));
        let mut body = samples::company();
        let reference = admin.onboard(&body).await;
        let path = format!("/clients/profile/{reference}");
        let view = admin.get(&path).await;
        let tag = view.header("etag").unwrap().to_owned();
        assert_eq!(tag, format!("\"{}\"", view.json()["version"]));
        body["segment"] = "large".into();
        let put = async |tag: &str, body: &Value| {
            admin.send(admin.request(Method::PUT, &path).header("if-match", tag).json(body)).await
        };
        let edited = put(&tag, &body).await;
        assert_eq!(edited.ok(200)["segment"], "large");
        assert_ne!(edited.header("etag"), Some(tag.as_str()));
        body["segment"] = "small".into();
        put(&tag, &body).await.problem(412, "version-mismatch");
        for never in ["\"999\"", "W/\"1\"", "\"abc\""] {
            put(never, &body).await.problem(412, "version-mismatch");
        }
        for nonsense in ["7", "\"7", "*, \"1\""] {
            assert_eq!(put(nonsense, &body).await.status, 400, "{nonsense}");
        }
        put("*", &body).await.ok(200);
        let delete = admin.request(Method::DELETE, &path).header("if-match", &tag);
        admin.send(delete).await.problem(412, "version-mismatch");
        let current = admin.get(&path).await.header("etag").unwrap().to_owned();
        let list = format!("\"1\", {current}");
        admin.send(admin.request(Method::DELETE, &path).header("if-match", list)).await.ok(200);
        // Of many writers with one version exactly one wins.
        let body = samples::company();
        let reference = admin.onboard(&body).await;
        let path = format!("/clients/profile/{reference}");
        let tag = admin.get(&path).await.header("etag").unwrap().to_owned();
        let racers = (0..20).map(|place| {
            let mut body = body.clone();
            body["segment"] = format!("racer-{place}").into();
            let request = admin.request(Method::PUT, &path).header("if-match", &tag).json(&body);
            let admin = &admin;
            async move { admin.send(request).await.status }
        });
        let statuses = futures::future::join_all(racers).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 19, "{statuses:?}");
    });
}

#[test]
fn a_repeat_with_its_key_answers_the_first_answer_again() {
    run(async {
        let world = World::start(crate::harness::Config::default()).await;
        let admin = world.admin("keys");
        let body = samples::company();
        let first = admin.post_once("k-1", "/clients/profile", &body).await;
        let created = first.ok(201);
        assert!(first.header("idempotency-replayed").is_none());
        let reference = text(&created["reference"]).to_owned();
        admin.settled(&reference).await;
        let same = |reply: &Reply| {
            assert_eq!(reply.ok(201), created, "the first answer, not the newest state");
            assert_eq!(reply.header("idempotency-replayed"), Some("true"));
            assert_eq!(
                (reply.header("location"), reply.header("etag")),
                (first.header("location"), first.header("etag"))
            );
        };
        same(&admin.post_once("k-1", "/clients/profile", &body).await);
        // After a change of the client too.
        let mut changed = body.clone();
        changed["segment"] = "large".into();
        admin.put(&format!("/clients/profile/{reference}"), &changed).await.ok(200);
        same(&admin.post_once("k-1", "/clients/profile", &body).await);
        admin.post_once("k-1", "/clients/profile", &changed).await.problem(422, "idempotency-key-reused");
        let star = format!("/clients/starred/{reference}");
        admin.post_once("k-1", &star, &json!({})).await.problem(422, "idempotency-key-reused");
        // A key is its member's own.
        let other = world.member("keys", "m-2", &["RP001"]);
        let theirs = samples::company();
        assert_ne!(other.post_once("k-1", "/clients/profile", &theirs).await.ok(201)["reference"], reference);
        // A refused request is not remembered.
        admin.post_once("k-2", "/clients/profile", &body).await.problem(409, "duplicate-client");
        admin.post_once("k-2", "/clients/profile", &json!({"kind": 1})).await.problem(422, "validation-failed");
        admin.post_once("k-2", "/clients/profile", &samples::company()).await.ok(201);
        for key in ["", "a b", &"k".repeat(256)] {
            assert_eq!(admin.post_once(key, "/clients/profile", &samples::company()).await.status, 400, "{key:?}");
        }
        // A toggle that was repeated by the network is one toggle; a PIN reset is one reset.
        let toggled = admin.post_once("k-3", &star, &json!({})).await.ok(200);
        assert_eq!(admin.post_once("k-3", &star, &json!({})).await.ok(200), toggled);
        let device = admin.devices(&reference).await[0]["device"].clone();
        let reset = json!({"device": device});
        let once = admin.post_once("k-4", "/clients/device/resetPIN", &reset).await.ok(202);
        assert_eq!(admin.post_once("k-4", "/clients/device/resetPIN", &reset).await.ok(202), once);
        // A command that changes nothing is remembered as well.
        let unlock = json!({"device": device, "locked": false});
        let nothing = admin.post_once("k-5", "/clients/device/lock", &unlock).await.ok(200);
        let lock = json!({"device": device, "locked": true});
        admin.post("/clients/device/lock", &lock).await.ok(200);
        let again = admin.post_once("k-5", "/clients/device/lock", &unlock).await;
        assert_eq!((again.ok(200), again.header("idempotency-replayed")), (nothing.clone(), Some("true")));
        world.settle().await;
        assert_eq!(
            world.outside.kinds("scim", &reference).await.iter().filter(|kind| *kind == "device.pinReset").count(),
            1
        );

        // After a restart, and after a rebuild of the state.
        world.down();
        world.up();
        same(&admin.post_once("k-1", "/clients/profile", &body).await);
        world.down();
        std::fs::remove_dir_all(world.folder().join("data/state")).unwrap();
        world.up();
        same(&admin.post_once("k-1", "/clients/profile", &body).await);
        assert_eq!(admin.post_once("k-4", "/clients/device/resetPIN", &reset).await.ok(202), once);
        assert_eq!(admin.post_once("k-3", &star, &json!({})).await.ok(200), toggled);
        assert_eq!(admin.post_once("k-5", "/clients/device/lock", &unlock).await.ok(200), nothing);
        admin.post_once("k-1", "/clients/profile", &changed).await.problem(422, "idempotency-key-reused");
    });
}

#[test]
fn a_hundred_requests_with_one_key_make_one_client() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("hundred"));
        let body = samples::company();
        let asked = (0..100).map(|_| admin.post_once("one-key", "/clients/profile", &body));
        let replies = futures::future::join_all(asked).await;
        let mut references = HashSet::new();
        let mut fresh = 0;
        for reply in &replies {
            match reply.status {
                201 => {
                    references.insert(text(&reply.ok(201)["reference"]).to_owned());
                    fresh += usize::from(reply.header("idempotency-replayed").is_none());
                }
                _ => drop(reply.problem(409, "request-in-progress")),
            }
        }
        assert_eq!((references.len(), fresh), (1, 1), "{references:?}");
        assert_eq!(admin.get("/clients/profile").await.ok(200)["total"], 1);
        // Without a key the claim on the company's number settles it.
        let body = samples::company();
        let asked = (0..50).map(|_| admin.post("/clients/profile", &body));
        let replies = futures::future::join_all(asked).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(made, 1);
        replies
            .iter()
            .filter(|reply| reply.status != 201)
            .for_each(|reply| drop(reply.problem(409, "duplicate-client")));
    });
}

#[test]
fn every_answer_carries_the_request_id() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("ids"));
        let with = |path: &str, id: &str| admin.request(Method::GET, path).header("x-request-id", id.to_owned());
        for path in ["/clients/profile", "/clients/profile/CL-NOBODY", "/nowhere", "/clients/profile?limit=0"] {
            let reply = admin.send(with(path, "abc-123")).await;
            assert_eq!(reply.header("x-request-id"), Some("abc-123"), "{path}");
        }
        let (one, two) = (admin.get("/clients/profile").await, admin.get("/clients/profile").await);
        assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
        // It is written to the journal.
        let request = admin.request(Method::POST, "/clients/profile").header("x-request-id", "create-77");
        let created = admin.send(request.json(&samples::company())).await.ok(201);
        let history = admin.get(&format!("/clients/history/{}", text(&created["reference"]))).await.ok(200);
        let found = |item: &Value| item["requestId"] == "create-77" && item["kind"] == "client.created";
        assert!(history["items"].as_array().unwrap().iter().any(found), "{history}");
        // What is no id is not taken over.
        let odd = admin.send(with("/clients/profile", &"x".repeat(3_000))).await;
        assert!(odd.header("x-request-id").unwrap().len() < 3_000);
    });
}
