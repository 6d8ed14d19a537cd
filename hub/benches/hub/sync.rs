//! How fast what is owed is delivered: after an outage, and when nothing is wrong; the backends run beside the hub.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::data;
use crate::report::{Row, median};
use crate::servers::Server;

/// What is owed after the outage.
const OWED: u64 = 100_000;
const ALONE_PER_SECOND: f64 = 1_000.0;
const SUM_PER_SECOND: f64 = 2_000.0;
const MORE_MEMORY_MIB: f64 = 150.0;
const VISIBLE_MS: f64 = 50.0;
/// A dead neighbour may cost so much more, as a share: what the clock and the machine differ by.
const BESIDE_A_DEAD_ONE: f64 = 1.25;
/// Edits that are followed to the CRM, one after the other.
const EDITS: usize = 60;
/// Between two looks at what is still owed.
const LOOK: Duration = Duration::from_millis(100);
/// The mirrors: each owes every client that was taken over.
const MIRRORS: [&str; 3] = ["core-banking", "crm", "identity"];
/// Adapters against the simulation, as `hub demo` has them.
const ADAPTERS: &str = include_str!("../../src/startup/demo.toml");

pub fn delivery() -> Vec<Row> {
    let rest = at_rest();
    let (alone, alone_memory) = backlog(OWED, &["crm"]);
    let (sum, sum_memory) = backlog(OWED / MIRRORS.len() as u64, &MIRRORS);
    let more = alone_memory.max(sum_memory) - rest;
    let (usual, beside) = visible();
    vec![
        Row::least("owed to one adapter, delivered", "/s", alone, ALONE_PER_SECOND),
        Row::least("owed to three adapters, delivered", "/s", sum, SUM_PER_SECOND),
        Row::most("more memory meanwhile than at rest", "MiB", more, MORE_MEMORY_MIB),
        Row::most("an edit is visible in the CRM after", "ms", usual, VISIBLE_MS),
        Row::most("the same beside a dead adapter, as a share", "", beside / usual, BESIDE_A_DEAD_ONE),
    ]
}

/// A hub's configuration with some adapters, below a store; and the simulation that they speak to.
struct World {
    outside: Server,
    config: PathBuf,
    http: reqwest::Client,
    runtime: Runtime,
}

impl World {
    fn new(store: &Path, adapters: &[&str]) -> Self {
        let outside = Server::floor("outside", store);
        let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist");
        for (name, secret) in [("basic", "hub:secret"), ("key", "secret-key"), ("api-key", "ApiKey secret")] {
            std::fs::write(store.join(name), secret).unwrap();
        }
        let sections = ADAPTERS.split("\n\n").filter(|section| {
            let name = section.lines().next().unwrap_or_default();
            adapters.iter().any(|adapter| name == format!("[adapters.{adapter}]"))
        });
        let text = sections.collect::<Vec<_>>().join("\n\n");
        let text = text.replace("{plugins}", dist.to_str().unwrap()).replace("{secrets}", store.to_str().unwrap());
        let config = store.join("bench.toml");
        std::fs::write(&config, text.replace("{backends}", &format!("http://{}", outside.address))).unwrap();
        Self { outside, config, http: reqwest::Client::new(), runtime: Runtime::new().unwrap() }
    }

    /// A GET's body; nothing while the server is too busy to answer.
    fn get(&self, url: String) -> Option<String> {
        self.runtime.block_on(async { self.http.get(url).send().await.ok()?.text().await.ok() })
    }

    /// Switches a disturbance of one outside system on.
    fn disturb(&self, system: &str) {
        let body = json!({"system": system, "fault": {"kind": "reset"}});
        let sent = self.http.post(format!("http://{}/control", self.outside.address)).json(&body).send();
        assert!(self.runtime.block_on(sent).unwrap().status().is_success());
    }

    /// Lanes that are owed something, over all adapters.
    fn owed(&self, hub: &Server) -> Option<u64> {
        let metrics = self.get(format!("http://{}/metrics", hub.address))?;
        let lines = metrics.lines().filter(|line| line.starts_with("hub_sync_owed{"));
        Some(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64)
    }
}

/// Resident memory with as many clients and no adapter, MiB.
fn at_rest() -> f64 {
    let folder = data::folder();
    data::filled(folder.path(), OWED);
    let hub = Server::hub(folder.path(), None);
    std::thread::sleep(Duration::from_secs(2));
    hub.resident_mib()
}

/// Clients that were taken over while every outside system was away: deliveries per second once they are there, and the
/// most memory meanwhile, MiB.
fn backlog(clients: u64, adapters: &[&str]) -> (f64, f64) {
    let folder = data::folder();
    data::filled(folder.path(), clients);
    let world = World::new(folder.path(), adapters);
    let hub = Server::hub(folder.path(), Some(&world.config));
    let began = Instant::now();
    let mut most: f64 = 0.0;
    while world.owed(&hub).is_none_or(|owed| owed > 0) {
        most = most.max(hub.resident_mib());
        std::thread::sleep(LOOK);
    }
    let deliveries = clients * adapters.len() as u64;
    (deliveries as f64 / began.elapsed().as_secs_f64(), most)
}

/// How long after its answer an edit is visible in the CRM, ms: usually, and while core banking is dead.
fn visible() -> (f64, f64) {
    let folder = data::folder();
    let references = data::filled(folder.path(), 2 * EDITS as u64);
    let world = World::new(folder.path(), &MIRRORS);
    let hub = Server::hub(folder.path(), Some(&world.config));
    while world.owed(&hub).is_none_or(|owed| owed > 0) {
        std::thread::sleep(LOOK);
    }
    let token = data::tokens(folder.path(), 1).remove(0);
    let (first, second) = references.split_at(EDITS);
    let follow = |references: &[String]| {
        median(references.iter().enumerate().map(|(number, reference)| {
            let mut body = data::company(number as u64);
            body["corporate"]["registrationNumber"] = json!(format!("HRB {reference}"));
            body["segment"] = json!("corporate");
            body["email"] = json!(format!("{}@new.example", reference.to_lowercase()));
            world.follow((&hub, &token), reference, &body)
        }))
    };
    let usual = follow(first);
    world.disturb("fineract");
    (usual, follow(second))
}

impl World {
    /// Edits a client; from the answer until the CRM has the new address, ms.
    fn follow(&self, (hub, token): (&Server, &str), reference: &str, body: &Value) -> f64 {
        let url = format!("http://{}/clients/profile/{reference}", hub.address);
        let edit = self.http.request(Method::PUT, url).bearer_auth(token).json(body).send();
        let answer = self.runtime.block_on(edit).unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let began = Instant::now();
        let address = body["email"].as_str().unwrap();
        let url = format!("http://{}/control/state?system=espocrm&reference={reference}", self.outside.address);
        while !self.get(url.clone()).is_some_and(|state| state.contains(address)) {
            std::thread::sleep(Duration::from_millis(1));
        }
        began.elapsed().as_secs_f64() * 1000.0
    }
}
