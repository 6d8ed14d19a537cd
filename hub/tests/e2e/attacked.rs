//! A CRM adapter that crashes on one client, on a whole hub: that client's delivery is set aside, and every other one,
//! of this adapter and of the others, arrives.

use serde_json::json;

use crate::harness::{Config, World, run, samples, until};

const SYNC: &str = "retry = [\"50ms\", \"50ms\", \"50ms\"]
breaker = { failures = 1000, window_s = 5, open_s = 1 }";

fn crashing() -> Config {
    let usual = Config::default();
    let adapters = usual
        .adapters
        .replace("{plugins}/crm.wasm", "{plugins}/fixtures/behaviour.wasm")
        .replace("settings = { feedback-link = \"cFeedback\" }", "settings = { behave = \"bomb\" }");
    Config { adapters, sync: SYNC.to_owned(), strict: false, ..usual }
}

#[test]
fn a_crasher_on_one_client_loses_that_client_alone() {
    run(async {
        let world = World::start(crashing()).await;
        let (admin, operator) = (world.admin("crasher"), world.operator());
        let mut bomb = samples::company();
        bomb["name"] = json!("bomb");
        bomb["corporate"]["legalName"] = json!("bomb");
        let bomb = admin.create(&bomb).await["reference"].as_str().unwrap().to_owned();
        let mut others = Vec::new();
        for _ in 0..20 {
            others.push(admin.create(&samples::company()).await["reference"].as_str().unwrap().to_owned());
        }
        let parked = until("the delivery that crashes is set aside", || async {
            let page = operator.get("/admin/sync/parked?adapter=crm").await.ok(200);
            page["items"].as_array().filter(|items| !items.is_empty()).cloned()
        })
        .await;
        assert_eq!(parked.len(), 1, "{parked:?}");
        assert!(parked[0].to_string().contains(&bomb) && parked[0].to_string().contains("trap"), "{}", parked[0]);
        for reference in &others {
            let synced = |client: &serde_json::Value| client["sync"]["crm"]["state"] == "synced";
            admin.client_when(reference, "delivered to the CRM", synced).await;
        }
        let adapters = operator.get("/admin/adapters").await.ok(200).to_string();
        assert!(!adapters.contains("quarantined"), "{adapters}");
    });
}
