//! The data of a stopped hub, and of one that runs meanwhile.

use hub::domain::delivery::Adapter;
use hub::startup::data;
use serde_json::json;

use crate::support::Place;

#[test]
fn the_state_is_made_again_from_the_journal() {
    let place = Place::new().with_clients();
    std::fs::remove_dir_all(place.store().join("state")).unwrap();
    assert_eq!(place.hub(&["state", "rebuild", "--json"]).json(), json!({"entries": 48, "clients": 48}));
    assert_eq!(place.hub(&["state", "rebuild"]).done(), "rebuilt: 48 clients from 48 entries\n");
}

#[test]
fn what_is_owed_is_told_for_each_configured_adapter() {
    let place =
        Place::new().with("HUB_ADAPTERS__CRM__COMPONENT", "crm.wasm").with("HUB_ADAPTERS__KYC__COMPONENT", "kyc.wasm");
    let place = place.with_clients();
    let told = place.hub(&["sync", "status"]).done();
    let rows: Vec<Vec<&str>> = told.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["adapter", "owed", "lagSeconds", "parked"]);
    assert_eq!((rows[1][0], rows[2][0]), ("crm", "kyc"));
    assert_eq!(rows[2][1], "48", "{told}");
    assert_eq!(place.hub(&["sync", "parked", "--json"]).done(), "");
    // To look is not to write.
    assert!(place.hub(&["journal", "verify"]).done().starts_with("whole: 48 entries"));
}

#[test]
fn a_running_hubs_data_is_read_and_never_written() {
    let place = Place::new().with_clients();
    let running = data::open(&place.store(), &[Adapter::Crm], None, |_, _| {}).unwrap();
    assert!(place.hub(&["journal", "verify"]).done().starts_with("whole: 48 entries"));
    assert_eq!(place.hub(&["journal", "show", "--limit", "5"]).done().lines().count(), 5);
    let pid = format!("is held by process {}", std::process::id());
    for refused in [&["state", "rebuild"][..], &["journal", "cut", "--at", "9", "--reason", "x"]] {
        let told = place.hub(refused).failed();
        assert!(told.contains(&pid), "{told}");
    }
    assert_eq!(running.state.clients(), 48);
    drop(running);
    let after = data::open(&place.store(), &[Adapter::Crm], None, |_, _| {}).unwrap();
    assert!(after.rebuilt.is_none());
}
