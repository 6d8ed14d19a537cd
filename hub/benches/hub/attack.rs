//! What an adapter that never ends costs: how late it is stopped, and what the calls of another adapter wait longer.
//!
//! 64 calls of another adapter run all the time, each after a pause, as deliveries come; without the pauses they would
//! measure only how many fit onto the machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hub::adapters::{AdapterConfig, AdapterName, Adapters, CallError};
use tempfile::TempDir;

use crate::adapter::profile;
use crate::data;
use crate::report::{Row, median};

/// Calls of the other adapter at the same time.
const OTHERS: u32 = 64;
/// Between two calls of one of them.
const PAUSE: Duration = Duration::from_millis(20);
/// Calls of the attacker at the same time.
const ATTACKERS: u32 = 8;
/// What each of those may take.
const LIMIT: Duration = Duration::from_millis(100);
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 5;
const LATE_MS: f64 = 10.0;
const SLOWER: f64 = 2.0;

pub fn beside() -> Vec<Row> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (adapters, _cache) = runtime.block_on(load());
    let (mut late, mut calm, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        calm.push(p99(runtime.block_on(round(&adapters, false)).0));
        let (calls, stopped) = runtime.block_on(round(&adapters, true));
        beside.push(p99(calls));
        late.extend(stopped);
    }
    let ratio = median(beside.iter().zip(&calm).map(|(beside, calm)| beside / calm));
    let mut slower = Row::most("other calls beside a spinner, 99th percentile, as a share", "", ratio, SLOWER);
    slower.measured = format!("{:.2} ms", median(beside));
    vec![
        Row::most("a spinner is stopped after its limit, 99th percentile", "ms", p99(late), LATE_MS),
        slower.beside(format!("{:.2} ms", median(calm)), format!("{ratio:.2}")),
    ]
}

async fn load() -> (Adapters, TempDir) {
    let fixture = |name: &str, more: String| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist/fixtures").join(name);
        toml::from_str::<AdapterConfig>(&format!("component = '{}'\n{more}", path.display())).unwrap()
    };
    // Twice the places, since one is given back only when its call has let go of its thread.
    let (limit, places) = (LIMIT.as_millis(), 2 * ATTACKERS);
    let spinner = format!("deadline_ms = {limit}\nconcurrency = {places}\nsettings.behave = 'spinner'");
    let configs = BTreeMap::from([
        (AdapterName::Crm, fixture("behaviour.wasm", spinner)),
        (AdapterName::Kyc, fixture("casework.wasm", format!("concurrency = {OTHERS}"))),
    ]);
    let cache = data::folder();
    (Adapters::load(&configs, cache.path(), None).await.unwrap(), cache)
}

/// What the others' calls took, and by how much the attacker's were late, ms.
async fn round(adapters: &Adapters, attacked: bool) -> (Vec<f64>, Vec<f64>) {
    let over = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..OTHERS).map(|_| tokio::spawn(call(adapters.clone(), Arc::clone(&over)))).collect();
    let attackers = if attacked { ATTACKERS } else { 0 };
    let attacks: Vec<_> = (0..attackers).map(|_| tokio::spawn(spin(adapters.clone(), Arc::clone(&over)))).collect();
    tokio::time::sleep(ROUND).await;
    over.store(true, Ordering::Relaxed);
    (gather(others).await, gather(attacks).await)
}

async fn gather(tasks: Vec<tokio::task::JoinHandle<Vec<f64>>>) -> Vec<f64> {
    let done = futures::future::join_all(tasks).await;
    done.into_iter().flat_map(Result::unwrap).collect()
}

async fn call(adapters: Adapters, over: Arc<AtomicBool>) -> Vec<f64> {
    let mut took = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        adapters.verify(profile(0), Vec::new(), "key").await.unwrap();
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(PAUSE).await;
    }
    took
}

async fn spin(adapters: Adapters, over: Arc<AtomicBool>) -> Vec<f64> {
    let mut late = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let stopped = adapters.upsert_contact(profile(0), "key").await;
        assert!(matches!(stopped, Err(CallError::Retry { .. })), "{stopped:?}");
        late.push(began.elapsed().saturating_sub(LIMIT).as_secs_f64() * 1000.0);
        // An answer in between, so that it is not quarantined; it may be late, and then is none.
        drop(adapters.archive_contact("c-1", "it is over", "key").await);
    }
    late
}

/// The 99th percentile.
fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * 99).div_ceil(100) - 1]
}
