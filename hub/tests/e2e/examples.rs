//! A hub whose CRM and messages go through the adapters in other languages: what it does for a client is the same.

use std::path::PathBuf;

use hub::adapters::Digest;
use serde_json::{Value, json};

use crate::harness::{Config, World, repository, run, samples, until};

const INSTEAD: [(&str, &str); 2] = [("crm", "crm-python"), ("messaging", "messaging-js")];

/// Where `make examples` puts the component.
fn file(example: &str) -> PathBuf {
    repository().join("plugins/dist/examples").join(format!("{example}.wasm"))
}

/// The usual configuration with these in place of the bundled ones; nothing where `make examples` had to leave one out.
fn config() -> Option<Config> {
    let built = repository().join("plugins/dist/examples");
    let mut config = Config::default();
    for (bundled, example) in INSTEAD {
        if let Ok(why) = std::fs::read_to_string(built.join(format!("{example}.left-out"))) {
            eprintln!("{}", why.trim_end());
            return None;
        }
        let (usual, component) =
            (format!("{{plugins}}/{bundled}.wasm"), format!("{{plugins}}/examples/{example}.wasm"));
        assert!(built.join(format!("{example}.wasm")).exists(), "run `make examples` first: no {example}.wasm");
        assert!(config.adapters.contains(&usual));
        config.adapters = config.adapters.replace(&usual, &component);
    }
    Some(config)
}

/// The record of a client in the CRM, once it is as wanted; there is never more than one.
async fn related(world: &World, reference: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    until(&format!("the CRM's record of {reference} is as wanted"), || async {
        let state = world.outside.state("espocrm", reference).await;
        let records: Vec<Value> =
            ["accounts", "contacts"].iter().flat_map(|list| state[list].as_array().unwrap().clone()).collect();
        assert!(records.len() <= 1, "{state}");
        records.into_iter().find(&wanted)
    })
    .await
}

/// The templates of the mails to an address, once there are so many.
async fn mailed(world: &World, address: &Value, count: usize) -> Vec<Value> {
    until(&format!("{count} mails to {address}"), || async {
        let state = world.outside.state("mail", address.as_str().unwrap()).await;
        let templates: Vec<Value> =
            state["messages"].as_array().unwrap().iter().map(|mail| mail["categories"][0].clone()).collect();
        (templates.len() >= count).then_some(templates)
    })
    .await
}

#[test]
fn clients_are_onboarded_changed_and_archived_through_them() {
    let Some(config) = config() else { return };
    run(async {
        let world = World::start(config).await;
        let loaded = world.operator().get("/admin/adapters").await.ok(200).to_string();
        for (_, example) in INSTEAD {
            assert!(loaded.contains(&Digest::of(&std::fs::read(file(example)).unwrap()).to_string()), "{loaded}");
        }
        let admin = world.admin(&samples::org("examples"));
        for mut body in [samples::company(), samples::person()] {
            let reference = admin.onboard(&body).await;
            let client = admin.settled(&reference).await;
            assert_eq!(client["status"], "active", "{client}");
            let record = related(&world, &reference, |record| record["cClientStatus"] == "active").await;
            assert_eq!((&record["cClientReference"], &record["emailAddress"]), (&json!(reference), &body["email"]));
            let kind = if body["kind"] == "corporate" { "Account" } else { "Contact" };
            let external_id = format!("{kind}/{}", record["id"].as_str().unwrap());
            assert_eq!(client["sync"]["crm"]["externalId"], external_id, "{client}");
            assert_eq!(mailed(&world, &body["email"], 1).await, ["welcome"]);
            admin.client_when(&reference, "with a relationship", |client| client["relationship"].is_object()).await;

            let path = format!("/clients/profile/{reference}");
            body["phone"] = "+442079460999".into();
            admin.put(&path, &body).await.ok(200);
            related(&world, &reference, |record| record["phoneNumber"] == "+442079460999").await;
            assert_eq!(mailed(&world, &body["email"], 2).await, ["welcome", "profile-updated"]);
            assert!(admin.delete(&path).await.status < 300);
            related(&world, &reference, |record| record["cClientStatus"] == "archived").await;
            assert_eq!(mailed(&world, &body["email"], 3).await[2], "deactivated");
        }
    });
}
