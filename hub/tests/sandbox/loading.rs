//! A component takes over only when it has passed every check; a refused one says why, and changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use hub::adapters::{AdapterName, AdapterState, Adapters, CallError, Difference, LoadError};

use crate::backend::Backend;
use crate::support::{Crm, component, down, profile, unknown};

fn from_text(folder: &Path, text: &str) -> String {
    let path = folder.join("component.wasm");
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    format!("component = '{}'", path.display())
}

#[tokio::test]
async fn a_component_that_does_not_fit_takes_its_adapter_down_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let export = |name: &str| format!("(component (instance $i) (export \"{name}\" (instance $i)))");
    let foreign = "(component (import \"evil:host/shell@1.0.0\" (instance))
                     (instance $i) (export \"backoffice:adapter/crm@1.0.0\" (instance $i)))";
    let huge = "(component (core module $m (memory 2000)) (core instance (instantiate $m)))";
    let cases = [
        ("(module)".to_owned(), "a core module"),
        ("(component)".to_owned(), "exports no interface"),
        (export("backoffice:adapter/crm@2.0.0"), "version 2.0.0 of the contract; this hub speaks 1.0.0"),
        (export("backoffice:adapter/kyc@1.0.0"), "kyc-adapter"),
        (export("backoffice:adapter/crm@1.0.0"), "can't be linked"),
        (foreign.to_owned(), "evil:host/shell@1.0.0"),
        (huge.to_owned(), "`memory_mib` allows"),
    ];
    for (text, expected) in cases {
        let crm = Crm::configured(&from_text(folder.path(), &text), "").await;
        let reason = down(&crm);
        assert!(reason.contains(expected), "{expected}: {reason}");
        assert!(matches!(crm.upsert().await, Err(CallError::Down(_))));
    }
}

#[tokio::test]
async fn a_file_that_is_missing_broken_or_another_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Crm::configured("component = '/no/such/file.wasm'", "").await;
    assert!(down(&missing).contains("/no/such/file.wasm"));
    // What is told of it goes to members of every organisation, and into the journal.
    let told = missing.upsert().await.unwrap_err();
    assert_eq!(told, CallError::Down("the component's file can't be read".to_owned()));

    let broken = folder.path().join("broken.wasm");
    let whole = std::fs::read(component("fixtures/behaviour.wasm")).unwrap();
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    let crm = Crm::configured(&format!("component = '{}'", broken.display()), "").await;
    assert!(down(&crm).contains("not a WebAssembly component"), "{}", down(&crm));

    let pinned = format!("digest = 'sha256:{}'", "0".repeat(64));
    let crm = Crm::behaving("echo", &pinned).await;
    assert!(down(&crm).contains("the configuration allows only sha256:000"), "{}", down(&crm));
}

#[tokio::test]
async fn a_pipe_in_the_place_of_the_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("crm.wasm");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let crm = Crm::configured(&format!("component = '{}'", pipe.display()), "").await;
    assert!(down(&crm).contains("it is not a regular file"), "{}", down(&crm));
}

#[tokio::test]
async fn a_component_describes_itself_without_asking_anybody() {
    let backend = Backend::start().await;
    let crm = Crm::calling("echo", &backend.url, "", "settings.defect = 'describe-sends'").await;
    let product = crm.report().loaded.unwrap().description.product;
    assert!(product.contains("unknown-endpoint"), "{product}");
    assert_eq!(backend.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_component_does_not_describe_it_may_not_use() {
    let backend = Backend::start().await;
    let nowhere = format!("[endpoints.nowhere]\nurl = '{}'\nprivate = true", backend.url);
    let crm = Crm::calling("unknown-endpoint", &backend.url, &nowhere, "").await;
    let why = unknown(crm.upsert().await);
    assert!(why.contains("it has: api") && why.contains("`describe` has to name it"), "{why}");
    assert_eq!(backend.seen(), Vec::<String>::new());
    let warnings = crm.report().loaded.unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("endpoints.nowhere")), "{warnings:?}");
}

