//! One round from beginning to end.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::book::Book;
use crate::check::{self, Evidence};
use crate::disturb::{Scene, Tally};
use crate::harness::{Config, Nats, World, repository, run};
use crate::operator;
use crate::places::{Systems, lasting_port};
use crate::work::{Shop, Worker};

const WORKERS: u64 = 8;
/// Above this many owed lanes the members wait, so that the end of the round does not last longer than the round.
const FULL: f64 = 250.0;
/// How long it may take after the round until nothing is owed any more.
const CATCH_UP: Duration = Duration::from_secs(180);

/// How long a round is, and what it draws from.
pub struct Plan {
    pub name: &'static str,
    pub seed: u64,
    pub kills: u64,
    pub time: Duration,
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.trim().parse().ok())
}

impl Plan {
    /// The round of `make test`: always the same seed, unless somebody says another.
    pub fn short() -> Self {
        Self { name: "short", seed: number("SEED").unwrap_or(1), kills: 25, time: Duration::from_secs(35) }
    }

    /// The round of `make torture`.
    pub fn long() -> Self {
        Self {
            name: "long",
            seed: number("SEED").unwrap_or_else(rand::random),
            kills: number("KILLS").unwrap_or(300),
            time: Duration::from_secs(number("SECONDS").unwrap_or(1_200)),
        }
    }
}

fn config(systems: &Systems, nats_port: u16) -> Config {
    // 50 ms at first, then every second for a minute: longer than anything stays broken here.
    let pauses: Vec<String> = std::iter::once("\"50ms\", \"100ms\", \"250ms\", \"500ms\"".to_owned())
        .chain(std::iter::repeat_n("\"1s\"".to_owned(), 60))
        .collect();
    Config {
        listen: format!("127.0.0.1:{}", lasting_port()),
        sync: format!("retry = [{}]\nbreaker = {{ failures = 8, window_s = 2, open_s = 1 }}", pauses.join(", ")),
        more: format!("[nats]\nurl = \"nats://127.0.0.1:{nats_port}\"\n"),
        outside: Some(systems.url()),
        strict: false,
        ..Config::default()
    }
}

/// Plays a round and judges it.
pub fn play(plan: Plan) {
    let Plan { name, seed, kills, time } = plan;
    println!("{name} round: SEED={seed}, at most {kills} kills and {} s", time.as_secs());
    let systems_folder = tempfile::tempdir().unwrap();
    let systems = Systems::start(systems_folder.path());
    let nats_port = lasting_port();
    let world = run(World::prepare(config(&systems, nats_port)));
    let nats = Mutex::new(Some(Nats::start(world.folder(), nats_port)));
    world.up();
    let (systems, tally, over) = (Mutex::new(systems), Tally::default(), false.into());
    let scene = Scene { world: &world, systems, nats, nats_port, tally, over, seed };
    let (book, given_up, started) = (Book::new(), AtomicU64::new(0), Instant::now());
    let shop = Shop::new(&world, &book, (time.as_secs() * 4).clamp(60, 900));
    disturbed(&scene, &shop, &given_up, (kills, time));
    let disturbed_for = started.elapsed();
    let mut evidence = Evidence::new(&world, &book, nats_port);
    let findings = run(async {
        scene.heal().await;
        evidence.caught_up = caught_up(&world, &given_up).await;
        check::all(&mut evidence).await
    });
    println!(
        "{}{} s disturbed, {} s in all",
        summary(&scene.tally, &evidence, given_up.load(Ordering::Relaxed)),
        disturbed_for.as_secs(),
        started.elapsed().as_secs()
    );
    if !findings.is_empty() {
        let kept = keep(seed, &world, &evidence, &findings);
        let shown = findings.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
        panic!("{} violations with SEED={seed} (evidence in {}):\n{shown}", findings.len(), kept.display());
    }
}

/// Members work and things go wrong, until there were enough kills or the time is over. Everybody has a thread: a course
/// that waits for a process to start holds up nobody else.
fn disturbed(scene: &Scene<'_>, shop: &Shop<'_>, given_up: &AtomicU64, (kills, time): (u64, Duration)) {
    std::thread::scope(|threads| {
        for number in 0..WORKERS {
            threads.spawn(move || run(Worker::new(shop, number, scene.seed).work()));
        }
        threads.spawn(|| run(scene.hub()));
        threads.spawn(|| run(scene.nats()));
        threads.spawn(|| run(scene.systems()));
        threads.spawn(|| run(scene.faults()));
        threads.spawn(|| run(operator::work(shop.world, &scene.over, given_up)));
        run(async {
            let started = Instant::now();
            while started.elapsed() < time && scene.tally.kills() < kills {
                tokio::time::sleep(Duration::from_millis(250)).await;
                if let Some(owed) = operator::owed(shop.world).await {
                    shop.full.store(owed > FULL, Ordering::Relaxed);
                }
            }
        });
        scene.over.store(true, Ordering::Relaxed);
        shop.closing.store(true, Ordering::Relaxed);
    });
}

/// Waits until nothing is owed any more; the operator goes on giving up what nobody can know.
async fn caught_up(world: &World, given_up: &AtomicU64) -> bool {
    let (started, operator) = (Instant::now(), world.operator());
    let mut quiet = 0;
    while started.elapsed() < CATCH_UP {
        let discarded = operator::give_up(&operator).await.unwrap_or(0);
        given_up.fetch_add(discarded, Ordering::Relaxed);
        // What follows a delivery (a device's listing, say) is owed by nobody: it gets its moment.
        quiet = if operator::owed(world).await == Some(0.0) && discarded == 0 { quiet + 1 } else { 0 };
        if quiet >= 8 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    false
}

fn summary(tally: &Tally, evidence: &Evidence<'_>, given_up: u64) -> String {
    let mut text = format!("{} kills; {tally:?}\n", tally.kills());
    for (what, count) in &evidence.counts {
        writeln!(text, "  {what}: {count}").unwrap();
    }
    writeln!(text, "  given up by the operator: {given_up}").unwrap();
    text
}

/// Keeps what was found and what it was found in.
fn keep(seed: u64, world: &World, evidence: &Evidence<'_>, findings: &[String]) -> PathBuf {
    let folder = repository().join(format!("target/torture/{seed}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("violations.txt"), findings.join("\n")).unwrap();
    std::fs::write(folder.join("hub.log"), world.log()).unwrap();
    std::fs::write(folder.join("journal.jsonl"), &evidence.exported).unwrap();
    std::fs::write(folder.join("outside.json"), evidence.outside.to_string()).unwrap();
    let asked: String = evidence.asked.iter().map(|asked| format!("{asked:?}\n")).collect();
    std::fs::write(folder.join("requests.txt"), asked).unwrap();
    folder
}
