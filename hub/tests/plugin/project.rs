//! From an empty folder to a checked adapter.

use crate::support::Place;

const WORLDS: [&str; 5] = ["crm", "core-banking", "identity", "kyc", "messaging"];

#[test]
fn a_rust_project_of_each_world_builds_and_holds_at_once() {
    let place = Place::new();
    for world in WORLDS {
        let (name, of) = (format!("acme-{world}"), format!("{world}-adapter"));
        place.hub(&["plugin", "new", "--world", &of, "--language", "rust", &name]).done();
        let built = place.hub(&["plugin", "build", &name, "--out", "dist", "--json"]);
        assert_eq!(built.code, 0, "{world}: {}", built.err);
        let component = format!("dist/{name}.wasm");
        assert!(built.json()["component"].as_str().unwrap().ends_with(&component));
        let shown = place.hub(&["plugin", "inspect", &component, "--json"]).json();
        assert_eq!(shown["world"], of);
        let script = format!("{name}/conformance.toml");
        let text = place.hub(&["plugin", "check", &component, "--script", &script]).done();
        assert!(text.contains("it holds"), "{text}");
    }
}

#[test]
fn nothing_is_overwritten_and_no_world_is_guessed() {
    let place = Place::new();
    let new = ["plugin", "new", "--world", "crm-adapter", "--language", "rust", "acme-crm"];
    place.hub(&new).done();
    assert!(place.hub(&new).failed().contains("there already"));
    let wrong = place.hub(&["plugin", "new", "--world", "ledger-adapter", "--language", "rust", "acme"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("messaging-adapter"), "{}", wrong.err);
    let empty = place.hub(&["plugin", "build", "."]).failed();
    assert!(empty.contains("hub plugin new"), "{empty}");
}

#[test]
fn a_project_in_another_language_is_whole_and_says_what_it_needs() {
    let place = Place::new();
    for world in WORLDS {
        for (language, tool) in [("python", "componentize-py"), ("js", "componentize-js")] {
            let (name, of) = (format!("acme-{world}-{language}"), format!("{world}-adapter"));
            place.hub(&["plugin", "new", "--world", &of, "--language", language, &name]).done();
            for file in ["README.md", "conformance.toml", "wit/types.wit", "wit/host.wit"] {
                assert!(place.path().join(&name).join(file).is_file(), "{name}: {file}");
            }
            if world != "crm" {
                continue;
            }
            let built = place.hub(&["plugin", "build", &name, "--out", "dist"]);
            // Where the toolchain happens to be installed the project builds, and holds.
            if built.code == 0 {
                let script = format!("{name}/conformance.toml");
                place.hub(&["plugin", "check", &format!("dist/{name}.wasm"), "--script", &script]).done();
            } else {
                assert!(built.err.contains(tool) && built.err.contains("install"), "{}", built.err);
            }
        }
    }
}
