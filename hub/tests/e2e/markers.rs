//! Personal data and secrets: planted in every field, in tokens and in credentials, and looked for in all that the hub
//! says of itself, with logging at its highest.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Config, Member, Reply, World, run, samples};

/// What all planted texts have in common. Nothing else in the world has it.
const MARK: &str = "zqmark";

fn company() -> Value {
    json!({
        "kind": "corporate", "name": "Zqmark01 Freight",
        "corporate": {
            "legalName": "Zqmark02 Freight Ltd", "registrationNumber": "ZQMARK03", "taxId": "ZQMARK04",
            "incorporatedOn": "2012-04-03",
            "contacts": [{"name": "Zqmark05 Verne", "role": "zqmark06", "email": "zqmark07@meridian.example", "phone": "+442079460731"}]
        },
        "email": "zqmark08@meridian.example", "phone": "+442079460732",
        "address": {"line1": "zqmark09", "line2": "zqmark10", "city": "zqmark11", "region": "zqmark12",
            "postalCode": "ZQMARK13", "country": "GB"},
        "segment": "zqmark14", "tags": ["zqmark15", "zqmark16"], "assignedTo": ["m-1"]
    })
}

fn person() -> Value {
    json!({
        "kind": "individual",
        "individual": {"givenName": "Zqmarka", "familyName": "Zqmarkb", "dateOfBirth": "1951-07-31",
            "nationality": "PT", "nationalId": "ZQMARK19"},
        "email": "zqmark20@mail.example", "phone": "+351912345731", "language": "pt"
    })
}

/// All requests of the contract that a member may make, right ones and wrong ones; the problems among the answers.
async fn exercise(admin: &Member<'_>) -> Vec<Reply> {
    let (company, person) = (admin.onboard(&company()).await, admin.onboard(&person()).await);
    let mut replies = Vec::new();
    let devices = admin.devices(&company).await;
    let device = devices[0]["device"].as_str().unwrap();
    for path in ["profile", "accounts", "device", "history", "documents"] {
        replies.push(admin.get(&format!("/clients/{path}/{company}")).await);
    }
    let mut changed = admin.client(&company).await;
    changed["email"] = json!("zqmark21@meridian.example");
    changed["statusReason"] = json!("zqmark22");
    replies.push(admin.put(&format!("/clients/profile/{company}"), &changed).await);
    for filter in
        ["name co \"zqmark01\"", "email eq zqmark23", "zqmark24 eq \"x\"", "name xx \"zqmark25\"", "\"zqmark26"]
    {
        replies.push(admin.search(filter).await);
    }
    let post = async |path: &str, body: Value| admin.post(path, &body).await;
    replies.push(post("/clients/device/lock", json!({"device": device, "locked": true, "reason": "zqmark27"})).await);
    replies.push(post("/clients/device/lock", json!({"device": device, "locked": false, "reason": "zqmark28"})).await);
    replies.push(
        post(
            "/clients/device/transfer",
            json!({"device": device, "from": company, "to": person, "reason": "zqmark29"}),
        )
        .await,
    );
    replies
        .push(post("/clients/device/activate", json!({"device": device, "active": true, "reason": "zqmark30"})).await);
    replies.push(post("/clients/device/resetPIN", json!({"device": device, "reason": "zqmark31"})).await);
    replies.push(post(&format!("/clients/starred/{company}"), json!({"starred": "zqmark32"})).await);
    replies.push(post(&format!("/clients/kyc/{company}"), json!({"decision": "zqmark33", "reason": "zqmark34"})).await);
    replies.push(super::operations::submit(admin, &company, b"%PDF-1.7\nzqmark35\n%%EOF\n").await);
    replies.push(super::operations::submit(admin, &company, b"zqmark36: no document").await);
    // Everything wrong at once, twice what there may be once, and a body that is no JSON.
    let wrong = json!({"kind": "zqmark37", "name": 7, "email": "zqmark38", "phone": "zqmark39", "zqmark40": "zqmark41",
        "corporate": {"lei": "zqmark42", "registrationNumber": ["zqmark43"]}, "address": {"country": "zqmark44"},
        "language": "zqmark45!", "individual": {"dateOfBirth": "zqmark46"}});
    replies.push(post("/clients/profile", wrong).await);
    replies.push(post("/clients/profile", self::company()).await);
    let raw =
        admin.request(Method::POST, "/clients/profile").header("content-type", "application/json").body("{\"zqmark47");
    replies.push(admin.send(raw).await);
    let deleted =
        admin.request(Method::DELETE, &format!("/clients/profile/{company}")).json(&json!({"reason": "zqmark48"}));
    replies.push(admin.send(deleted).await);
    admin.world.settle().await;
    replies
}

