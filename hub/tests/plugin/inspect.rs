//! What is told of a component before it is trusted.

use std::io::Write as _;

use crate::support::{Place, component};

#[test]
fn a_component_is_shown_with_what_it_may_do() {
    let place = Place::new();
    let file = component("crm.wasm");
    let shown = place.hub(&["plugin", "inspect", &file, "--json"]).json();
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(shown["digest"], hub::adapters::Digest::of(&bytes).to_string());
    assert_eq!((shown["world"].as_str(), shown["contract"].as_str()), (Some("crm-adapter"), Some("1.0.0")));
    let imports = shown["imports"].as_array().unwrap();
    assert!(imports.iter().all(|import| import["meaning"] == "granted"), "{imports:?}");
    assert_eq!(shown["description"]["functions"]["upsert-contact"], "look-up");
    assert!(shown["footprint"]["coreInstances"].as_u64().unwrap() >= 1);
    assert_eq!(shown["signature"], serde_json::Value::Null);
    let configuration: toml::Table = shown["configuration"].as_str().unwrap().parse().unwrap();
    assert_eq!(configuration["adapters"]["crm"]["endpoints"]["api"]["url"].as_str(), Some("https://…"));
    let text = place.hub(&["plugin", "inspect", &file]).done();
    for expected in
        ["crm-adapter", "granted  backoffice:adapter/http@1.0.0", "[adapters.crm.endpoints.api]", "wit-bindgen-rust"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn what_the_hub_would_refuse_is_said_and_fails() {
    let place = Place::new();
    let text = r#"(component
        (import "evil:host/shell@1.0.0" (instance))
        (instance $none) (export "backoffice:adapter/crm@1.0.0" (instance $none)))"#;
    let file = place.file("evil.wasm", wat::parse_str(text).unwrap());
    let ended = place.hub(&["plugin", "inspect", file.to_str().unwrap(), "--json"]);
    assert_eq!(ended.code, 1);
    let shown = ended.json();
    assert_eq!(shown["imports"][0]["meaning"], "refused");
    assert!(shown["refused"].as_str().unwrap().contains("evil:host/shell"), "{shown}");
    let module = place.file("module.wasm", wat::parse_str("(module)").unwrap());
    let told = place.hub(&["plugin", "inspect", module.to_str().unwrap()]).failed();
    assert!(told.contains("core module"), "{told}");
}

#[test]
fn a_bill_of_materials_is_shown() {
    let place = Place::new();
    let mut bytes = std::fs::read(component("crm.wasm")).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(br#"{"packages":[{"name":"serde","version":"1.0.200","source":"crates.io"}]}"#).unwrap();
    let packed = zlib.finish().unwrap();
    let name = b".dep-v0";
    // A custom section: its id, its length, the length of its name, the name, the content; all shorter than 128 bytes.
    bytes.extend([0, u8::try_from(packed.len() + name.len() + 1).unwrap(), u8::try_from(name.len()).unwrap()]);
    bytes.extend(name);
    bytes.extend(packed);
    let file = place.file("crm.wasm", bytes);
    let shown = place.hub(&["plugin", "inspect", file.to_str().unwrap(), "--json"]).json();
    assert_eq!(shown["packages"][0]["name"], "serde");
    assert_eq!(shown["loads"], true);
}
