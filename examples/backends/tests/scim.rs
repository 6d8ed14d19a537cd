//! Identity over real HTTP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Server, answered};
use reqwest::Method;
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn user(reference: &str) -> Value {
    json!({"schemas": [USER], "userName": format!("{reference}@client.example"), "externalId": reference, "active": true,
           "name": {"givenName": "Ada", "familyName": "Byron"}})
}

fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

async fn devices(server: &Server, owner: &str) -> Vec<Value> {
    let query = [("filter", format!("owner.value eq \"{owner}\""))];
    let response = server.request(Method::GET, "/scim/Devices").query(&query).send().await.unwrap();
    answered(response).await.1["Resources"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_user_is_provisioned_found_and_disabled() {
    let server = Server::start(1).await;
    let response = server.send(Method::POST, "/scim/Users", user("CL-1")).await;
    assert_eq!(response.headers()["content-type"], "application/scim+json");
    assert!(response.headers().contains_key("location"));
    let (status, created) = answered(response).await;
    assert_eq!((status, &created["meta"]["resourceType"]), (201, &json!("User")));
    let id = created["id"].as_str().unwrap();

    let query = [("filter", "externalId eq \"CL-1\""), ("startIndex", "1"), ("count", "2")];
    let found = answered(server.request(Method::GET, "/scim/Users").query(&query).send().await.unwrap()).await.1;
    assert_eq!((&found["totalResults"], &found["Resources"][0]), (&json!(1), &created));

    let path = format!("/scim/Users/{id}");
    let disable = patch(json!([{"op": "replace", "path": "active", "value": false}]));
    for _ in 0..2 {
        let (status, disabled) = answered(server.send(Method::PATCH, &path, disable.clone()).await).await;
        assert_eq!(
            (status, &disabled["active"], &disabled["meta"]["version"]),
            (200, &json!(false), &json!("W/\"2\""))
        );
    }
    let mut replaced = user("CL-1");
    replaced["active"] = json!(true);
    let (status, replaced) = answered(server.send(Method::PUT, &path, replaced).await).await;
    assert_eq!((status, &replaced["id"], &replaced["active"]), (200, &json!(id), &json!(true)));
    assert_eq!(server.send(Method::DELETE, &path, json!({})).await.status(), 204);
    assert_eq!(server.request(Method::GET, &path).send().await.unwrap().status(), 404);
    let kinds: Vec<String> = server.effects("CL-1").await.into_iter().filter(|kind| kind.starts_with("user")).collect();
    assert_eq!(kinds, ["user.created", "user.disabled", "user.updated", "user.enabled", "user.deleted"]);
}

#[tokio::test]
async fn errors_are_scims() {
    let server = Server::start(1).await;
    let response = server.client.get(format!("{}/scim/Users", server.base)).send().await.unwrap();
    assert_eq!(answered(response).await.0, 401);
    server.post("/scim/Users", user("CL-1")).await;
    let (status, body) = server.post("/scim/Users", user("CL-1")).await;
    assert_eq!((status, &body["status"], &body["scimType"]), (409, &json!("409"), &json!("uniqueness")));
    let mut same_external_id = user("CL-1");
    same_external_id["userName"] = json!("other");
    assert_eq!(server.post("/scim/Users", same_external_id).await.0, 409);
    let (status, body) = server.post("/scim/Users", json!({"schemas": [USER]})).await;
    assert_eq!((status, &body["scimType"]), (400, &json!("invalidValue")));
    let response = server.request(Method::GET, "/scim/Users?filter=active").send().await.unwrap();
    assert_eq!(answered(response).await.1["scimType"], "invalidFilter");
    assert_eq!(server.get("/scim/ServiceProviderConfig").await["patch"]["supported"], true);
}

#[tokio::test]
async fn devices_are_enrolled_changed_transferred_and_their_pin_reset() {
    let server = Server::start(1).await;
    let (_, ada) = server.post("/scim/Users", user("CL-1")).await;
    let (_, bob) = server.post("/scim/Users", user("CL-2")).await;
    let (ada, bob) = (ada["id"].as_str().unwrap(), bob["id"].as_str().unwrap());
    let enrolled = devices(&server, ada).await;
    assert!((2..=3).contains(&enrolled.len()));
    let device = &enrolled[0];
    assert_eq!((&device["owner"]["value"], &device["locked"]), (&json!(ada), &json!(false)));
    assert!(device["enrolledAt"].is_string() && device["deviceType"].is_string());
    let path = format!("/scim/Devices/{}", device["id"].as_str().unwrap());

    let lock = patch(json!([{"op": "replace", "value": {"active": false, "locked": true}}]));
    let (status, locked) = answered(server.send(Method::PATCH, &path, lock).await).await;
    assert_eq!((status, &locked["locked"], &locked["active"]), (200, &json!(true), &json!(false)));
    let nonsense = patch(json!([{"op": "replace", "path": "locked", "value": "yes"}]));
    assert_eq!(server.send(Method::PATCH, &path, nonsense).await.status(), 400);

    let give = |to: &str| {
        let attributes = json!({"owner": {"value": to}, "active": false, "lockReason": null});
        patch(json!([{"op": "replace", "value": attributes}]))
    };
    assert_eq!(server.send(Method::PATCH, &path, give("nobody")).await.status(), 400);
    assert_eq!(server.send(Method::PATCH, &path, give(bob)).await.status(), 200);
    assert_eq!(devices(&server, ada).await.len(), enrolled.len() - 1);
    assert!(devices(&server, bob).await.iter().any(|other| other["id"] == device["id"]));

    let (status, first) = server.post(&format!("{path}/pinReset"), json!({})).await;
    let (_, second) = server.post(&format!("{path}/pinReset"), json!({})).await;
    assert_eq!((status, &first["device"]), (201, &device["id"]));
    assert!(first["expiresAt"].is_string());
    assert_ne!(first["id"], second["id"]);
    let resets = server.effects("CL-2").await.into_iter().filter(|kind| kind == "device.pinReset").count();
    assert_eq!(resets, 2);
}

#[tokio::test]
async fn devices_change_at_the_identity_system_itself() {
    let server = Server::start(1).await;
    let (_, ada) = server.post("/scim/Users", user("CL-1")).await;
    let ada = ada["id"].as_str().unwrap();
    let before = devices(&server, ada).await.len();
    let enrol = json!({"externalId": "CL-1", "op": "enrol", "set": {"deviceType": "pos", "label": "Till 9"}});
    let (status, device) = server.post("/control/devices", enrol).await;
    assert_eq!((status, &device["label"]), (200, &json!("Till 9")));
    let change = json!({"user": ada, "op": "change", "device": device["id"], "set": {"label": "Till 10"}});
    assert_eq!(server.post("/control/devices", change).await.1["label"], "Till 10");
    assert_eq!(devices(&server, ada).await.len(), before + 1);
    let remove = json!({"externalId": "CL-1", "op": "remove", "device": device["id"]});
    assert_eq!(server.post("/control/devices", remove).await.0, 200);
    assert_eq!(devices(&server, ada).await.len(), before);
    assert_eq!(server.post("/control/devices", json!({"externalId": "CL-9", "op": "enrol"})).await.0, 400);
}
