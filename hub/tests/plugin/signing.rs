//! Who vouches for a component, and a hub that takes no other.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use hub::adapters::{AdapterConfig, AdapterName, Adapters};

use crate::support::{Place, component};

/// A place with a component of one's own and a key pair.
fn vendor() -> Place {
    let place = Place::new();
    place.file("crm.wasm", std::fs::read(component("crm.wasm")).unwrap());
    place.hub(&["plugin", "sign", "--new-key", "acme.pem"]).done();
    place
}

#[test]
fn a_signature_holds_for_its_component_and_its_key_alone() {
    let place = vendor();
    let mode = std::fs::metadata(place.path().join("acme.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let told = place.hub(&["plugin", "sign", "--new-key", "acme.pem"]).failed();
    assert!(told.contains("never overwritten"), "{told}");

    let verify = ["plugin", "verify", "crm.wasm", "--key", "acme.pem.pub"];
    assert!(place.hub(&verify).failed().contains("not signed"));
    place.hub(&["plugin", "sign", "crm.wasm", "--key", "acme.pem"]).done();
    assert!(place.hub(&verify).done().contains("was signed with the key"));
    let shown = place.hub(&["plugin", "inspect", "crm.wasm", "--json"]).json();
    assert_eq!(shown["signature"]["ofThisComponent"], true);

    place.hub(&["plugin", "sign", "--new-key", "other.pem"]).done();
    let other = place.hub(&["plugin", "verify", "crm.wasm", "--key", "other.pem.pub"]).failed();
    assert!(other.contains("not among the trusted ones"), "{other}");
    let mut changed = std::fs::read(place.path().join("crm.wasm")).unwrap();
    changed.extend([0, 2, 1, b'x']);
    place.file("crm.wasm", changed);
    assert!(place.hub(&verify).failed().contains("of another component"));
}

#[tokio::test]
async fn a_hub_loads_only_what_a_trusted_key_has_signed() {
    let place = vendor();
    let path = |name: &str| place.path().join(name).display().to_string();
    let config: AdapterConfig =
        toml::from_str(&format!("component = '{}'\ntrusted_keys = ['{}']\n", path("crm.wasm"), path("acme.pem.pub")))
            .unwrap();
    let cache = tempfile::tempdir().unwrap();
    let load = || async {
        let configs = BTreeMap::from([(AdapterName::Crm, config.clone())]);
        let adapters = Adapters::load(&configs, cache.path(), None).await.unwrap();
        serde_json::to_value(adapters.report().remove(0)).unwrap()
    };
    let report = load().await;
    assert_eq!(report["state"], "down");
    let reason = report["reason"].as_str().unwrap();
    assert!(reason.contains("crm.wasm.sig") && reason.contains("hub plugin sign"), "{reason}");

    let signed = place.hub(&["plugin", "sign", "crm.wasm", "--key", "acme.pem", "--json"]).json();
    let report = load().await;
    assert_eq!((report["state"].as_str(), &report["loaded"]["signedBy"]), (Some("up"), &signed["key"]));
}