/// Tokens that are refused, with something planted in each part.
async fn refused(world: &World, admin: &Member<'_>) -> Vec<Reply> {
    let mut replies = Vec::new();
    let claims = "eyJzdWIiOiJ6cW1hcms1MSJ9";
    for token in ["zqmark52", &format!("eyJhbGciOiJub25lIn0.{claims}.zqmark53"), &format!("{}zqmark54", admin.token)] {
        let member = Member { token: token.to_owned(), world };
        replies.push(member.get("/clients/profile").await);
    }
    replies
}

/// All files below a folder, as one text.
fn files(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        all += &if path.is_dir() {
            files(&path)
        } else {
            String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
        };
    }
    all
}

/// What may stand nowhere: the planted texts, dates and numbers, tokens, and the adapters' credentials in all forms.
fn planted(admin: &Member<'_>) -> Vec<String> {
    let (head, signature) = admin.token.rsplit_once('.').unwrap();
    let own = [
        MARK,
        "1951-07-31",
        "2079460731",
        "2079460732",
        "912345731",
        "secret-key",
        "hub:secret",
        "aHViOnNlY3JldA",
        "ApiKey secret",
    ];
    own.iter()
        .map(|text| (*text).to_owned())
        .chain([signature.to_owned(), head.rsplit_once('.').unwrap().1.to_owned()])
        .collect()
}

#[track_caller]
fn clean(what: &str, text: &str, planted: &[String]) {
    let lower = text.to_lowercase();
    for mark in planted {
        if let Some(at) = lower.find(&mark.to_lowercase()) {
            let line = lower[..at].rfind('\n').map_or(0, |start| start + 1);
            let shown: String = text[line..].chars().take(1200).collect();
            panic!("{mark} stands in {what}: {shown}");
        }
    }
}

#[test]
fn nothing_that_was_planted_is_found_in_what_the_hub_says_of_itself() {
    run(async {
        let env = vec![("HUB_LOG", "trace"), ("HUB_LOG_FORMAT", "json")];
        let world = World::start(Config { env, ..Config::default() }).await;
        let admin = world.admin(&samples::org("marks"));
        let planted = planted(&admin);
        let replies = exercise(&admin).await;
        let problems: Vec<_> =
            replies.into_iter().chain(refused(&world, &admin).await).filter(|reply| reply.status >= 400).collect();
        assert!(problems.len() >= 12, "{problems:?}");
        for reply in &problems {
            let body = reply.json();
            // A name that is not known is told back, as a pointer.
            let mut told = body.clone();
            for error in
                told["errors"].as_array_mut().into_iter().flatten().filter(|error| error["code"] == "unknown-field")
            {
                error["pointer"] = Value::Null;
            }
            clean("a problem", &told.to_string(), &planted);
            assert!(
                !reply
                    .headers
                    .iter()
                    .any(|(_, value)| String::from_utf8_lossy(value.as_bytes()).to_lowercase().contains(MARK))
            );
        }
        let operator = world.operator();
        for path in
            ["/metrics", "/health/ready", "/admin/tree", "/admin/adapters", "/admin/sync/parked", "/admin/policies"]
        {
            clean(path, &operator.get(path).await.text, &planted);
        }
        assert!(world.metric("hub_log_lines_dropped_total").await == 0.0, "lines were lost that nobody could look at");
        let log = world.log();
        let traced = log.lines().filter(|line| line.contains("\"level\":\"TRACE\"")).count();
        assert!(traced > 100, "the log is not at its highest: {traced} of {}", log.lines().count());
        clean("the log", &log, &planted);
        let data = world.folder().join("data");
        clean("the decision log", &files(&data.join("decisions")), &planted);
        clean("the record of views", &files(&data.join("reads")), &planted);
    });
}
