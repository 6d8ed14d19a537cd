//! CRM over real HTTP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Server, answered};
use reqwest::Method;
use serde_json::{Value, json};

fn contact(reference: &str) -> Value {
    json!({"firstName": "Ada", "lastName": "Byron", "emailAddress": "ada@client.example",
           "cExternalReference": reference, "cHubVersion": 3})
}

fn lookup(kind: &str, attribute: &str, value: &str) -> String {
    format!("/espocrm/{kind}?where[0][type]=equals&where[0][attribute]={attribute}&where[0][value]={value}&maxSize=2")
}

#[tokio::test]
async fn the_key_is_demanded() {
    let server = Server::start(1).await;
    let response = server.client.get(format!("{}/espocrm/App/user", server.base)).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(server.get("/espocrm/App/user").await["user"]["type"], "api");
}

#[tokio::test]
async fn a_contact_is_created_found_and_updated() {
    let server = Server::start(1).await;
    assert_eq!(server.get(&lookup("Contact", "cExternalReference", "CL-1")).await, json!({"total": 0, "list": []}));
    let (status, created) = server.post("/espocrm/Contact", contact("CL-1")).await;
    assert_eq!((status, &created["name"]), (200, &json!("Ada Byron")));
    assert!(created["assignedUserName"].is_string());
    let id = created["id"].as_str().unwrap();
    assert_eq!(id.len(), 17);

    let found = server.get(&lookup("Contact", "cExternalReference", "CL-1")).await;
    assert_eq!((&found["total"], &found["list"][0]["id"]), (&json!(1), &json!(id)));
    assert_eq!(server.get(&lookup("Account", "cExternalReference", "CL-1")).await["total"], 0);
    assert_eq!(server.get(&lookup("Contact", "name", "Ada%20Byron")).await["total"], 1);

    let path = format!("/espocrm/Contact/{id}");
    for method in [Method::PUT, Method::PATCH] {
        let update = json!({"lastName": "King", "cExternalReference": "CL-2", "cHubVersion": 4, "id": "forged"});
        let (status, updated) = answered(server.send(method, &path, update).await).await;
        assert_eq!((status, &updated["name"], &updated["id"]), (200, &json!("Ada King"), &json!(id)));
    }
    assert_eq!(server.get(&lookup("Contact", "cExternalReference", "CL-1")).await["total"], 0);
    assert_eq!(server.get(&lookup("Contact", "cExternalReference", "CL-2")).await["total"], 1);
    let effects = server.get("/control/effects?reference=CL-2").await;
    let seen: Vec<(u64, bool)> = effects["effects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|effect| (effect["version"].as_u64().unwrap(), effect["changed"].as_bool().unwrap()))
        .collect();
    assert_eq!(seen, [(4, true), (4, false)]);
}

#[tokio::test]
async fn duplicates_and_missing_fields_are_refused() {
    let server = Server::start(1).await;
    let account = json!({"name": "Meridian Freight Ltd", "cExternalReference": "CL-1"});
    assert_eq!(server.post("/espocrm/Account", account.clone()).await.0, 200);
    let response = server.send(Method::POST, "/espocrm/Account", account.clone()).await;
    assert_eq!(response.headers()["x-status-reason"], "duplicate");
    let (status, body) = answered(response).await;
    assert_eq!((status, &body[0]["cExternalReference"]), (409, &json!("CL-1")));
    let other = json!({"name": "Meridian Freight Ltd", "cExternalReference": "CL-2"});
    assert_eq!(server.post("/espocrm/Account", other).await.0, 200);
    let forced =
        server.request(Method::POST, "/espocrm/Account").header("X-Skip-Duplicate-Check", "true").json(&account);
    assert_eq!(forced.send().await.unwrap().status(), 200);

    let (status, body) = server.post("/espocrm/Contact", json!({"firstName": "Ada"})).await;
    assert_eq!((status, &body["messageTranslation"]["data"]["field"]), (400, &json!("lastName")));
    for path in ["/espocrm/Lead", "/espocrm/Contact/none", "/espocrm/Contact/none/cases"] {
        assert_eq!(server.request(Method::GET, path).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn about_half_of_the_records_have_a_relationship() {
    let server = Server::start(1).await;
    let (mut with_case, mut answered_surveys) = (0, 0);
    for n in 0..20 {
        let (_, created) = server.post("/espocrm/Contact", contact(&format!("CL-{n}"))).await;
        let path = format!("/espocrm/Contact/{}", created["id"].as_str().unwrap());
        let cases = server.get(&format!("{path}/cases")).await;
        let mut communications = 0;
        for link in ["calls", "meetings", "emails"] {
            let linked = server.get(&format!("{path}/{link}?maxSize=50&orderBy=createdAt&order=desc")).await;
            communications += linked["total"].as_u64().unwrap();
        }
        assert_eq!(communications, cases["total"].as_u64().unwrap() * 2);
        let answers = server.get(&format!("{path}/cFeedback?select=createdAt,score,description")).await;
        for answer in answers["list"].as_array().unwrap() {
            assert!(answer["score"].as_u64().unwrap() <= 10 && answer["description"].is_string());
        }
        answered_surveys += answers["total"].as_u64().unwrap();
        with_case += cases["total"].as_u64().unwrap();
        let open = server
            .get(&format!("{path}/cases?where[0][type]=notIn&where[0][attribute]=status&where[0][value][]=Closed"))
            .await;
        assert_eq!(open["total"], cases["total"]);
    }
    assert!((4..=16).contains(&with_case), "{with_case}");
    assert!((1..=19).contains(&answered_surveys), "{answered_surveys}");
}
