//! What an adapter did outside is on the record with the outcome of each attempt, and nothing personal with it.

use hub::adapters::Digest;
use serde_json::{Value, json};

use crate::harness::{World, repository, run, samples, until};
use crate::parked::journal;

fn requests(entry: &Value) -> &[Value] {
    entry["data"]["call"]["requests"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn each_outcome_says_what_the_adapter_did_and_nothing_personal() {
    run(async {
        let world = World::start(crate::harness::Config::default()).await;
        let admin = world.admin("calls");
        world.outside.fault("espocrm", json!({"kind": "fail", "status": 503, "count": 1})).await;
        let body = samples::person();
        admin.onboard(&body).await;
        world.settle().await;
        let crm = Digest::of(&std::fs::read(repository().join("plugins/dist/crm.wasm")).unwrap()).short();

        let failed = until("the CRM's fault is written down", || async {
            let mut entries = journal(&world, "delivery.failed").into_iter();
            entries.rfind(|entry| entry["stream"].as_str().is_some_and(|stream| stream.starts_with("delivery/crm/")))
        })
        .await;
        assert_eq!(failed["data"]["call"]["component"], crm, "{failed}");
        assert_eq!(requests(&failed)[0]["status"], 503, "{failed}");

        let delivered = journal(&world, "delivery.delivered");
        assert!(delivered.len() >= 4, "{delivered:?}");
        for entry in &delivered {
            let call = &entry["data"]["call"];
            assert!(call["ms"].is_u64() && call["peakKib"].as_u64().is_some_and(|peak| peak > 0), "{entry}");
            assert!(!requests(entry).is_empty() && requests(entry).len() <= 16, "{entry}");
            for request in requests(entry) {
                assert_eq!((&request["address"], request["status"].is_u64()), (&json!("127.0.0.1"), true), "{entry}");
                let credential = request["credential"].as_str().unwrap();
                assert!(
                    credential.ends_with("file:key")
                        || credential.contains("file:basic")
                        || credential.contains("file:api-key"),
                    "{entry}"
                );
                assert!(!request["path"].as_str().unwrap().contains('?'), "{entry}");
            }
            let text = call.to_string();
            for personal in ["/individual/familyName", "/individual/nationalId", "/email", "/phone"] {
                let personal = body.pointer(personal).and_then(Value::as_str).unwrap();
                assert!(!text.contains(personal), "{entry}");
            }
            assert!(!text.contains("secret-key"), "{entry}");
        }
        let recent = until("the relationship has been read", || async {
            let shown = world.operator().get("/admin/adapters").await.ok(200);
            let adapter = shown["items"].as_array().unwrap().iter().find(|item| item["name"] == "crm").unwrap();
            let recent = adapter["recent"].as_array().unwrap().clone();
            let read = recent.iter().any(|call| call["function"] == "relationship" && call["outcome"] == "ok");
            read.then_some(recent)
        })
        .await;
        assert!((2..=10).contains(&recent.len()), "{recent:?}");
        assert!(recent.iter().any(|call| call["outcome"] == "unavailable" || call["outcome"] == "retry"), "{recent:?}");
        assert!(recent.iter().all(|call| call["component"] == crm && call["requests"][0]["method"].is_string()));
        let contact = delivered.iter().find(|entry| entry["data"]["function"] == "upsert-contact").unwrap();
        let made = requests(contact).iter().find(|request| request["method"] == "POST").unwrap();
        assert!(made["sent"].as_u64().unwrap() > 100 && made["received"].as_u64().unwrap() > 10, "{contact}");
        assert_eq!((&made["endpoint"], &made["credential"]), (&json!("api"), &json!("header file:key")), "{contact}");
    });
}
