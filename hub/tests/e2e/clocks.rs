//! A wall clock that jumps by hours under the real program, and a time zone that nobody has.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Config, Member, World, run, samples, until};

const HOUR: i64 = 3_600;

fn at(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("not a time: {value}")).parse().unwrap()
}

/// The library that shifts a program's wall clock.
fn shifting(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/harness/shift_clock.rs");
    let library = folder.join("libshift_clock.so");
    let mut compiler = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let compiler = compiler.args(["--edition", "2024", "--crate-type", "cdylib", "-O", "-o"]).arg(&library).arg(source);
    let output = compiler.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

/// Sets the hub's clock; the file keeps its length, so that no half of a number is ever read.
fn set(world: &World, hours: i64) {
    let mut file = File::options().create(true).write(true).truncate(false).open(world.folder().join("clock")).unwrap();
    file.write_all(format!("{:>12}", hours * HOUR).as_bytes()).unwrap();
}

async fn world(tools: &Path) -> World {
    let preload: &str = Box::leak(shifting(tools).to_str().unwrap().to_owned().into_boxed_str());
    let env = vec![("LD_PRELOAD", preload), ("HUB_CLOCK", "clock"), ("TZ", "ODD-13:37:42")];
    let usual = Config::default();
    // The bank's clock does not jump: it lives in the west, where a hub that is hours ahead is in no later day.
    let west = "settings = { tenant = \"default\", utc-offset-minutes = -720 }";
    let adapters = usual.adapters.replace("settings = { tenant = \"default\" }", west);
    let world = World::prepare(Config { adapters, env, strict: false, ..usual }).await;
    set(&world, 0);
    world.up();
    world
}

/// Valid at any time that the hub's clock shows here.
fn member<'a>(world: &'a World, org: &str) -> Member<'a> {
    world.admin_between(org, Utc::now() - TimeDelta::hours(100), Duration::from_secs(400 * 3_600))
}

fn times(world: &World) -> Vec<DateTime<Utc>> {
    let mut segments: Vec<_> =
        std::fs::read_dir(world.folder().join("data/journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    segments.sort();
    let text = segments.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect::<String>();
    text.lines().map(|line| at(&serde_json::from_str::<Value>(line).unwrap()["time"])).collect()
}

/// A retry that was planned before the clock went back comes all the same.
async fn retried_over_a_jump(world: &World, admin: &Member<'_>, hours: i64) {
    world.outside.fault("espocrm", json!({"kind": "fail", "status": 503})).await;
    let reference = admin.create(&samples::company()).await["reference"].as_str().unwrap().to_owned();
    let retrying = |client: &Value| client["sync"]["crm"]["state"] == "retrying";
    admin.client_when(&reference, "retried", retrying).await;
    set(world, hours);
    world.outside.heal("espocrm").await;
    admin.settled(&reference).await;
}

#[test]
fn a_clock_that_jumps_back_and_forth_stops_nothing() {
    run(async {
        let tools = tempfile::tempdir().unwrap();
        let world = world(tools.path()).await;
        let admin = member(&world, "clocks");
        let (key, body) = ("over-the-jumps", samples::company());
        let first = admin.post_once(key, "/clients/profile", &body).await.ok(201);
        let off = (at(&first["createdAt"]) - Utc::now()).num_seconds().abs();
        assert!(off < 60, "the time zone shows: {first}");

        // Forward: tokens follow the wall clock, and so does what is written.
        let short = world.admin_between("clocks", Utc::now(), Duration::from_secs(HOUR.unsigned_abs()));
        short.get("/clients/profile").await.ok(200);
        set(&world, 5);
        until("the token has expired", || async { (short.get("/clients/profile").await.status == 401).then_some(()) })
            .await;
        short.get("/clients/profile").await.problem(401, "token-expired");
        let ahead = admin.client(&admin.onboard(&samples::company()).await).await;
        assert!((at(&ahead["createdAt"]) - Utc::now()).num_hours() >= 4, "{ahead}");
        assert_eq!(admin.post_once(key, "/clients/profile", &body).await.ok(201), first);

        // Back, beside what is under way and over a restart: nothing waits for the clock to catch up.
        retried_over_a_jump(&world, &admin, -5).await;
        let behind = admin.client(&admin.onboard(&samples::company()).await).await;
        assert!(at(&behind["createdAt"]) >= at(&ahead["createdAt"]), "{behind}");
        let early = world.admin_between("clocks", Utc::now(), Duration::from_secs(60));
        early.get("/clients/profile").await.problem(401, "token-invalid");
        world.kill();
        world.up();
        admin.onboard(&samples::company()).await;
        retried_over_a_jump(&world, &admin, -9).await;
        assert_eq!(admin.post_once(key, "/clients/profile", &body).await.ok(201), first);

        // A day later the key is forgotten, and the client is not.
        set(&world, 30);
        until("the key is forgotten", || async {
            (admin.post_once(key, "/clients/profile", &body).await.status == 409).then_some(())
        })
        .await;
        admin.post_once(key, "/clients/profile", &body).await.problem(409, "duplicate-client");
        assert_eq!(admin.get("/clients/profile?limit=1").await.ok(200)["total"], 6);

        let times = times(&world);
        assert!(times.is_sorted(), "an entry before the one that it follows");
        set(&world, 0);
        world.down();
        world.up();
        // Where something was written a day ahead the journal's time stays there, and the bank refuses a day that has not
        // come. All else is as ever.
        let done = |link: &Value| {
            link["state"] == "synced" || link["error"].as_str().is_some_and(|error| error.contains("in.the.future"))
        };
        let settled = |client: &Value| {
            let links = client["sync"].as_object().unwrap();
            client["status"] == "active" && links.len() == 5 && links.values().all(done)
        };
        let last = admin.create(&samples::company()).await["reference"].as_str().unwrap().to_owned();
        admin.client_when(&last, "settled", settled).await;
    });
}
