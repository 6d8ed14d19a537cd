//! What the systems keep when they are killed and started again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::Client;
use serde_json::{Value, json};

fn started(folder: &Path) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backends"));
    command.args(["--seed", "7", "--data"]).arg(folder).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let base = line.trim().strip_prefix("ready ").unwrap().to_owned();
    (child, base)
}

async fn state(client: &Client, base: &str) -> Value {
    let mut state: Value = client.get(format!("{base}/control/state")).send().await.unwrap().json().await.unwrap();
    // Made of the present moment.
    for user in state["systems"]["scim"]["users"].as_array_mut().unwrap() {
        user.as_object_mut().unwrap().remove("meta");
    }
    for device in state["systems"]["scim"]["devices"].as_array_mut().unwrap() {
        for name in ["meta", "enrolledAt"] {
            device.as_object_mut().unwrap().remove(name);
        }
    }
    state
}

#[tokio::test]
async fn what_took_effect_is_there_after_a_kill_and_the_end_of_a_torn_line_is_not() {
    let folder = std::env::temp_dir().join(format!("backends-{}", std::process::id()));
    let client = Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let (mut child, base) = started(&folder);
    let post = async |path: &str, body: Value| {
        let request = client.post(format!("{base}{path}")).bearer_auth("token").json(&body);
        assert!(request.send().await.unwrap().status().is_success(), "{path}");
    };
    let user =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "u", "externalId": "CL-1"});
    post("/scim/Users", user).await;
    post("/control/devices", json!({"externalId": "CL-1", "op": "enrol", "set": {"label": "Mine"}})).await;
    let before = state(&client, &base).await;
    assert!(before["effects"].as_array().unwrap().len() >= 4, "{before}");
    child.kill().unwrap();
    child.wait().unwrap();
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    std::fs::OpenOptions::new().append(true).open(file).unwrap().write_all(b"{\"at\":\"20").unwrap();
    for _ in 0..2 {
        let (mut child, base) = started(&folder);
        assert_eq!(state(&client, &base).await, before);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    std::fs::remove_dir_all(folder).unwrap();
}
