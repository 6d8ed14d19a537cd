//! The policy admin's tools, on the product's own policies and on broken ones.

use std::path::Path;

use serde_json::json;

use crate::support::{Place, policies};

fn copied(place: &Place, change: impl Fn(&str, String) -> String) -> String {
    let (from, to) = (policies(), place.path().join("policies"));
    for folder in ["", "tests"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
        for file in std::fs::read_dir(Path::new(&from).join(folder)).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                let name = file.file_name().into_string().unwrap();
                let content = change(&name, std::fs::read_to_string(file.path()).unwrap());
                std::fs::write(to.join(folder).join(&name), content).unwrap();
            }
        }
    }
    to.to_str().unwrap().to_owned()
}

#[test]
fn the_products_own_policies_pass() {
    let place = Place::new();
    let own = policies();
    assert!(place.hub(&["policy", "check", &own]).done().starts_with("ok: "));
    assert!(place.hub(&["policy", "test", &own]).done().contains(" 0 different"));
    let kept = std::fs::read_to_string(Path::new(&own).join("matrix.txt")).unwrap();
    assert_eq!(place.hub(&["policy", "matrix", &own]).done(), kept);
    assert_eq!(place.hub(&["policy", "matrix", &own, "--diff", &own]).done(), "no difference\n");
    let configured = Place::new().with("HUB_POLICIES__PATH", &own);
    assert_eq!(configured.hub(&["policy", "check", "--json"]).json()["findings"], json!([]));
}

#[test]
fn what_is_wrong_or_different_fails_and_is_named() {
    let place = Place::new();
    let missing = place.hub(&["policy", "check", "nowhere"]).failed();
    assert!(missing.contains("policy.csv"), "{missing}");
    let broken = copied(&place, |name, text| if name == "policy.csv" { text + "p, clnt_list, CL099\n" } else { text });
    let findings = place.hub(&["policy", "check", &broken, "--json"]);
    assert_eq!(findings.code, 1);
    assert_eq!(findings.json()["findings"][0]["file"], "policy.csv");

    let wider = copied(&place, |name, text| if name == "policy.csv" { text + "g, RP004, acct_list\n" } else { text });
    let told = place.hub(&["policy", "matrix", &policies(), "--diff", &wider]).failed();
    assert_eq!(told, "RP004 CL006: ✗ → ✓\n");
    let told = place.hub(&["policy", "test", &wider]).failed();
    assert!(told.contains("different") && told.contains("matrix.txt is not what the files grant"), "{told}");
    let wrong = copied(&place, |name, text| if name == "assigned.yaml" { text.replace("deny", "allow") } else { text });
    let findings = place.hub(&["policy", "check", &wrong, "--json"]).json()["findings"].clone();
    let lines = std::fs::read_to_string(Path::new(&wrong).join("tests/assigned.yaml")).unwrap();
    for finding in findings.as_array().unwrap() {
        let line = usize::try_from(finding["line"].as_u64().unwrap()).unwrap();
        let name =
            lines.lines().nth(line - 1).unwrap().trim_start_matches("- name:").trim().trim_matches('"').to_owned();
        assert!(finding["message"].as_str().unwrap().starts_with(&name), "{finding} is not on the line of {name}");
    }
    assert_ne!(findings, json!([]));

    let untried = copied(&place, |_, text| text);
    std::fs::remove_dir_all(Path::new(&untried).join("tests")).unwrap();
    assert!(place.hub(&["policy", "test", &untried]).failed().contains("0 decisions tried"));
}

#[test]
fn a_pipe_in_the_folder_is_refused_and_not_waited_for() {
    let place = Place::new();
    for file in ["policy.csv", "tests/pipe.yaml"] {
        let folder = copied(&place, |_, text| text);
        let path = Path::new(&folder).join(file);
        drop(std::fs::remove_file(&path));
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let told = place.hub(&["policy", "check", &folder]).failed();
        assert!(told.contains(&format!("{file}: it is not a regular file")), "{told}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_decision_is_explained() {
    let place = Place::new();
    let own = policies();
    let ask = ["policy", "explain", &own, "--role", "RP002", "--member", "m-2", "--org", "demo", "--action", "CL004"];
    let denied = place.hub(&[&ask[..], &["--client", "CL-1"]].concat()).done();
    assert!(denied.starts_with("deny CL004 by P_BO_002"), "{denied}");
    let allowed = place.hub(&[&ask[..], &["--client", "CL-1", "--assigned-to", "m-2", "--json"]].concat()).json();
    assert_eq!(allowed["allowed"], true);
}
