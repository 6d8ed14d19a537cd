//! Every operation for every role, over HTTP, against the specification's tables; organisations; and the two policies.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Config, Member, Reply, World, run, samples, until};

/// The roles of the specification and the operator's.
const ROLES: [&str; 5] = ["RP001", "RP002", "RP003", "RP004", "OP001"];

/// Who may do what, as the specification's effective rights say.
fn may(role: &str, action: &str) -> bool {
    let officer = ["CL001", "CL002", "CL004", "CL008", "CL009"];
    let support = ["CL001", "CL007", "CL008", "CL009", "CL010", "CL011", "CL012", "CL013"];
    let review = ["CX001", "CX002", "CX003", "CX004", "CX010"];
    match role {
        "RP001" => action.starts_with("CL0") || review.contains(&action),
        "RP002" => officer.contains(&action),
        "RP003" => officer.contains(&action) || review.contains(&action),
        "RP004" => support.contains(&action),
        "OP001" => action.starts_with("CX02") || action.starts_with("CX03") || action.starts_with("CX04"),
        _ => false,
    }
}

/// A client with a device that the calls of one role work on.
struct Ground<'a> {
    admin: Member<'a>,
    client: String,
    other: String,
    device: String,
}

impl<'a> Ground<'a> {
    async fn new(world: &'a World, org: &str) -> Ground<'a> {
        let admin = world.admin(org);
        let (company, person) = (samples::company(), samples::person());
        let (client, other) = tokio::join!(admin.onboard(&company), admin.onboard(&person));
        let device = admin.devices(&client).await[0]["device"].as_str().unwrap().to_owned();
        Ground { admin, client, other, device }
    }

    async fn ask(&self, member: &Member<'_>, action: &str) -> Reply {
        let (client, device) = (&self.client, &self.device);
        match action {
            "CL001" => member.get("/clients/profile").await,
            "CL002" => member.get(&format!("/clients/profile/{client}")).await,
            "CL003" => member.post("/clients/profile", &samples::company()).await,
            "CL004" => {
                let current = self.admin.client(client).await;
                member.put(&format!("/clients/profile/{client}"), &current).await
            }
            "CL005" => {
                let doomed = self.admin.create(&samples::company()).await;
                member.delete(&format!("/clients/profile/{}", doomed["reference"].as_str().unwrap())).await
            }
            "CL006" => member.get(&format!("/clients/accounts/{client}")).await,
            "CL007" => member.get(&format!("/clients/device/{client}")).await,
            "CL008" => member.post(&format!("/clients/starred/{client}"), &json!({"starred": true})).await,
            "CL009" => member.get("/clients/profile?filter=status%20eq%20%22active%22").await,
            "CL010" => {
                let body = json!({"device": device, "locked": false, "reason": "found"});
                member.post("/clients/device/lock", &body).await
            }
            "CL011" => {
                let owner = self.owner().await;
                let to = if owner == *client { &self.other } else { client };
                member.post("/clients/device/transfer", &json!({"device": device, "from": owner, "to": to})).await
            }
            "CL012" => member.post("/clients/device/activate", &json!({"device": device, "active": true})).await,
            "CL013" => member.post("/clients/device/resetPIN", &json!({"device": device})).await,
            "CX001" => member.get(&format!("/clients/history/{client}")).await,
            "CX002" => member.get(&format!("/clients/documents/{client}")).await,
            "CX003" => submit(member, client, b"%PDF-1.7\nnothing\n%%EOF\n").await,
            "CX004" => member.post(&format!("/clients/kyc/{client}"), &json!({"decision": "approve"})).await,
            "CX020" => member.get("/admin/tree").await,
            "CX021" => member.get("/admin/adapters").await,
            "CX030" => member.get("/admin/sync/parked").await,
            "CX031" => member.post("/admin/sync/parked/none/retry", &json!({"reason": "tried"})).await,
            "CX040" => member.get("/admin/policies").await,
            "CX041" => {
                let question =
                    json!({"member": "m-2", "org": "nobody", "roles": ["RP002"], "action": "CL004", "client": client});
                member.post("/admin/policies/explain", &question).await
            }
            _ => unreachable!("{action}"),
        }
    }

    async fn owner(&self) -> String {
        for owner in [&self.client, &self.other] {
            let devices = self.admin.get(&format!("/clients/device/{owner}")).await.ok(200);
            if devices["items"].as_array().unwrap().iter().any(|device| device["device"] == *self.device) {
                return owner.clone();
            }
        }
        panic!("nobody owns {}", self.device);
    }
}

/// A document as a browser would send it.
pub async fn submit(member: &Member<'_>, client: &str, content: &[u8]) -> Reply {
    let head = "--b\r\ncontent-disposition: form-data; name=\"type\"\r\n\r\npassport\r\n--b\r\n\
                content-disposition: form-data; name=\"file\"; filename=\"p.pdf\"\r\ncontent-type: application/pdf\r\n\r\n";
    let body = [head.as_bytes(), content, b"\r\n--b--\r\n"].concat();
    let request = member.request(Method::POST, &format!("/clients/documents/{client}"));
    let request = request.header("content-type", "multipart/form-data; boundary=b").body(body);
    Reply::read(request.send().await.unwrap()).await
}

/// What an allowed call answers.
fn check(action: &str, reply: &Reply, ground: &Ground<'_>) {
    let client = &ground.client;
    match action {
        "CL001" | "CL009" => {
            let page = reply.ok(200);
            assert!(page["total"].as_u64().unwrap() >= 2 && page["next"].is_null(), "{page}");
            for item in page["items"].as_array().unwrap() {
                for absent in ["corporate", "individual", "relationship", "sync"] {
                    assert!(item.get(absent).is_none(), "{absent} in a summary: {item}");
                }
                assert!(item["kyc"]["status"].is_string() && item["starred"].is_boolean(), "{item}");
            }
        }
        "CL002" | "CL004" => {
            let body = reply.ok(200);
            assert_eq!(body["reference"], **client);
            assert_eq!(reply.header("etag"), Some(format!("\"{}\"", body["version"]).as_str()));
            assert_client(&body);
        }
        "CL003" => {
            let body = reply.ok(201);
            assert_eq!(body["status"], "pending");
            let at = format!("/clients/profile/{}", body["reference"].as_str().unwrap());
            assert_eq!(reply.header("location"), Some(at.as_str()));
            assert_eq!(reply.header("etag"), Some("\"1\""));
            assert_client(&body);
        }
        "CL005" => assert_eq!(reply.ok(200)["status"], "archived"),
        "CL006" => {
            let body = reply.ok(200);
            assert_eq!((&body["stale"], body["asOf"].is_string()), (&json!(false), true));
            for account in body["items"].as_array().unwrap() {
                for member in ["id", "type", "currency", "balance", "status"] {
                    assert!(account[member].is_string(), "{member}: {account}");
                }
            }
            assert!(!body["items"].as_array().unwrap().is_empty(), "{body}");
        }
        "CL007" => {
            let body = reply.ok(200);
            body["items"].as_array().unwrap().iter().for_each(assert_device);
        }
        "CL008" => assert_eq!(reply.ok(200), json!({"reference": client, "starred": true})),
        "CL010" => {
            let device = reply.ok(200);
            assert_device(&device);
            assert_eq!(device["locked"], false);
        }
        "CL011" => {
            let device = reply.ok(200);
            assert_device(&device);
            assert_eq!(device["active"], false);
        }
        "CL012" => assert_eq!(reply.ok(200)["active"], true),
        "CL013" => {
            let body = reply.ok(202);
            assert_eq!(body["device"], *ground.device);
            for member in ["resetId", "requestedAt", "expiresAt", "sentTo"] {
                assert!(body[member].is_string(), "{member}: {body}");
            }
            assert!(!reply.text.to_lowercase().contains("\"pin\""), "a PIN in {}", reply.text);
            assert!(body["sentTo"].as_str().unwrap().contains('•'), "not masked: {body}");
        }
        "CX001" => {
            let body = reply.ok(200);
            let items = body["items"].as_array().unwrap();
            let numbers: Vec<_> = items.iter().map(|item| item["seq"].as_u64().unwrap()).collect();
            assert!(numbers.is_sorted_by(|a, b| a > b), "newest first: {numbers:?}");
            assert!(items.iter().any(|item| item["kind"] == "client.created" && item["action"] == "CL003"), "{body}");
        }
        "CX002" => assert!(reply.ok(200)["items"].is_array()),
        "CX003" => {
            let body = reply.ok(201);
            assert_eq!((&body["type"], &body["status"]), (&json!("passport"), &json!("pending")));
        }
        // It is active: nothing is to be decided.
        "CX004" => drop(reply.problem(409, "invalid-transition")),
        "CX020" => assert!(reply.ok(200).is_object()),
        "CX021" => {
            let body = reply.ok(200);
            let items = body["items"].as_array().unwrap();
            assert_eq!(items.len(), 5, "{body}");
            assert!(items.iter().all(|item| item["state"] == "up" && item["loaded"]["digest"].is_string()), "{body}");
        }
        "CX030" => assert!(reply.ok(200)["items"].is_array()),
        // Whoever may do it learns that there is nothing to do it to.
        "CX031" => drop(reply.problem(404, "delivery-not-found")),
        "CX040" => {
            let body = reply.ok(200);
            assert!(body["digest"].is_string() && body["since"].is_string(), "{body}");
            assert_eq!(body["findings"], json!([]));
        }
        "CX041" => {
            let body = reply.ok(200);
            assert_eq!((&body["allowed"], &body["policy"]), (&json!(false), &json!("P_BO_002")), "{body}");
            assert!(body["decidedBy"].as_str().unwrap().starts_with("conditions.csv:"), "{body}");
        }
        _ => unreachable!("{action}"),
    }
}

fn assert_client(client: &Value) {
    let members = [
        "reference",
        "kind",
        "status",
        "version",
        "name",
        "starred",
        "kyc",
        "sync",
        "createdAt",
        "createdBy",
        "updatedAt",
        "updatedBy",
        "tags",
        "assignedTo",
    ];
    for member in members {
        assert!(!client[member].is_null(), "{member}: {client}");
    }
    let links: Vec<_> = client["sync"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut sorted = links.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["core-banking", "crm", "identity", "kyc", "messaging"], "{client}");
    assert!(client["reference"].as_str().unwrap().starts_with("CL-"), "{client}");
}

fn assert_device(device: &Value) {
    for member in ["device", "client", "type", "active", "locked", "enrolledAt", "version", "updatedAt", "sync"] {
        assert!(!device[member].is_null(), "{member}: {device}");
    }
    let kinds = ["mobile", "token", "card-reader", "pos", "browser"];
    assert!(kinds.contains(&device["type"].as_str().unwrap()), "{device}");
    assert!(device["device"].as_str().unwrap().starts_with("DV-"), "{device}");
}

const CLIENT_ACTIONS: [&str; 17] = [
    "CL001", "CL002", "CL003", "CL004", "CL005", "CL006", "CL007", "CL008", "CL009", "CL010", "CL011", "CL012",
    "CL013", "CX001", "CX002", "CX003", "CX004",
];
const HUB_ACTIONS: [&str; 6] = ["CX020", "CX021", "CX030", "CX031", "CX040", "CX041"];

#[test]
fn every_role_may_do_what_the_specification_grants_and_nothing_else() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("roles");
        let ground = Ground::new(&world, &org).await;
        for role in ["RP001", "RP002", "RP003", "RP004"] {
            let (client, other) = (ground.client.as_str(), ground.other.as_str());
            let member = world.member_with(&org, &format!("of-{role}"), &[role], &[client, other], Some("active"));
            for action in CLIENT_ACTIONS.into_iter().chain(HUB_ACTIONS) {
                let reply = ground.ask(&member, action).await;
                if may(role, action) {
                    check(action, &reply, &ground);
                } else {
                    reply.denied(action);
                }
            }
        }
    });
}

