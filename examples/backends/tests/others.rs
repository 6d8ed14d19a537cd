//! Screening, e-mail and text messages over real HTTP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Server, answered};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_listed_name_matches() {
    let server = Server::start(1).await;
    for path in ["/healthz", "/readyz", "/match/healthz"] {
        assert_eq!(server.get(path).await, json!({"status": "ok"}));
    }
    let queries = json!({"queries": {
        "q": {"schema": "Person", "properties": {"name": ["Drazen Volkovar"], "birthDate": ["1961-02-17"], "nationality": ["rs"]}},
        "c": {"schema": "Company", "properties": {"name": ["Meridian Freight Ltd"]}},
    }});
    for path in ["/match/default?limit=3", "/match/match/sanctions"] {
        let response = server.send(Method::POST, path, queries.clone()).await;
        assert!(response.headers().contains_key("date"));
        let (status, body) = answered(response).await;
        assert_eq!(status, 200);
        let result = &body["responses"]["q"]["results"][0];
        assert_eq!(
            (&result["score"], &result["match"], &result["schema"]),
            (&json!(1.0), &json!(true), &json!("Person"))
        );
        assert_eq!(body["responses"]["q"]["total"], json!({"value": 1, "relation": "eq"}));
        assert_eq!((&body["responses"]["c"]["status"], &body["responses"]["c"]["results"]), (&json!(200), &json!([])));
    }
    assert_eq!(server.post("/match/nowhere", queries).await.0, 404);
    assert_eq!(server.post("/match/default", json!({"queries": {}})).await.0, 400);
    assert_eq!(server.post("/match/default", json!({})).await.0, 422);
}

#[tokio::test]
async fn mail_is_accepted_or_refused_as_sendgrid_does() {
    let server = Server::start(1).await;
    let mail = json!({"personalizations": [{"to": [{"email": "ada@client.example"}], "custom_args": {"delivery_key": "k1"}}],
                      "from": {"email": "bank@hub.example"}, "subject": "Welcome",
                      "content": [{"type": "text/plain", "value": "Hello"}]});
    let mut ids = Vec::new();
    for _ in 0..2 {
        let response = server.send(Method::POST, "/mail/v3/mail/send", mail.clone()).await;
        assert_eq!(response.status(), 202);
        ids.push(response.headers()["x-message-id"].clone());
        assert_eq!(response.bytes().await.unwrap().len(), 0);
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(server.effects("ada@client.example").await, ["mail.accepted", "mail.accepted"]);
    let state = server.get("/control/state?system=mail").await;
    assert_eq!(state["systems"]["mail"]["messages"][0]["subject"], "Welcome");
    assert_eq!(state["references"], json!({"ada@client.example": [1, 2]}));
    assert_eq!(state["effects"][0]["key"], "k1");

    let (status, body) =
        server.post("/mail/v3/mail/send", json!({"personalizations": [{"to": [{"email": "nobody"}]}]})).await;
    let fields: Vec<&Value> = body["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(
        (status, fields),
        (
            400,
            vec![&json!("personalizations.0.to.0.email"), &json!("from.email"), &json!("subject"), &json!("content")]
        )
    );
    assert!(server.get("/mail/v3/scopes").await["scopes"].as_array().unwrap().contains(&json!("mail.send")));
    let response = server.client.post(format!("{}/mail/v3/mail/send", server.base)).json(&mail).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn text_messages_are_queued_or_refused_as_twilio_does() {
    let server = Server::start(1).await;
    let path = "/sms/2010-04-01/Accounts/AC1/Messages.json";
    let send = async |form: &[(&str, &str)]| {
        answered(server.request(Method::POST, path).form(form).send().await.unwrap()).await
    };
    let (status, message) =
        send(&[("To", "+442079460000"), ("From", "+15005550006"), ("Body", "Hello & goodbye")]).await;
    assert_eq!((status, &message["status"], &message["body"]), (201, &json!("queued"), &json!("Hello & goodbye")));
    assert!(message["sid"].as_str().unwrap().starts_with("SM") && message["sid"].as_str().unwrap().len() == 34);
    for (form, code) in [
        (vec![("From", "+15005550006"), ("Body", "x")], 21604),
        (vec![("To", "+442079460000"), ("Body", "x")], 21603),
        (vec![("To", "+442079460000"), ("From", "+15005550006")], 21602),
        (vec![("To", "0207"), ("From", "+15005550006"), ("Body", "x")], 21211),
    ] {
        let (status, body) = send(&form).await;
        assert_eq!((status, &body["code"], &body["status"]), (400, &json!(code), &json!(400)));
        assert!(body["more_info"].is_string());
    }
    assert_eq!(server.get("/sms/2010-04-01/Accounts/AC1.json").await["status"], "active");
    assert_eq!(server.effects("%2B442079460000").await, ["message.queued"]);
}
