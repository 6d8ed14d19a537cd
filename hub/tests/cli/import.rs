//! Clients from files into a stopped hub.

use serde_json::json;

use crate::support::{Place, person, sample};

fn import(place: &Place, file: &str, more: &[&str]) -> crate::support::Ended {
    place.hub(&[&["import", file, "--org", "demo", "--member", "m-1"], more].concat())
}

#[test]
fn a_second_run_finds_every_line_there() {
    let place = Place::new();
    let file = sample("clients.jsonl");
    assert_eq!(import(&place, &file, &[]).done(), "26 created, 0 already there, 0 refused\n");
    assert_eq!(import(&place, &file, &["--json"]).json(), json!({"created": 0, "alreadyThere": 26, "refused": 0}));
    let entry = place.hub(&["journal", "show", "--limit", "1", "--json"]).json();
    assert_eq!(
        (&entry["kind"], &entry["org"], &entry["action"]),
        (&json!("client.created"), &json!("demo"), &json!("CL003"))
    );
    assert_eq!(entry["actor"], json!({"member": "m-1", "roles": []}));
    assert_eq!((&entry["data"]["status"], &entry["data"]["onboarding"]), (&json!("pending"), &json!(true)));
    // The line's, its request's, and those of the client: its number and its external reference.
    assert_eq!(entry["claims"].as_array().unwrap().len(), 4);
}

#[test]
fn a_portfolio_is_taken_over_without_onboarding() {
    let place = Place::new();
    import(&place, &sample("clients.csv"), &["--status", "active", "--no-onboarding"]).done();
    let entry = place.hub(&["journal", "show", "--limit", "1", "--json"]).json();
    assert_eq!((&entry["data"]["status"], &entry["data"]["onboarding"]), (&json!("active"), &json!(false)));
}

#[test]
fn what_is_refused_is_told_with_its_line_and_reason() {
    let place = Place::new();
    let again = person(1).replace("Ines", "Ana");
    let (first, second) = (
        person(2).replace("\"kind\"", "\"externalReference\":\"X\",\"kind\""),
        person(3).replace("\"kind\"", "\"externalReference\":\"X\",\"kind\""),
    );
    let company = r#"{"kind":"corporate","name":"A","corporate":{"legalName":"A","registrationNumber":"12 3a"}}"#;
    let same = company.replace("12 3a", "123A").replace("\"A\"", "\"B\"");
    let lines = [&person(1), &again, "nonsense", &first, &second, company, &same, "[1]"].join("\n");
    let file = place.file("people.jsonl", &lines);
    let told = import(&place, file.to_str().unwrap(), &[]).failed();
    let expected = "line 2: duplicate-client: another client has this national id and nationality\n\
                    line 3: not JSON, column 2\n\
                    line 5: duplicate-reference: another client has this externalReference\n\
                    line 7: duplicate-client: another client has this registration number in this country\n\
                    line 8: expected an object, found an array\n\
                    3 created, 0 already there, 5 refused\n";
    assert_eq!(told, expected);
    let told = import(&place, file.to_str().unwrap(), &["--org", "other"]);
    assert_eq!(told.code, 2, "an option is given once: {told:?}");
    let other = place.hub(&["import", file.to_str().unwrap(), "--org", "other", "--member", "m-1"]).failed();
    assert!(other.contains("3 created"), "{other}");
}

#[test]
fn equal_lines_make_one_client() {
    let place = Place::new();
    let lines: Vec<String> = (0..500).map(|number| person(number % 100)).collect();
    let file = place.file("people.jsonl", &lines.join("\n"));
    let told = import(&place, file.to_str().unwrap(), &[]).done();
    assert_eq!(told, "100 created, 400 already there, 0 refused\n");
}