#[test]
fn an_operator_runs_the_hub_and_sees_no_client() {
    let world = World::shared("usual");
    run(async {
        let org = "operators";
        let ground = Ground::new(&world, org).await;
        let operator = world.operator();
        for action in CLIENT_ACTIONS.into_iter().chain(HUB_ACTIONS) {
            let reply = ground.ask(&operator, action).await;
            if may("OP001", action) {
                check(action, &reply, &ground);
            } else {
                reply.denied(action);
            }
        }
        // The role counts in the operators' organisation alone.
        let elsewhere = world.member(&samples::org("elsewhere"), "op-1", &["OP001"]);
        for action in HUB_ACTIONS {
            ground.ask(&elsewhere, action).await.denied(action);
        }
    });
}

#[test]
fn unknown_roles_and_no_roles_may_do_nothing() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("nobody");
        for roles in [&[][..], &["RP999"], &["rp001"], &["RP001 "], &["clnt_admin"]] {
            let member = world.member(&org, "m-0", roles);
            member.get("/clients/profile").await.denied("CL001");
            member.get("/clients/profile?filter=name%20pr").await.denied("CL009");
            member.get("/clients/profile/CL-NOBODY").await.denied("CL002");
            member.post("/clients/profile", &json!({"nonsense": true})).await.denied("CL003");
            member.post("/clients/device/lock", &json!({"device": "DV-1", "locked": 7})).await.denied("CL010");
            member.get("/admin/tree").await.denied("CX020");
        }
    });
}

