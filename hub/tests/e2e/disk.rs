//! A disk that is full: changes are refused, everything else goes on, also over a restart.

use serde_json::{Value, json};

use crate::faults::{ask_for, ready, world};
use crate::harness::{World, free_port, in_step, run, samples, until};

fn part(ready: &Value, name: &str) -> Value {
    let parts = ready["parts"].as_array().unwrap();
    parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("no {name}: {ready}")).clone()
}

async fn is_refused(world: &World, reference: &str) {
    let admin = world.admin("full");
    // A favourite is owed to nobody.
    let star = format!("/clients/starred/{reference}");
    until("changes are refused", || async { (admin.post(&star, &json!({})).await.status == 503).then_some(()) }).await;
    admin.post("/clients/profile", &samples::company()).await.problem(503, "storage-unavailable");
    admin.delete(&format!("/clients/profile/{reference}")).await.problem(503, "storage-unavailable");
    crate::operations::submit(&admin, reference, b"%PDF-1.7\n").await.problem(503, "storage-unavailable");
    assert!(std::fs::read_dir(world.folder().join("data/documents/incoming")).unwrap().next().is_none());
    let journal = part(&ready(world).await, "journal");
    assert_eq!(journal["detail"], "too little free space: changes are refused", "{journal}");
}

#[test]
fn a_full_disk_stops_changes_and_nothing_else_also_over_a_restart() {
    run(async {
        let world = world(free_port()).await;
        let admin = world.admin("full");
        let reference = admin.onboard(&samples::company()).await;
        let path = format!("/clients/profile/{reference}");
        let before = admin.get(&path).await.ok(200);
        let same = |client: Value| ["reference", "version", "status"].map(|member| client[member].clone());

        ask_for(&world, "disk", "error 1000000");
        is_refused(&world, &reference).await;
        assert_eq!(same(admin.get(&path).await.ok(200)), same(before.clone()));

        for stop in [World::kill, World::down] {
            stop(&world);
            world.up();
            assert_eq!(same(admin.get(&path).await.ok(200)), same(before.clone()));
            assert_eq!(admin.get("/clients/profile").await.ok(200)["total"], 1);
            is_refused(&world, &reference).await;
        }

        std::fs::remove_file(world.folder().join("faults/disk")).unwrap();
        until("changes are taken again", || async { (admin.delete(&path).await.status == 200).then_some(()) }).await;
        until("what the starts had to say is in the journal", || async {
            world.log().contains("what the start had to write down is in the journal").then_some(())
        })
        .await;
        admin.client_when(&reference, "the archive is outside", in_step).await;
        let now = ready(&world).await;
        assert_eq!((&part(&now, "journal")["status"], &part(&now, "state")["status"]), (&"ok".into(), &"ok".into()));
    });
}