#[tokio::test]
async fn a_secret_that_is_missing_takes_its_adapter_down() {
    let crm = Crm::calling("echo", "http://crm.example", "auth = { bearer = 'env:HUB_TEST_NOT_SET' }", "").await;
    let reason = down(&crm);
    assert!(reason.contains("[adapters.crm.endpoints.api]") && reason.contains("HUB_TEST_NOT_SET"), "{reason}");
}

#[tokio::test]
async fn the_report_shows_what_is_loaded() {
    let digest = {
        let bytes = std::fs::read(component("fixtures/behaviour.wasm")).unwrap();
        hub::adapters::Digest::of(&bytes)
    };
    let crm = Crm::behaving("echo", &format!("digest = '{digest}'")).await;
    let report = serde_json::to_value(crm.report()).unwrap();
    assert_eq!(report["state"], "up");
    assert_eq!(report["loaded"]["digest"], digest.to_string());
    assert_eq!(report["loaded"]["contract"], "1.0.0");
    assert_eq!(report["loaded"]["world"], "crm-adapter");
    assert_eq!(report["loaded"]["description"]["functions"]["relationship"], "safe");
    assert_eq!(report["limits"]["deadlineMs"], 5000);
    assert!(report["loaded"]["warnings"][0].as_str().unwrap().contains("[adapters.crm.endpoints.api]"));
}

#[tokio::test]
async fn a_reload_swaps_what_fits_and_keeps_what_runs_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.wasm");
    let whole = std::fs::read(component("fixtures/behaviour.wasm")).unwrap();
    std::fs::write(&path, &whole).unwrap();
    let crm = Crm::configured(&format!("component = '{}'", path.display()), "").await;
    crm.upsert().await.unwrap();

    std::fs::write(&path, "nonsense").unwrap();
    let refused = crm.reload().await.unwrap_err();
    assert!(matches!(refused.why, LoadError::NotAComponent(_)), "{refused}");
    crm.upsert().await.unwrap();
    assert_eq!(crm.report().state, AdapterState::Up);

    // The same component with a custom section more is another file.
    let mut other = whole.clone();
    other.extend_from_slice(&[0, 2, 1, b'x']);
    std::fs::write(&path, &other).unwrap();
    let difference = crm.reload().await.unwrap();
    let report = crm.report();
    assert_eq!(report.swaps.previous, Some(hub::adapters::Digest::of(&whole)));
    assert_eq!(report.loaded.unwrap().digest, hub::adapters::Digest::of(&other));
    assert_eq!(difference, Difference::default());
    crm.upsert().await.unwrap();
    let elsewhere = crm.adapters.prepare(AdapterName::Kyc).await;
    assert!(matches!(elsewhere.err().map(|refused| refused.why), Some(LoadError::NotConfigured(AdapterName::Kyc))));
}

#[tokio::test]
async fn the_way_back_has_the_credential_of_today() {
    let (folder, backend) = (tempfile::tempdir().unwrap(), Backend::start().await);
    let (path, secret) = (folder.path().join("crm.wasm"), folder.path().join("secret"));
    let whole = std::fs::read(component("fixtures/behaviour.wasm")).unwrap();
    let other = [&whole[..], &[0, 2, 1, b'x']].concat();
    std::fs::write(&path, &whole).unwrap();
    std::fs::write(&secret, "the-first-one").unwrap();
    let api = format!("auth = {{ bearer = 'file:{}' }}", secret.display());
    let crm = Crm::configured(
        &format!("component = '{}'\nsettings.behave = 'sender'", path.display()),
        &format!("[endpoints.api]\nurl = '{}'\nprivate = true\n{api}", backend.at("/echo")),
    )
    .await;
    std::fs::write(&path, &other).unwrap();
    crm.reload().await.unwrap();
    std::fs::write(&secret, "another-one").unwrap();
    crm.reload().await.unwrap();
    crm.adapters.take_over(crm.adapters.restore(AdapterName::Crm).await.unwrap().unwrap());
    assert_eq!(crm.report().loaded.unwrap().digest, hub::adapters::Digest::of(&whole));
    crm.upsert().await.unwrap();
    let sent = backend.seen().pop().unwrap();
    assert!(sent.contains("authorization: Bearer another-one"), "{sent}");
}

