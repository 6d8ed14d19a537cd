//! From an empty folder to a checked adapter.

use std::os::unix::fs::symlink;

use crate::support::{Place, repository, tools};

/// What the README of a project has a vendor do, once the tools are there.
const STEPS: [&str; 4] = ["test", "build", "look at it", "check it against the contract"];
const WORLDS: [&str; 5] = ["crm", "core-banking", "identity", "kyc", "messaging"];

#[test]
fn a_rust_project_of_each_world_builds_and_holds_at_once() {
    let place = Place::new();
    for world in WORLDS {
        let name = place.project(world, "rust");
        let built = place.hub(&["plugin", "build", &name, "--out", "dist", "--json"]);
        assert_eq!(built.code, 0, "{world}: {}", built.err);
        let component = format!("dist/{name}.wasm");
        assert!(built.json()["component"].as_str().unwrap().ends_with(&component));
        let shown = place.hub(&["plugin", "inspect", &component, "--json"]).json();
        assert_eq!(shown["world"], format!("{world}-adapter"));
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
    for (language, tool) in [("python", "componentize-py"), ("js", "componentize-js")] {
        for world in WORLDS {
            let project = place.project(world, language);
            for file in ["README.md", "conformance.toml", "wit/types.wit", "wit/host.wit"] {
                assert!(place.path().join(&project).join(file).is_file(), "{project}: {file}");
            }
        }
        let without = format!("PATH= {} plugin build acme-crm-{language} --out dist", env!("CARGO_BIN_EXE_hub"));
        let refused = place.shell(".", &without, "").failed();
        assert!(refused.contains(tool) && refused.contains("install"), "{refused}");
    }
}

#[test]
fn what_a_rust_project_says_of_itself_can_be_followed() {
    let place = Place::new();
    let project = place.project("crm", "rust");
    place.follow(&project, "", &STEPS);
}

#[test]
fn a_python_project_of_each_world_can_be_followed() {
    let Some(tools) = tools("python", "crm-python") else { return };
    of_each_world("python", &tools, (".venv", "target/examples/python"));
}

#[test]
fn a_javascript_project_of_each_world_can_be_followed() {
    let Some(tools) = tools("js", "messaging-js") else { return };
    of_each_world("js", &tools, ("node_modules", "target/examples/js/node_modules"));
}

/// What `make examples` has got stands in the place of what the first step installs, which needs a network.
fn of_each_world(language: &str, tools: &str, (installed, from): (&str, &str)) {
    let place = Place::new();
    for world in WORLDS {
        let project = place.project(world, language);
        symlink(repository().join(from), place.path().join(&project).join(installed)).unwrap();
        // A whole check compiles for long and plays every disturbance: that of one world is enough.
        place.follow(&project, tools, if world == "crm" { &STEPS } else { &STEPS[..3] });
    }
}

impl Place {
    fn project(&self, world: &str, language: &str) -> String {
        let name = format!("acme-{world}-{language}");
        let of = format!("{world}-adapter");
        self.hub(&["plugin", "new", "--world", &of, "--language", language, &name]).done();
        name
    }

    /// Follows some rows of the table in the project's own README.
    fn follow(&self, project: &str, tools: &str, steps: &[&str]) {
        let readme = std::fs::read_to_string(self.path().join(project).join("README.md")).unwrap();
        for step in steps {
            let rest = readme.lines().find_map(|line| line.strip_prefix(&format!("| {step} | `")));
            let line = rest.and_then(|rest| rest.strip_suffix("` |")).unwrap_or_else(|| panic!("{step}: {readme}"));
            let ended = self.shell(project, line, tools);
            assert_eq!(ended.code, 0, "{project}, {line}: {}\n{}", ended.out, ended.err);
        }
    }
}
