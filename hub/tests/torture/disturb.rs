//! What goes wrong, drawn from the seed: kills, ends, outages, faults. Each kind of process has a course of its own, so that
//! outages overlap: it may block its own thread.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::harness::{Nats, World, hub_command};
use crate::places::Systems;

/// How often each thing was done.
#[derive(Debug, Default)]
pub struct Tally {
    pub hub_killed: AtomicU64,
    pub hub_killed_in_start: AtomicU64,
    pub hub_ended: AtomicU64,
    pub rebuilt: AtomicU64,
    pub nats_killed: AtomicU64,
    pub systems_killed: AtomicU64,
    pub faults: AtomicU64,
}

impl Tally {
    /// Every SIGKILL.
    pub fn kills(&self) -> u64 {
        [&self.hub_killed, &self.hub_killed_in_start, &self.nats_killed, &self.systems_killed]
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }
}

fn count(of: &AtomicU64) {
    of.fetch_add(1, Ordering::Relaxed);
}

/// What may be disturbed.
pub struct Scene<'a> {
    pub world: &'a World,
    pub systems: Mutex<Systems>,
    pub nats: Mutex<Option<Nats>>,
    pub nats_port: u16,
    pub tally: Tally,
    pub over: AtomicBool,
    pub seed: u64,
}

impl Scene<'_> {
    fn chance(&self, course: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(7_919).wrapping_add(course))
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// The hub is killed, ended, killed while it starts, and robbed of its state.
    pub async fn hub(&self) {
        let mut chance = self.chance(1);
        while self.goes_on() {
            pause(&mut chance, 200..1_600).await;
            if chance.random_bool(0.12) {
                self.world.down();
                count(&self.tally.hub_ended);
            } else {
                self.world.kill();
                count(&self.tally.hub_killed);
            }
            if chance.random_bool(0.06) {
                let _ = std::fs::remove_dir_all(self.world.folder().join("data/state"));
                count(&self.tally.rebuilt);
            }
            if chance.random_bool(0.3) {
                pause(&mut chance, 0..500).await;
            }
            if chance.random_bool(0.15) {
                self.killed_in_start(&mut chance).await;
            }
            self.world.up();
        }
    }

    async fn killed_in_start(&self, chance: &mut StdRng) {
        let mut command = hub_command(self.world.folder(), &self.world.config_file());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        pause(chance, 1..800).await;
        child.kill().unwrap();
        child.wait().unwrap();
        count(&self.tally.hub_killed_in_start);
    }

    /// NATS is killed; its stream stays on disk.
    pub async fn nats(&self) {
        let mut chance = self.chance(2);
        while self.goes_on() {
            pause(&mut chance, 1_500..6_000).await;
            drop(self.nats.lock().take());
            count(&self.tally.nats_killed);
            pause(&mut chance, 0..1_500).await;
            let nats = Nats::start(self.world.folder(), self.nats_port);
            *self.nats.lock() = Some(nats);
        }
    }

    /// The outside systems are killed, all at once.
    pub async fn systems(&self) {
        let mut chance = self.chance(3);
        while self.goes_on() {
            pause(&mut chance, 1_500..6_000).await;
            self.systems.lock().kill();
            count(&self.tally.systems_killed);
            pause(&mut chance, 0..1_500).await;
            self.systems.lock().up();
        }
    }

    /// One system or another misbehaves for a while.
    pub async fn faults(&self) {
        let mut chance = self.chance(4);
        let http = reqwest::Client::new();
        let control = format!("{}/control", self.world.outside.url);
        while self.goes_on() {
            pause(&mut chance, 200..1_500).await;
            let (system, fault) = fault(&mut chance);
            // They may be down just now.
            if http.post(&control).json(&json!({"system": system, "fault": fault})).send().await.is_ok() {
                count(&self.tally.faults);
            }
            if chance.random_bool(0.3) {
                let _ = http.post(&control).json(&json!({"fault": null})).send().await;
            }
        }
    }

    /// Everything is there again and does what it should.
    pub async fn heal(&self) {
        let http = reqwest::Client::new();
        let control = format!("{}/control", self.world.outside.url);
        http.post(&control).json(&json!({"fault": null})).send().await.unwrap();
    }
}

async fn pause(chance: &mut StdRng, range: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(chance.random_range(range))).await;
}

/// A fault. What has neither key nor look-up mostly gets faults that surely had no effect: an unknown outcome sets a message
/// aside, and enough of those come from the kills.
fn fault(chance: &mut StdRng) -> (&'static str, Value) {
    let system = *["fineract", "espocrm", "match", "scim", "mail", "sms"].choose(chance).unwrap();
    let times = chance.random_range(1..6_u64);
    let gentle = matches!(system, "mail" | "sms") && chance.random_bool(0.9);
    let mut fault = match chance.random_range(0..if gentle { 3 } else { 8 }) {
        0 => json!({"kind": "fail", "status": 503, "retryAfter": 1}),
        1 => json!({"kind": "fail", "status": if gentle { 429 } else { 503 }}),
        2 => json!({"kind": "delay", "ms": chance.random_range(20..900)}),
        3 => json!({"kind": "reset"}),
        4 => json!({"kind": "lose-answer"}),
        5 => json!({"kind": "fail", "status": 500, "afterEffect": chance.random_bool(0.5)}),
        6 => json!({"kind": "nonsense", "form": if chance.random_bool(0.5) { "not-json" } else { "wrong-shape" },
                    "afterEffect": chance.random_bool(0.5)}),
        _ => json!({"kind": "delay", "ms": 3_500, "afterEffect": chance.random_bool(0.5)}),
    };
    fault["count"] = times.into();
    (system, fault)
}
