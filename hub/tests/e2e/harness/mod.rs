//! Starts a world (a hub, its outside systems, perhaps NATS) and takes it down again.
//!
//! A world that ends while the hub still owes a delivery, has parked one that nobody asked for, or does not leave on
//! SIGTERM with 0, fails its test. Tests that share a world are kept apart by organisations of their own.

mod issuer;
mod member;
mod nats;
mod outside;
mod process;
mod reply;
pub mod samples;
mod world;

use std::future::Future;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

pub use issuer::{Issuer, Keys};
pub use member::{Member, in_step};
pub use nats::{Nats, free_port};
pub use outside::{Outside, encoded};
pub use process::hub_command;
pub use reply::{Reply, text};
pub use world::{Config, World, repository};

/// How long anything that has to happen may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// One runtime for all tests: connections and the simulated systems outlive the test that made them.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// Runs a test.
pub fn run<F: Future>(test: F) -> F::Output {
    RUNTIME.block_on(test)
}

/// Runs something to its end from a place that can't wait by itself, such as `drop`.
pub fn run_aside<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| scope.spawn(|| RUNTIME.block_on(work)).join().unwrap())
}

/// Asks again and again until there is an answer, and gives up loudly.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "did not happen in {PATIENCE:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