#[test]
fn an_organisation_sees_its_own_clients_alone() {
    let world = World::shared("usual");
    run(async {
        let (ours, theirs) = (samples::org("ours"), samples::org("theirs"));
        let ground = Ground::new(&world, &ours).await;
        let stranger = world.admin(&theirs);
        let (client, device) = (&ground.client, &ground.device);
        for path in ["profile", "accounts", "device", "history", "documents"] {
            let reply = stranger.get(&format!("/clients/{path}/{client}")).await;
            let absent = stranger.get(&format!("/clients/{path}/CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE")).await;
            let (reply, absent) = (reply.problem(404, "client-not-found"), absent.problem(404, "client-not-found"));
            assert_eq!(reply["detail"], absent["detail"], "a stranger learns that {client} exists");
        }
        let path = format!("/clients/profile/{client}");
        stranger.put(&path, &samples::company()).await.problem(404, "client-not-found");
        stranger.delete(&path).await.problem(404, "client-not-found");
        stranger.post(&format!("/clients/starred/{client}"), &json!({})).await.problem(404, "client-not-found");
        let decision = json!({"decision": "approve"});
        stranger.post(&format!("/clients/kyc/{client}"), &decision).await.problem(404, "client-not-found");
        submit(&stranger, client, b"%PDF-1.7\n").await.problem(404, "client-not-found");
        let lock = json!({"device": device, "locked": true});
        stranger.post("/clients/device/lock", &lock).await.problem(404, "device-not-found");
        let activate = json!({"device": device, "active": false});
        stranger.post("/clients/device/activate", &activate).await.problem(404, "device-not-found");
        stranger.post("/clients/device/resetPIN", &json!({"device": device})).await.problem(404, "device-not-found");
        let own = stranger.create(&samples::company()).await["reference"].clone();
        let transfer = json!({"device": device, "from": client, "to": own});
        stranger.post("/clients/device/transfer", &transfer).await.problem(404, "device-not-found");
        // Nor can a device be given away to another organisation.
        let transfer = json!({"device": device, "from": client, "to": own});
        ground.admin.post("/clients/device/transfer", &transfer).await.problem(404, "client-not-found");
        let list = stranger.get("/clients/profile").await.ok(200);
        assert_eq!((&list["total"], &list["items"][0]["reference"]), (&json!(1), &own));
        // The same registration number in two organisations is no duplicate, in one it is.
        let company = samples::company();
        ground.admin.create(&company).await;
        stranger.create(&company).await;
        stranger.post("/clients/profile", &company).await.problem(409, "duplicate-client");
    });
}

