//! The five adapters that come with the hub hold against the simulated outside systems.

use std::path::PathBuf;
use std::sync::Arc;

use backends::Backends;
use tokio::net::TcpListener;

use crate::support::{Place, component, repository};

/// Checks an adapter whose endpoints are these systems.
async fn holds(adapter: &'static str, systems: &'static [(&'static str, &'static str)]) {
    let project = repository().join("plugins").join(adapter);
    component_holds(component(&format!("{adapter}.wasm")), project, systems).await;
}

/// Checks a component, by the script of its project, in front of these systems.
pub async fn component_holds(component: String, project: PathBuf, systems: &'static [(&'static str, &'static str)]) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(backends::serve(listener, Arc::new(Backends::new(7)), std::future::pending()));
    let checked = tokio::task::spawn_blocking(move || {
        let place = Place::new();
        let script = project.join("conformance.toml");
        let mut words = vec!["plugin".to_owned(), "check".to_owned(), component.clone()];
        words.extend(["--script".to_owned(), script.to_str().unwrap().to_owned()]);
        for (endpoint, system) in systems {
            words.extend(["--upstream".to_owned(), format!("{endpoint}={url}/{system}")]);
        }
        words.extend(["--json".to_owned(), "report.json".to_owned()]);
        let text = place.hub(&words.iter().map(String::as_str).collect::<Vec<_>>()).done();
        let report = std::fs::read_to_string(place.path().join("report.json")).unwrap();
        (text, serde_json::from_str::<serde_json::Value>(&report).unwrap(), std::fs::read(component).unwrap())
    });
    let (text, report, bytes) = checked.await.unwrap();
    serving.abort();
    assert!(text.contains("it holds"), "{text}");
    assert_eq!(report["digest"], hub::adapters::Digest::of(&bytes).to_string());
    assert_eq!(report["failed"], 0);
    assert!(report["passed"].as_u64().unwrap() > 15, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn core_banking() {
    holds("core-banking", &[("api", "fineract")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crm() {
    holds("crm", &[("api", "espocrm")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kyc() {
    holds("kyc", &[("api", "match")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identity() {
    holds("identity", &[("api", "scim")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messaging() {
    holds("messaging", &[("mail", "mail"), ("sms", "sms")]).await;
}
