//! Checking, reading, exporting and cutting the journal.

use serde_json::json;

use crate::support::Place;

#[test]
fn a_whole_journal_is_verified_shown_and_exported() {
    let place = Place::new().with_clients();
    let verified = place.hub(&["journal", "verify", "--json"]);
    assert_eq!(verified.code, 0);
    let verified = verified.json();
    assert_eq!(
        (&verified["whole"], &verified["entries"], &verified["broken"]),
        (&json!(true), &json!(48), &json!(null))
    );
    assert!(place.hub(&["journal", "verify"]).done().starts_with("whole: 48 entries"));

    let shown = place.hub(&["journal", "show", "--from", "10", "--to", "12"]).done();
    assert_eq!(shown.lines().count(), 3);
    assert!(shown.lines().next().unwrap().contains("client.created"), "{shown}");
    assert_eq!(place.hub(&["journal", "show", "--org", "nobody"]).done(), "");
    assert_eq!(place.hub(&["journal", "show", "--limit", "7"]).done().lines().count(), 7);

    let stored = std::fs::read_to_string(place.store().join("journal/00000000000000000001.jsonl")).unwrap();
    assert_eq!(place.hub(&["journal", "export"]).done(), stored);
    let told = place.hub(&["journal", "export", "--out", "all.jsonl", "--json"]).json();
    assert_eq!(told, json!({"entries": 48, "file": "all.jsonl"}));
    assert_eq!(std::fs::read_to_string(place.path().join("all.jsonl")).unwrap(), stored);
    let refused = place.hub(&["journal", "export", "--out", "all.jsonl", "--from", "40"]).failed();
    assert!(refused.contains("all.jsonl"), "{refused}");
    assert_eq!(std::fs::read_to_string(place.path().join("all.jsonl")).unwrap(), stored);
}

#[test]
fn an_end_that_is_missing_is_told() {
    let place = Place::new().with_clients();
    let (segment, head) =
        (place.store().join("journal/00000000000000000001.jsonl"), place.store().join("journal/head"));
    let whole = std::fs::read_to_string(&segment).unwrap();
    let most: String = whole.split_inclusive('\n').take(20).collect();
    for left in [&most[..], &whole[..whole.len() - 50], ""] {
        std::fs::write(&segment, left).unwrap();
        place.hub(&["journal", "verify"]).failed();
        let told = place.hub(&["journal", "export", "--out", "half.jsonl"]).failed();
        assert!(told.contains("but entries up to seq 48 were answered"), "{told}");
        assert!(!place.path().join("half.jsonl").exists());
        let told = place.hub(&["journal", "show", "--from", "40"]).failed();
        assert!(told.contains("but entries up to seq 48 were answered"), "{told}");
    }
    std::fs::write(&segment, &most).unwrap();
    assert_eq!(place.hub(&["journal", "show", "--to", "10"]).done().lines().count(), 10);

    // Without the file that says where the end was, nobody knows whether it is there.
    std::fs::write(&segment, &whole).unwrap();
    std::fs::write(&head, "rubbish").unwrap();
    assert!(place.hub(&["journal", "verify"]).done().contains("the file head is missing or can't be read"));
    std::fs::remove_file(&head).unwrap();
    let verified = place.hub(&["journal", "verify", "--json"]).json();
    assert_eq!((&verified["whole"], &verified["endKnown"]), (&json!(true), &json!(false)));
    let opened = place.hub(&["state", "rebuild"]);
    assert!(opened.code == 0 && opened.err.contains("the journal's file head was missing"), "{opened:?}");
    let verified = place.hub(&["journal", "verify", "--json"]).json();
    assert_eq!((&verified["whole"], &verified["endKnown"]), (&json!(true), &json!(true)));
}

#[test]
fn damage_is_named_and_cut_off_by_decision() {
    let place = Place::new().with_clients();
    let segment = place.store().join("journal/00000000000000000001.jsonl");
    let whole = std::fs::read_to_string(&segment).unwrap();
    let line = whole.lines().nth(29).unwrap();
    std::fs::write(&segment, whole.replacen(line, &line.replace("client.created", "client.created2"), 1)).unwrap();

    let broken = place.hub(&["journal", "verify", "--json"]);
    assert_eq!(broken.code, 1);
    let broken = broken.json();
    assert_eq!((&broken["whole"], &broken["broken"]["seq"]), (&json!(false), &json!(30)));
    let place_of_line = whole.find(line).unwrap();
    assert_eq!(broken["broken"]["offset"], json!(place_of_line));
    let told = place.hub(&["journal", "verify"]).failed();
    assert!(told.contains("broken: 00000000000000000001.jsonl at byte"), "{told}");
    let refused = place.hub(&["state", "rebuild"]).failed();
    assert!(refused.contains("hub journal cut --at"), "{refused}");
    let exported = place.hub(&["journal", "export", "--out", "half.jsonl"]).failed();
    assert!(exported.contains("seq 30"), "{exported}");
    assert!(!place.path().join("half.jsonl").exists());

    let at = broken["broken"]["cutAt"].to_string();
    let cut = place.hub(&["journal", "cut", "--at", &at, "--reason", "disk failure", "--json"]);
    assert_eq!(cut.code, 0, "{cut:?}");
    let cut = cut.json();
    assert!(place.store().join("journal").join(cut["kept"].as_str().unwrap()).exists());
    assert!(place.hub(&["journal", "verify"]).done().starts_with("whole: 30 entries"));
    let decision = place.hub(&["journal", "show", "--kind", "journal.cut", "--json"]).json();
    assert_eq!((&decision["data"]["reason"], &decision["org"]), (&json!("disk failure"), &json!("operators")));
    // The state had the entries that are gone.
    assert_eq!(place.hub(&["state", "rebuild"]).done(), "rebuilt: 29 clients from 30 entries\n");
}