#[test]
fn p_bo_001_denies_every_operation_without_an_active_subscription() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("unsubscribed");
        let ground = Ground::new(&world, &org).await;
        for subscription in [None, Some("suspended"), Some("")] {
            let member = world.member_with(&org, "m-1", &["RP001"], &[], subscription);
            for action in CLIENT_ACTIONS {
                let body = ground.ask(&member, action).await.denied(action);
                assert_eq!(body["policy"], "P_BO_001", "{action}: {body}");
            }
        }
        let operator = world.member_with("operators", "op-1", &["OP001"], &[], None);
        for action in HUB_ACTIONS {
            assert_eq!(ground.ask(&operator, action).await.denied(action)["policy"], "P_BO_001");
        }
    });
}

#[test]
fn p_bo_002_lets_a_relationship_officer_edit_assigned_clients_alone() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("assigned");
        let admin = world.admin(&org);
        let mut company = samples::company();
        let created = admin.create(&company).await;
        let reference = created["reference"].as_str().unwrap().to_owned();
        let path = format!("/clients/profile/{reference}");
        company["segment"] = "retail".into();

        let officer = world.member(&org, "m-204", &["RP002"]);
        let denied = officer.put(&path, &company).await.denied("CL004");
        assert_eq!(denied["policy"], "P_BO_002", "{denied}");
        // It narrows the edit alone: the officer still views and lists it.
        officer.get(&path).await.ok(200);
        assert_eq!(officer.get("/clients/profile").await.ok(200)["total"], 1);

        // Assigned by the token.
        let by_token = world.member_with(&org, "m-205", &["RP002"], &[&reference], Some("active"));
        assert_eq!(by_token.put(&path, &company).await.ok(200)["segment"], "retail");
        let another = world.member_with(&org, "m-206", &["RP002"], &["CL-OTHER"], Some("active"));
        assert_eq!(another.put(&path, &company).await.denied("CL004")["policy"], "P_BO_002");

        // Assigned by `assignedTo`, which only RP001 may change.
        let mut assigned = company.clone();
        assigned["assignedTo"] = json!(["m-204"]);
        by_token.put(&path, &assigned).await.problem(403, "forbidden");
        assert_eq!(admin.put(&path, &assigned).await.ok(200)["assignedTo"], json!(["m-204"]));
        company["segment"] = "sme".into();
        let edited = officer.put(&path, &company).await.ok(200);
        assert_eq!((&edited["segment"], &edited["assignedTo"]), (&json!("sme"), &json!(["m-204"])), "{edited}");
        // Taken away again, at once.
        assigned["assignedTo"] = json!([]);
        admin.put(&path, &assigned).await.ok(200);
        officer.put(&path, &company).await.denied("CL004");

        // Another role that grants the edit without a condition lifts the narrowing; one that does not grant it does not.
        let both = world.member(&org, "m-207", &["RP002", "RP003"]);
        company["segment"] = "corporate".into();
        assert_eq!(both.put(&path, &company).await.ok(200)["segment"], "corporate");
        let support = world.member(&org, "m-208", &["RP002", "RP004"]);
        assert_eq!(support.put(&path, &company).await.denied("CL004")["policy"], "P_BO_002");
        // Whether a client that is not theirs exists is nothing they learn by editing.
        officer.put("/clients/profile/CL-NOBODY", &company).await.denied("CL004");
    });
}

