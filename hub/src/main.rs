//! The `hub` program.
#![allow(clippy::all)]
use std::collections::BTreeMap;

/// Requests are made on one thread, committed on a second and dropped on a third, which glibc's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let env: BTreeMap<String, String> = std::env::vars().collect();
    let config = hub::config::Config::load(std::env::args().nth(2).as_deref().map(std::path::Path::new), &env)
        .unwrap_or_else(|e| {
            eprintln!("{e}");
            std::process::exit(1)
        });
    let guard = hub::telemetry::log::init(hub::telemetry::LogOptions::from_env(&env, false).unwrap()).unwrap();
    let rt = tokio::runtime::Runtime::new().unwrap();
    let r = rt.block_on(hub::startup::serve(
        config,
        hub::telemetry::Metrics::new(Some(guard.dropped())),
        |s| println!("ready {}", s.url),
        async {
            tokio::signal::ctrl_c().await.ok();
        },
    ));
    if let Err(e) = r {
        eprintln!("{e}");
        std::process::exit(1)
    }
}
