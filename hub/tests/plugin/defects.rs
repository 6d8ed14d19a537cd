//! Each defect that is planted into an adapter is found, with its own advice; without one nothing is.

use serde_json::Value;

use crate::support::{Place, component, repository};

/// A defect, a part of the name of a case that has to find it, and of the advice.
const DEFECTS: [(&str, &str, &str); 23] = [
    ("health-always-ok", "check-health: 500", "says that all is well"),
    ("health-without-asking", "check-health: nothing disturbs it", "without a request"),
    ("relationship-without-asking", "relationship: nothing disturbs it", "without a request"),
    ("one-key-for-all", "upsert-contact", "was sent for another delivery before"),
    ("calls-a-late-write-harmless", "lost-answer at request 10", "its answer is lost"),
    ("trap-on-missing-email", "a person with nothing but what is required", "the component itself failed"),
    ("trap-without-an-answer", "time-out at request 1", "the component itself failed"),
    ("creates-without-looking", "the same delivery twice", "taken effect twice"),
    ("empty-receipt", "nothing disturbs it", "`external-id` is empty"),
    ("joins-json", "quotes, backslashes", "is no JSON"),
    ("cuts-names", "200 characters", "is not the client's"),
    ("nonsense-means-absent", "a page of HTML at request 1", "created twice"),
    ("takes-a-page-for-done", "a page of HTML at request", "a receipt only for an answer"),
    ("calls-a-lost-write-harmless", "lost-answer at request 2", "its answer is lost"),
    ("rejects-what-is-not-answered", "time-out at request 1", "set aside for good"),
    ("sends-again-by-itself", "lost-answer at request 2", "again by itself"),
    ("follows-redirects", "a redirect elsewhere", "followed a redirect"),
    ("forgets-retry-after", "429 with Retry-After", "was lost"),
    ("rejects-429", "429 with Retry-After", "left alone"),
    ("retries-401", "401", "`unauthorized`"),
    ("retries-422", "422", "`reject`"),
    ("calls-500-harmless", "500 at request 2", "its answer is lost"),
    ("swallows-errors", "500 at request 2", "its answer is lost"),
];

fn checked(defect: &str) -> (i32, Value) {
    let place = Place::new();
    let script = std::fs::read_to_string(repository().join("hub/templates/conformance/crm.toml")).unwrap();
    let known = format!("key_header = \"idempotency-key\"\n{script}");
    let script = place.file("script.toml", known);
    let defect = format!("defect={defect}");
    let ended = place.hub(&[
        "plugin",
        "check",
        &component("fixtures/behaviour.wasm"),
        "--script",
        script.to_str().unwrap(),
        "--setting",
        "behave=register",
        "--setting",
        &defect,
        "--json",
    ]);
    (ended.code, ended.json())
}

fn failures(report: &Value) -> Vec<(String, String)> {
    let text = |case: &Value, name: &str| case[name].as_str().unwrap_or_default().to_owned();
    let cases = report["cases"].as_array().unwrap().iter().filter(|case| case["verdict"] == "fail");
    cases.map(|case| (text(case, "name"), text(case, "lookAt"))).collect()
}

#[test]
fn an_adapter_without_a_defect_passes_whole() {
    let (code, report) = checked("none");
    assert_eq!((code, failures(&report)), (0, Vec::new()));
    assert_eq!(report["skipped"], 0, "{report}");
}

#[test]
fn what_is_not_described_is_found() {
    let (code, report) = checked("undescribed");
    assert_eq!(code, 1);
    assert!(failures(&report)[0].1.contains("relationship"), "{report}");
}

#[test]
fn each_defect_is_found() {
    let missed = std::thread::scope(|scope| {
        // Most of a check is waiting for what does not answer.
        let running: Vec<_> = DEFECTS
            .chunks(3)
            .map(|some| {
                scope.spawn(move || {
                    let missed = some.iter().filter_map(|(defect, case, advice)| {
                        let (code, report) = checked(defect);
                        let found = failures(&report);
                        let right =
                            |(name, look_at): &(String, String)| name.contains(case) && look_at.contains(advice);
                        (code != 1 || !found.iter().any(right)).then(|| format!("{defect}: {found:#?}"))
                    });
                    missed.collect::<Vec<_>>()
                })
            })
            .collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_spins_hogs_traps_or_does_nothing_is_found() {
    let failed = "the component itself failed";
    for (behave, advice) in
        [("trapper", failed), ("memory-hog", failed), ("spinner", failed), ("echo", "nothing at the")]
    {
        let place = Place::new();
        let behave = format!("behave={behave}");
        let fixture = component("fixtures/behaviour.wasm");
        let text = place.hub(&["plugin", "check", &fixture, "--setting", &behave]).failed();
        assert!(text.contains(advice), "{text}");
    }
}

#[test]
fn a_simulator_that_is_not_there_proves_nothing() {
    let place = Place::new();
    let fixture = component("fixtures/behaviour.wasm");
    let nobody = ["--setting", "behave=register", "--upstream", "api=http://127.0.0.1:1"];
    let text = place.hub(&[&["plugin", "check", &fixture][..], &nobody].concat()).failed();
    assert!(text.contains("the simulator at"), "{text}");
}

#[test]
fn a_name_that_the_adapter_does_not_know_is_refused() {
    let place = Place::new();
    let fixture = component("fixtures/behaviour.wasm");
    for (given, told) in [
        (
            ["--setting", "behav=register"],
            "the setting `behav` is given, but the adapter does not say that it reads it",
        ),
        (["--upstream", "ap=http://127.0.0.1:1"], "it calls: api"),
    ] {
        let ended = place.hub(&[&["plugin", "check", &fixture][..], &given].concat());
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
    }
}