#[test]
fn several_roles_add_up() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("several");
        let ground = Ground::new(&world, &org).await;
        let roles = ["RP003", "RP004"];
        let member = world.member(&org, "m-34", &roles);
        for action in CLIENT_ACTIONS {
            let reply = ground.ask(&member, action).await;
            if roles.iter().any(|role| may(role, action)) {
                check(action, &reply, &ground);
            } else {
                reply.denied(action);
            }
        }
    });
}

#[test]
fn health_metrics_and_the_contract_are_open_to_all() {
    let world = World::shared("usual");
    run(async {
        for path in ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"] {
            let response = world.http.get(format!("{}{path}", world.url())).send().await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
        }
        let contract: Value =
            world.http.get(format!("{}/openapi.json", world.url())).send().await.unwrap().json().await.unwrap();
        assert!(contract["openapi"].as_str().unwrap().starts_with("3.1"), "{}", contract["openapi"]);
        for path in ["/clients/profile", "/clients/device/resetPIN", "/clients/kyc/{reference}", "/admin/tree"] {
            assert!(contract["paths"][path].is_object(), "{path}");
        }
        let health = until("all parts but NATS are well", || async {
            let url = format!("{}/health/ready", world.url());
            let health: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
            let well = |part: &Value| part["name"] == "nats" || part["status"] == "ok";
            health["parts"].as_array().unwrap().iter().all(well).then_some(health)
        })
        .await;
        assert_eq!(health["status"], "degraded", "NATS is not configured here: {health}");
        for role in ROLES {
            assert!(may(role, "CL001") || role == "OP001");
        }
    });
}

