//! The operator: looks at what was set aside, and gives up what nobody can know, so that its lane goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Member, World};

/// What is set aside, as the hub shows it; nothing where it can't be asked.
pub async fn parked(operator: &Member<'_>) -> Option<Vec<Value>> {
    let path = "/admin/sync/parked?limit=200";
    let response = operator.request(reqwest::Method::GET, path).send().await.ok()?;
    let body: Value = response.json().await.ok()?;
    body["items"].as_array().cloned()
}

/// Gives up what is `outcome-unknown`. Says how many; `None` where this hub can't.
pub async fn give_up(operator: &Member<'_>) -> Option<u64> {
    let mut given_up = 0;
    for item in parked(operator).await? {
        if item["reason"] != "outcome-unknown" {
            continue;
        }
        let path = format!("/admin/sync/parked/{}/discard", item["id"].as_str()?);
        let body = json!({"reason": "nobody can know whether it went out"});
        let response = operator.request(reqwest::Method::POST, &path).json(&body).send().await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        given_up += 1;
    }
    Some(given_up)
}

/// Works beside the members until the round is over.
pub async fn work(world: &World, over: &AtomicBool, given_up: &AtomicU64) {
    let operator = world.operator();
    while !over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        given_up.fetch_add(give_up(&operator).await.unwrap_or(0), Ordering::Relaxed);
    }
}

/// How many lanes are owed something; `None` where the hub can't be asked.
pub async fn owed(world: &World) -> Option<f64> {
    let text = world.http.get(format!("{}/metrics", world.url())).send().await.ok()?.text().await.ok()?;
    let of = |line: &&str| line.starts_with("hub_sync_owed{");
    Some(text.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
}
