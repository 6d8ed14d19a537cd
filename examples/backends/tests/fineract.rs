//! Core banking over real HTTP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Server, answered};
use reqwest::Method;
use serde_json::{Value, json};

fn person(external_id: &str) -> Value {
    json!({"officeId": 1, "legalFormId": 1, "firstname": "Ada", "lastname": "Byron", "externalId": external_id,
           "active": false, "submittedOnDate": "2024-03-01", "dateOfBirth": "1990-02-03", "emailAddress": "ada@client.example",
           "dateFormat": "yyyy-MM-dd", "locale": "en"})
}

fn on(date: &str) -> Value {
    json!({date: "02 March 2024", "dateFormat": "dd MMMM yyyy", "locale": "en"})
}

#[tokio::test]
async fn tenant_and_credentials_are_demanded() {
    let server = Server::start(1).await;
    let url = format!("{}/fineract/offices", server.base);
    let response = server.client.get(&url).basic_auth("mifos", Some("x")).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let response = server.client.get(&url).header("Fineract-Platform-TenantId", "default").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate") && response.headers().contains_key("date"));
    assert_eq!(server.get("/fineract/offices").await[0]["name"], "Head Office");
}

#[tokio::test]
async fn a_client_is_created_found_activated_and_closed() {
    let server = Server::start(1).await;
    let (status, created) = server.post("/fineract/clients", person("CL-1")).await;
    assert_eq!(status, 200);
    let id = created["clientId"].as_u64().unwrap();
    assert_eq!((&created["officeId"], &created["resourceId"]), (&json!(1), &json!(id)));

    let found = server.get("/fineract/clients?externalId=CL-1").await;
    assert_eq!(found["totalFilteredRecords"], 1);
    let item = &found["pageItems"][0];
    assert_eq!(item["status"], json!({"id": 100, "code": "clientStatusType.pending", "value": "Pending"}));
    assert_eq!((&item["displayName"], &item["active"]), (&json!("Ada Byron"), &json!(false)));
    assert_eq!(item["dateOfBirth"], json!([1990, 2, 3]));
    assert_eq!(
        server.get("/fineract/clients/external-id/CL-1").await,
        server.get(&format!("/fineract/clients/{id}")).await
    );
    assert_eq!(server.get(&format!("/fineract/clients/{id}/accounts")).await, json!({}));

    let (status, _) = server.post(&format!("/fineract/clients/{id}?command=activate"), on("activationDate")).await;
    assert_eq!(status, 200);
    let accounts = server.get("/fineract/clients/external-id/CL-1/accounts").await;
    let savings = accounts["savingsAccounts"].as_array().unwrap();
    assert!((1..=2).contains(&savings.len()));
    assert_eq!(savings[0]["status"]["code"], "savingsAccountStatusType.active");
    assert!(savings[0]["accountBalance"].is_number() && savings[0]["currency"]["code"].is_string());

    let (status, again) = server.post(&format!("/fineract/clients/{id}?command=activate"), on("activationDate")).await;
    assert_eq!(
        (status, &again["errors"][0]["userMessageGlobalisationCode"]),
        (400, &json!("error.msg.clients.already.active"))
    );

    let mut close = on("closureDate");
    close["closureReasonId"] = json!(17);
    let path = "/fineract/clients/external-id/CL-1?command=close";
    assert_eq!(server.post(path, close.clone()).await.0, 200);
    let (status, again) = server.post(path, close).await;
    let code = &again["errors"][0]["userMessageGlobalisationCode"];
    assert_eq!((status, code), (403, &json!("error.msg.client.close.is.already.closed")));
    assert_eq!(server.effects("CL-1").await, ["client.created", "client.activated", "client.closed"]);
}

#[tokio::test]
async fn an_update_answers_what_it_changed() {
    let server = Server::start(1).await;
    server.post("/fineract/clients", person("CL-1")).await;
    let update = json!({"lastname": "King", "mobileNo": "+442079460000", "emailAddress": null});
    let (status, body) = answered(server.send(Method::PUT, "/fineract/clients/1", update.clone()).await).await;
    assert_eq!(status, 200);
    let changes = json!({"lastname": "King", "mobileNo": "+442079460000", "emailAddress": null});
    assert_eq!(body["changes"], changes);
    let (_, body) = answered(server.send(Method::PUT, "/fineract/clients/1", update).await).await;
    assert_eq!(body["changes"], json!({}));
}