#[test]
fn readiness_tells_of_an_outside_system_that_does_not_answer_and_tells_strangers_no_more() {
    run(async {
        let retry = ["\"500ms\""; 20].join(", ");
        let sync = format!("retry = [{retry}]\nbreaker = {{ failures = 2, window_s = 30, open_s = 1 }}");
        let world = World::start(Config { sync, strict: false, ..Config::default() }).await;
        world.outside.fault("espocrm", json!({"kind": "reset"})).await;
        let admin = world.admin("away");
        for _ in 0..3 {
            admin.create(&samples::company()).await;
        }
        let away = until("the CRM is left alone", || async {
            let part = crm(&world).await;
            (part["status"] == "degraded").then_some(part)
        })
        .await;
        assert_eq!(away["detail"], "its outside system does not answer; it is tried again from time to time");
        world.outside.heal("espocrm").await;
        until("the CRM is back", || async { (crm(&world).await["status"] == "ok").then_some(()) }).await;
    });
}

#[test]
fn an_outside_system_that_is_owed_nothing_any_more_is_asked_how_it_is() {
    run(async {
        let sync = "retry = [\"100ms\"]\nbreaker = { failures = 2, window_s = 30, open_s = 1 }".to_owned();
        let world = World::start(Config { sync, strict: false, ..Config::default() }).await;
        world.outside.fault("espocrm", json!({"kind": "reset"})).await;
        world.admin("away").create(&samples::company()).await;
        until("the only delivery is set aside", || async {
            let parked = world.operator().get("/admin/sync/parked?adapter=crm").await.ok(200);
            (parked["total"] == 1).then_some(())
        })
        .await;
        assert_eq!(crm(&world).await["status"], "degraded");
        world.outside.heal("espocrm").await;
        until("the CRM is known to be back", || async { (crm(&world).await["status"] == "ok").then_some(()) }).await;
    });
}

#[test]
fn the_lag_is_the_age_of_what_is_owed_however_long_it_waits() {
    run(async {
        let world = World::start(Config { strict: false, ..Config::default() }).await;
        let admin = world.admin("lag");
        world.outside.fault("scim", json!({"kind": "fail", "status": 503})).await;
        let created = admin.create(&samples::company()).await;
        let reference = created["reference"].as_str().unwrap();
        let failed = |client: &Value| client["sync"]["identity"]["attempts"].as_u64() >= Some(4);
        let client = admin.client_when(reference, "owed to the identity system", failed).await;
        let since: chrono::DateTime<chrono::Utc> = client["updatedAt"].as_str().unwrap().parse().unwrap();
        let owed = (chrono::Utc::now() - since).as_seconds_f64();
        let lag = world.metric("hub_sync_lag_seconds{adapter=\"identity\"}").await;
        assert!(lag >= owed - 0.01, "owed for {owed} s, and the lag is {lag} s");
        world.outside.heal("scim").await;
        admin.settled(reference).await;
        world.settle().await;
        assert_eq!(world.metric("hub_sync_lag_seconds{adapter=\"identity\"}").await, 0.0);
    });
}

/// What readiness says of the CRM.
async fn crm(world: &World) -> Value {
    let url = format!("{}/health/ready", world.url());
    let health: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    let parts = health["parts"].as_array().unwrap();
    parts.iter().find(|part| part["name"] == "adapter/crm").unwrap().clone()
}
