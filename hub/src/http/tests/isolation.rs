//! The table of contents, walked: no route without an action, a permission and a case that keeps organisations apart.
//!
//! Whoever adds a route adds its line to [`CASES`]; without one, these tests fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::support::{House, Reply, company};
use crate::access::{Access, Action, Policy, testing::OPERATORS};
use crate::http::{openapi, routes};

/// Routes that ask for no token, and tell nothing of any organisation.
const OPEN: [&str; 6] = ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs", "/docs/{file}"];

/// What keeps the organisations apart on a route.
#[derive(Debug, Clone, Copy)]
enum Case {
    /// It names a client: one of another organisation is not found, exactly as one that does not exist.
    Client,
    /// It names a device: the same.
    Device,
    /// It shows many clients: none of another organisation.
    Listing,
    /// It makes something that belongs to the caller's organisation.
    Own,
    /// It is about the hub itself: only members of the operating organisation may.
    Operation,
}

/// Method, action and path.
type Route = (&'static str, &'static str, &'static str);

const CASES: &[(&str, &str, &str, Case)] = &[
    ("GET", "CL001", "/clients/profile", Case::Listing),
    ("GET", "CL009", "/clients/profile", Case::Listing),
    ("POST", "CL003", "/clients/profile", Case::Own),
    ("GET", "CL002", "/clients/profile/{reference}", Case::Client),
    ("PUT", "CL004", "/clients/profile/{reference}", Case::Client),
    ("DELETE", "CL005", "/clients/profile/{reference}", Case::Client),
    ("GET", "CL006", "/clients/accounts/{reference}", Case::Client),
    ("GET", "CL007", "/clients/device/{reference}", Case::Client),
    ("POST", "CL008", "/clients/starred/{reference}", Case::Client),
    ("POST", "CL010", "/clients/device/lock", Case::Device),
    ("POST", "CL011", "/clients/device/transfer", Case::Device),
    ("POST", "CL012", "/clients/device/activate", Case::Device),
    ("POST", "CL013", "/clients/device/resetPIN", Case::Device),
    ("GET", "CX001", "/clients/history/{reference}", Case::Client),
    ("GET", "CX002", "/clients/documents/{reference}", Case::Client),
    ("POST", "CX003", "/clients/documents/{reference}", Case::Client),
    ("POST", "CX004", "/clients/kyc/{reference}", Case::Client),
    ("GET", "CX020", "/admin/tree", Case::Operation),
    ("GET", "CX021", "/admin/adapters", Case::Operation),
    ("POST", "CX022", "/admin/adapters/{name}/reload", Case::Operation),
    ("POST", "CX022", "/admin/adapters/{name}/rollback", Case::Operation),
    ("GET", "CX030", "/admin/sync/parked", Case::Operation),
    ("POST", "CX031", "/admin/sync/parked/{id}/retry", Case::Operation),
    ("POST", "CX031", "/admin/sync/parked/{id}/discard", Case::Operation),
    ("POST", "CX031", "/admin/sync/parked/retry", Case::Operation),
    ("POST", "CX031", "/admin/sync/parked/discard", Case::Operation),
    ("GET", "CX030", "/admin/sync/jobs", Case::Operation),
    ("GET", "CX030", "/admin/sync/jobs/{id}", Case::Operation),
    ("DELETE", "CX031", "/admin/sync/jobs/{id}", Case::Operation),
    ("GET", "CX040", "/admin/policies", Case::Operation),
    ("POST", "CX041", "/admin/policies/explain", Case::Operation),
];

/// A body that is right but for whom it speaks of.
fn body(action: &str, client: &str, device: &str) -> Value {
    match action {
        "CL003" | "CL004" => company(77),
        "CL010" => json!({"device": device, "locked": true}),
        "CL011" => json!({"device": device, "from": client, "to": client}),
        "CL012" => json!({"device": device, "active": true}),
        "CL013" => json!({"device": device}),
        "CX004" => json!({"decision": "approve"}),
        "CX031" => json!({"filter": {}, "dryRun": true}),
        "CX041" => json!({"member": "m", "org": "o", "roles": ["RP001"], "action": "CL002", "client": client}),
        _ => json!({}),
    }
}

/// Asks a route about a client and a device of `o`.
async fn ask(house: &House, token: &str, (method, action, template): Route, (client, device): (&str, &str)) -> Reply {
    let search = if action == "CL009" { "?filter=name%20pr" } else { "" };
    let path =
        format!("{}{search}", template.replace("{reference}", client).replace("{id}", "none").replace("{name}", "crm"));
    let request = house.ask_as(token, method, &path);
    if action == "CX003" {
        let form = "--b\r\ncontent-disposition: form-data; name=\"type\"\r\n\r\npassport\r\n--b\r\n\
                    content-disposition: form-data; name=\"file\"; filename=\"p.pdf\"\r\n\r\n%PDF-1.7\n\r\n--b--\r\n";
        return house.send(request.header(CONTENT_TYPE, "multipart/form-data; boundary=b"), form).await;
    }
    if method == "GET" {
        return house.send(request, "").await;
    }
    house.send(request.header(CONTENT_TYPE, "application/json"), body(action, client, device).to_string()).await
}

#[test]
fn every_route_has_an_action_a_permission_and_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let matrix = Policy::load(&folder).unwrap().matrix();
    for endpoint in routes::ENDPOINTS {
        let (action, template) = (endpoint.action, endpoint.template);
        if OPEN.contains(&template) {
            assert_eq!(action, "-", "{template} asks for no token");
            continue;
        }
        assert!(Action::parse(action).is_some(), "{template} has no action that policies could speak of");
        let granted = matrix.roles.iter().any(|(role, _)| matrix.at(role, action) != "✗");
        assert!(granted, "{template}: no permission opens {action}");
        let cases = CASES.iter().filter(|(_, of, path, _)| (*of, *path) == (action, template)).count();
        assert_eq!(cases, 1, "{template}: {action} has no case here that keeps organisations apart");
    }
    // What is in the document and what is in the table are the same, and so is what is in the sources.
    let document = serde_json::to_value(openapi::document()).unwrap();
    let documented: BTreeSet<(String, String, String)> =
        document["paths"].as_object().unwrap().iter().flat_map(of_path).collect();
    let cased: BTreeSet<(String, String, String)> =
        CASES.iter().map(|(method, action, path, _)| ((*method).into(), (*action).into(), (*path).into())).collect();
    assert_eq!(documented, cased);
    assert_eq!(declared(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http")), routes::ENDPOINTS.len());
}

/// Method, action and path of each operation of a path that is not open.
fn of_path((path, item): (&String, &Value)) -> Vec<(String, String, String)> {
    let operations = item.as_object().unwrap().iter().filter(|_| !OPEN.contains(&path.as_str()));
    let of = |(method, operation): (&String, &Value)| {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let method = method.to_uppercase();
        // Several routes may share an action, and then their ids say which; one route may have several actions.
        let actions = id.split('-').filter(|part| Action::parse(part).is_some());
        actions.map(|action| (method.clone(), action.to_owned(), path.clone())).collect::<Vec<_>>()
    };
    operations.flat_map(of).collect()
}

/// How many endpoints the sources declare.
fn declared(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| fs::read_to_string(path).unwrap().matches(": Endpoint = ").count()).sum()
}

#[tokio::test]
async fn nobody_gets_anywhere_without_a_token_a_role_or_a_subscription() {
    let house = House::open().await;
    let client = house.client(1).await;
    let device = house.device(&client).await;
    let there = (client.as_str(), device.as_str());
    for (method, action, path, _) in CASES {
        let nobody = house.sign("m", "o", &[], Some("active"));
        let denied = ask(&house, &nobody, (method, action, path), there).await;
        assert_eq!(
            (denied.status, denied.json()["action"].as_str()),
            (StatusCode::FORBIDDEN, Some(*action)),
            "{action}"
        );
        let lapsed = house.sign("m", OPERATORS, &["RP001", "OP001"], Some("lapsed"));
        let denied = ask(&house, &lapsed, (method, action, path), there).await;
        assert_eq!(
            (denied.status, denied.json()["policy"].as_str()),
            (StatusCode::FORBIDDEN, Some("P_BO_001")),
            "{action}"
        );
        let forged = ask(&house, "e30.e30.e30", (method, action, path), there).await;
        assert_eq!(forged.status, StatusCode::UNAUTHORIZED, "{action}");
    }
}

#[tokio::test]
async fn organisations_are_kept_apart_on_every_route() {
    let house = House::open().await;
    let client = house.client(1).await;
    let device = house.device(&client).await;
    let before = house.get(&format!("/clients/profile/{client}")).await.json();
    let stranger = house.sign("m", "elsewhere", &["RP001", "OP001"], Some("active"));
    for (method, action, path, case) in CASES {
        let theirs = ask(&house, &stranger, (method, action, path), (&client, &device)).await;
        let nothing = ask(&house, &stranger, (method, action, path), ("CL-NOTHING", "DV-NOTHING")).await;
        match case {
            Case::Client | Case::Device => {
                let code = if matches!(case, Case::Client) { "client-not-found" } else { "device-not-found" };
                assert_eq!((theirs.status, theirs.code().as_str()), (StatusCode::NOT_FOUND, code), "{action}");
                let (mut one, mut other) = (theirs.json(), nothing.json());
                (one["instance"], other["instance"]) = (Value::Null, Value::Null);
                assert_eq!(one, other, "{action} tells a stranger that there is such a one");
            }
            Case::Listing => {
                let page = theirs.json();
                let own = |item: &Value| item["reference"] != *client;
                assert!(theirs.status.is_success() && page["items"].as_array().unwrap().iter().all(own), "{page}");
            }
            Case::Own => {
                let made = house.get(theirs.header("location")).await;
                assert_eq!(made.status, StatusCode::NOT_FOUND, "{action}");
            }
            Case::Operation => assert_eq!(theirs.status, StatusCode::FORBIDDEN, "{action}"),
        }
    }
    assert_eq!(house.get(&format!("/clients/profile/{client}")).await.json(), before);
    assert_eq!(
        house.hub.access.digest(),
        Access::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies"), OPERATORS).unwrap().digest()
    );
}

#[tokio::test]
async fn a_decision_is_explained_to_an_operator_without_what_is_personal() {
    let house = House::open().await;
    let client = house.client(1).await;
    let operator = house.sign("op", OPERATORS, &["OP001"], Some("active"));
    let explain = async |question: Value| {
        let request =
            house.ask_as(&operator, "POST", "/admin/policies/explain").header(CONTENT_TYPE, "application/json");
        house.send(request, question.to_string()).await
    };
    let question = json!({"member": "m-2", "org": "o", "roles": ["RP002"], "action": "CL004", "client": client});
    let answer = explain(question).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    let answer = answer.json();
    assert_eq!((&answer["allowed"], &answer["policy"]), (&json!(false), &json!("P_BO_002")), "{answer}");
    assert!(answer["decidedBy"].as_str().unwrap().starts_with("conditions.csv:"), "{answer}");
    assert!(answer["toTurnIt"].as_str().unwrap().contains("member.clients contain {client}"), "{answer}");
    let assigned = json!({"member": "m-2", "org": "o", "roles": ["RP002"], "action": "CL004", "client": "CL-NEW",
        "assignedTo": ["m-2"]});
    assert_eq!(explain(assigned).await.json()["allowed"], true);
    let lapsed = json!({"member": "m-2", "org": "o", "roles": ["RP001"], "action": "CL001", "subscription": "lapsed"});
    assert_eq!(explain(lapsed).await.json()["policy"], "P_BO_001");
    let wrong = explain(json!({"member": 7, "org": "o o", "action": "CL099", "rolls": []})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<Value> =
        wrong.json()["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/rolls", "/member", "/org", "/action"]);
}