#[tokio::test]
async fn refusals_have_the_error_envelope() {
    let server = Server::start(1).await;
    server.post("/fineract/clients", person("CL-1")).await;
    let (status, body) = server.post("/fineract/clients", person("CL-1")).await;
    assert_eq!((status, &body["httpStatusCode"]), (403, &json!("403")));
    assert_eq!(body["userMessageGlobalisationCode"], "error.msg.client.duplicate.externalId");
    assert!(body["developerMessage"].is_string() && body["errors"][0]["parameterName"] == "externalId");

    let (status, body) = server.post("/fineract/clients", json!({"fullname": "X", "hubId": 7})).await;
    let wrong: Vec<&str> =
        body["errors"].as_array().unwrap().iter().map(|error| error["parameterName"].as_str().unwrap()).collect();
    assert_eq!((status, wrong), (400, vec!["hubId", "officeId", "active", "legalFormId"]));

    let mut without_format = person("CL-2");
    without_format.as_object_mut().unwrap().remove("dateFormat");
    let (status, body) = server.post("/fineract/clients", without_format).await;
    let code = &body["errors"][0]["userMessageGlobalisationCode"];
    assert_eq!((status, code), (400, &json!("validation.msg.missing.dateFormat.parameter")));

    let (status, body) = answered(server.request(Method::GET, "/fineract/clients/99").send().await.unwrap()).await;
    assert_eq!((status, &body["userMessageGlobalisationCode"]), (404, &json!("error.msg.resource.not.found")));
    assert_eq!(server.post("/fineract/clients/1?command=fly", json!({})).await.0, 400);
}

#[tokio::test]
async fn an_idempotency_key_has_one_effect_and_keeps_a_refusal() {
    let server = Server::start(1).await;
    let create = |key: &'static str, body: Value| {
        server.request(Method::POST, "/fineract/clients").header("Idempotency-Key", key).json(&body).send()
    };
    let first = create("k1", person("CL-1")).await.unwrap();
    assert!(!first.headers().contains_key("x-served-from-cache"));
    let first = answered(first).await;
    let again = create("k1", person("CL-1")).await.unwrap();
    assert_eq!(again.headers()["x-served-from-cache"], "true");
    assert_eq!(answered(again).await, first);

    let refused = answered(create("k2", person("CL-1")).await.unwrap()).await;
    assert_eq!(refused.0, 403);
    assert_eq!(answered(create("k2", person("CL-9")).await.unwrap()).await, refused);
    // The key is kept for each action on its own.
    let activate = server.request(Method::POST, "/fineract/clients/1?command=activate").header("Idempotency-Key", "k1");
    assert_eq!(activate.json(&on("activationDate")).send().await.unwrap().status(), 200);
    assert_eq!(server.effects("CL-1").await, ["client.created", "client.activated"]);
    let effects = server.get("/control/effects?system=fineract").await;
    assert_eq!((&effects["effects"][0]["key"], &effects["effects"][0]["seq"]), (&json!("k1"), &json!(1)));
}

#[tokio::test]
async fn accounts_depend_on_the_seed_and_the_reference_alone() {
    let accounts = async |seed: u64, others: u32| {
        let server = Server::start(seed).await;
        for n in 0..others {
            server.post("/fineract/clients", person(&format!("other-{n}"))).await;
        }
        let mut active = person("CL-1");
        active["active"] = json!(true);
        active["activationDate"] = json!("2024-03-02");
        server.post("/fineract/clients", active).await;
        let accounts = server.get("/fineract/clients/external-id/CL-1/accounts").await;
        let balances: Vec<Value> = accounts["savingsAccounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|account| account["accountBalance"].clone())
            .collect();
        balances
    };
    assert_eq!(accounts(3, 0).await, accounts(3, 4).await);
    assert_ne!(accounts(3, 0).await, accounts(4, 0).await);
}

#[tokio::test]
async fn open_accounts_block_closing_where_told_to() {
    let server = Server::start(1).await;
    let mut active = person("CL-1");
    active["active"] = json!(true);
    active["activationDate"] = json!("2024-03-02");
    server.post("/fineract/clients", active).await;
    assert_eq!(server.post("/control/rules", json!({"openAccountsBlockClose": true})).await.0, 200);
    assert_eq!(server.post("/control/accounts", json!({"externalId": "CL-1", "balance": "12.5"})).await.0, 200);
    let accounts = server.get("/fineract/clients/1/accounts").await;
    assert_eq!(accounts["savingsAccounts"][0]["accountBalance"], json!(12.5));
    let mut close = on("closureDate");
    close["closureReasonId"] = json!(17);
    let (status, body) = server.post("/fineract/clients/1?command=close", close).await;
    let code = &body["errors"][0]["userMessageGlobalisationCode"];
    assert_eq!((status, code), (403, &json!("error.msg.client.close.non-closed.savings.account")));
}