#[tokio::test]
async fn calls_in_flight_finish_on_the_component_they_began_with() {
    let backend = crate::backend::Backend::start().await;
    let crm = Crm::calling("sleeper", &backend.url, "timeout_ms = 500", "").await;
    let call = crm.upsert();
    let swap = async {
        while backend.seen().is_empty() {
            tokio::task::yield_now().await;
        }
        crm.reload().await.unwrap();
    };
    let (ended, ()) = tokio::join!(call, swap);
    assert!(matches!(ended, Err(CallError::Unknown(why)) if why == "timed-out"));
}

#[tokio::test]
async fn what_is_not_configured_is_down() {
    let cache = tempfile::tempdir().unwrap();
    let none = Adapters::load(&BTreeMap::new(), cache.path(), None).await.unwrap();
    assert!(none.names().is_empty() && none.report().is_empty());
    let refused = none.upsert_customer(profile("Ada"), "k").await;
    assert!(matches!(refused, Err(CallError::Down(_))));
}

/// A CRM adapter that runs `first`, and whose file is then `second`.
async fn then(folder: &Path, first: &str, second: &str, more: &str) -> Crm {
    let path = folder.join("crm.wasm");
    std::fs::copy(component(first), &path).unwrap();
    let endpoint = "[endpoints.api]\nurl = 'http://127.0.0.1:9'\nprivate = true";
    let crm = Crm::configured(&format!("component = '{}'\n{more}", path.display()), endpoint).await;
    std::fs::copy(component(second), &path).unwrap();
    crm
}

#[tokio::test]
async fn a_component_that_is_asked_beside_changes_no_answer_and_its_failures_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let crm = then(folder.path(), "fixtures/behaviour.wasm", "crm.wasm", "").await;
    let candidate = crm.adapters.prepare(AdapterName::Crm).await.unwrap();
    assert!(candidate.difference.grows(), "{:?}", candidate.difference);
    crm.adapters.shadow(candidate, 2);
    let counted = async {
        loop {
            crm.adapters.relationship("CL-01").await.unwrap();
            let shadow = crm.report().swaps.shadow.unwrap();
            let failed = shadow.functions.get("relationship").map_or(0, |compared| compared.failed);
            if failed == 2 {
                break shadow;
            }
        }
    };
    let shadow = tokio::time::timeout(std::time::Duration::from_secs(20), counted).await.unwrap();
    assert_eq!((shadow.asked, shadow.wanted), (2, 2));
    // What changes something is never asked beside, and nothing of it is charged to the adapter.
    crm.upsert().await.unwrap();
    let report = crm.report();
    assert_eq!((report.swaps.shadow.unwrap().functions.len(), report.failures["unavailable"]), (1, 0));
}

#[tokio::test]
async fn a_component_keeps_its_place_once_its_probation_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let more = "settings.behave = 'bomb'\nprobation = { calls = 3, faults = 1 }";
    let crm = then(folder.path(), "crm.wasm", "fixtures/behaviour.wasm", more).await;
    crm.reload().await.unwrap();
    for _ in 0..3 {
        crm.upsert().await.unwrap();
    }
    crm.adapters.upsert_contact(profile("bomb"), "k").await.unwrap_err();
    assert!(crm.report().swaps.rolled_back.is_none());

    std::fs::copy(component("crm.wasm"), folder.path().join("crm.wasm")).unwrap();
    crm.reload().await.unwrap();
    std::fs::copy(component("fixtures/behaviour.wasm"), folder.path().join("crm.wasm")).unwrap();
    crm.reload().await.unwrap();
    crm.adapters.upsert_contact(profile("bomb"), "k").await.unwrap_err();
    let report = crm.report();
    assert_eq!(report.loaded.unwrap().description.name, "espocrm");
    assert_eq!(report.swaps.previous, None);
    assert_eq!(crm.adapters.take_given_up().len(), 1);
    assert!(crm.adapters.take_given_up().is_empty());
}
