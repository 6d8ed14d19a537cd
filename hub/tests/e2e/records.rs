//! What the hub writes down of decisions and views, and what the commands make of it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{Config, World, repository, run, samples, until};

/// The program, run on this world's data.
fn hub(world: &World, arguments: &[&str]) -> Output {
    let config = world.config_file();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hub"));
    command.args(arguments).arg("--config").arg(config).current_dir(world.folder()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn lines(folder: &Path) -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let all = files.iter().flat_map(|file| {
        let text = std::fs::read_to_string(file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    });
    all.collect()
}

#[test]
fn decisions_are_found_by_the_id_of_a_denial_and_made_again_under_other_files() {
    run(async {
        let world = World::start(Config::default()).await;
        let (org, folder) = (samples::org("records"), world.folder().join("data/decisions"));
        let support = world.member(&org, "m-4", &["RP004"]);
        support.get("/clients/profile").await.ok(200);
        let denied = support.get("/clients/accounts/CL-1").await.denied("CL006");
        let id = denied["decisionId"].as_str().unwrap();
        let record =
            until("the decision is written", || async { lines(&folder).into_iter().find(|line| line["id"] == id) })
                .await;
        for (member, value) in [
            ("member", json!("m-4")),
            ("org", json!(org)),
            ("action", json!("CL006")),
            ("answer", json!("deny")),
            ("target", json!("CL-1")),
        ] {
            assert_eq!(record[member], value, "{record}");
        }
        assert!(record["digest"].as_str().unwrap().starts_with("sha256:") && record["us"].is_number(), "{record}");

        let own = repository().join("policies");
        let same = hub(&world, &["policy", "replay", own.to_str().unwrap()]);
        assert_eq!(same.status.code(), Some(0), "{}", text(&same));
        let other = world.folder().join("other");
        std::fs::create_dir(&other).unwrap();
        for name in ["model.conf", "names.csv", "policy.csv", "conditions.csv"] {
            let changed = std::fs::read_to_string(own.join(name)).unwrap();
            std::fs::write(other.join(name), changed.replace("g, RP004, clnt_list\n", "g, RP004, acct_list\n"))
                .unwrap();
        }
        let told = hub(&world, &["policy", "replay", other.to_str().unwrap()]);
        let said = text(&told);
        assert_eq!(told.status.code(), Some(1), "{said}");
        assert!(
            said.contains(&format!("{org}/m-4 (RP004) gains CL006: 1 decisions, the last {id} (policy.csv:")),
            "{said}"
        );
        assert!(said.contains(&format!("{org}/m-4 (RP004) loses CL001: 1 decisions")), "{said}");
        let json: Value =
            serde_json::from_slice(&hub(&world, &["policy", "replay", other.to_str().unwrap(), "--json"]).stdout)
                .unwrap();
        assert_eq!(json["moved"].as_array().unwrap().len(), 2, "{json}");
        let later = hub(&world, &["policy", "replay", own.to_str().unwrap(), "--from", "2999-01-01T00:00:00Z"]);
        assert_eq!(later.status.code(), Some(1), "nothing was compared: {}", text(&later));
    });
}

#[test]
fn who_viewed_a_client_is_on_the_record_and_a_change_of_it_is_found() {
    run(async {
        let world = World::start(Config::default()).await;
        let org = samples::org("views");
        let admin = world.admin(&org);
        let client = admin.onboard(&samples::company()).await;
        let viewer = world.member(&org, "m-9", &["RP001"]);
        for path in ["profile", "accounts", "device"] {
            viewer.get(&format!("/clients/{path}/{client}")).await.ok(200);
        }
        viewer.get("/clients/profile/CL-NOBODY").await.problem(404, "client-not-found");
        let stream = format!("client/{client}");
        let views = until("the views are on the record", || async {
            let shown = hub(&world, &["journal", "show", "--reads", "--stream", &stream, "--limit", "1000", "--json"]);
            let views: Vec<Value> = text(&shown).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let own: Vec<Value> = views.into_iter().filter(|view| view["actor"]["member"] == "m-9").collect();
            (own.len() == 3).then_some(own)
        })
        .await;
        let actions: Vec<_> = views.iter().map(|view| view["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["CL002", "CL006", "CL007"]);
        assert!(views.iter().all(|view| view["kind"] == "client.viewed" && view["org"] == *org), "{views:?}");
        assert!(views.iter().all(|view| view["data"]["decision"].as_str().unwrap().starts_with("DC-")), "{views:?}");
        assert!(
            world.metric("hub_reads_recorded_total").await >= 3.0 && world.metric("hub_reads_lost_total").await == 0.0
        );

        world.settle().await;
        world.down();
        let whole = hub(&world, &["journal", "verify", "--reads"]);
        assert!(whole.status.success() && text(&whole).starts_with("whole: "), "{}", text(&whole));
        let day = std::fs::read_dir(world.folder().join("data/reads")).unwrap().next().unwrap().unwrap().path();
        let segment = day.join("00000000000000000001.jsonl");
        let changed = std::fs::read_to_string(&segment).unwrap().replacen("\"m-9\"", "\"m-8\"", 1);
        std::fs::write(&segment, changed).unwrap();
        let broken = hub(&world, &["journal", "verify", "--reads"]);
        assert_eq!(broken.status.code(), Some(1), "{}", text(&broken));
    });
}
