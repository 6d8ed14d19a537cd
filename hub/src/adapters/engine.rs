//! The engine of one component, with a pool of its own.
//!
//! An engine for each loaded component and not one for all: a pool's size is fixed when its engine is made, so this is
//! what lets it be sized from the component, lets a larger component take over on a reload, keeps one adapter from
//! using up another's slots, and keeps every slot warm with the same component's pages. The pool goes with the last
//! call that uses it.

use std::path::{Path, PathBuf};

use thiserror::Error;
use wasmtime::{Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::footprint::Footprint;
use super::limits::Bounds;

/// What a slot keeps in memory when it is given back, so that the next call does not fault it in again.
const KEEP_MEMORY_BYTES: usize = 256 * 1024;
const KEEP_TABLE_BYTES: usize = 64 * 1024;
const KEEP_STACK_BYTES: usize = 64 * 1024;
/// The most that the compiled form of an instance's own data may take; large components pass the 1 MiB default.
const MAX_INSTANCE_BYTES: usize = 8 * 1024 * 1024;
/// Room for tables that grow while a component runs.
const SPARE_TABLE_ELEMENTS: usize = 4 * 1024;
/// Calls beyond the configured concurrency: `describe` and a slot that is not given back yet.
const SPARE_CALLS: u32 = 2;

/// What keeps the host from being made.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The folder for compiled code.
    #[error("the folder for compiled code `{}` can't be used: {why}", folder.display())]
    Cache {
        /// As given.
        folder: PathBuf,
        /// What was wrong.
        why: String,
    },
    /// Threads for components.
    #[error("no threads for adapters: {0}")]
    Threads(#[from] std::io::Error),
}

/// Opens the folder for compiled code, which only the hub may write: what is in it is run.
///
/// # Errors
/// [`EngineError::Cache`]
pub fn open_cache(cache_dir: &Path) -> Result<Cache, EngineError> {
    // wasmtime removes from its folder what it does not know.
    let folder = private(&cache_dir.join("compiled"))?;
    let mut config = CacheConfig::new();
    config.with_directory(&folder);
    Cache::new(config).map_err(|error| EngineError::Cache { folder, why: format!("{error:#}") })
}

/// Makes a folder that only the hub may read and write, where there is none, and answers with its absolute path.
///
/// # Errors
/// [`EngineError::Cache`]
pub fn private(folder: &Path) -> Result<PathBuf, EngineError> {
    use std::os::unix::fs::DirBuilderExt as _;

    let refused = |error: std::io::Error| EngineError::Cache { folder: folder.to_owned(), why: error.to_string() };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(refused)?;
    std::path::absolute(folder).map_err(refused)
}

/// What each call of the component may allocate.
pub fn bounds(needs: &Footprint, memory_bytes: usize) -> Bounds {
    Bounds {
        memory_bytes,
        items: usize::try_from(needs.core_instances.max(needs.memories).max(needs.tables)).unwrap_or(usize::MAX),
    }
}

/// Makes the engine for a component with these needs, for so many calls at the same time.
///
/// # Errors
/// What wasmtime says, for example where there is not enough address space.
pub fn make(needs: &Footprint, concurrency: u32, cache: &Cache) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .cache(Some(cache.clone()))
        .epoch_interruption(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(needs, concurrency)));
    Engine::new(&config)
}

fn pool(needs: &Footprint, concurrency: u32) -> PoolingAllocationConfig {
    let calls = concurrency.saturating_add(SPARE_CALLS);
    let each = |count: u32| calls.saturating_mul(count);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .max_component_instance_size(MAX_INSTANCE_BYTES)
        .total_core_instances(each(needs.core_instances))
        .max_core_instances_per_component(needs.core_instances)
        .max_core_instance_size(MAX_INSTANCE_BYTES)
        .total_memories(each(needs.memories))
        .max_memories_per_component(needs.memories)
        .max_memories_per_module(needs.memories)
        .total_tables(each(needs.tables))
        .max_tables_per_component(needs.tables)
        .max_tables_per_module(needs.tables)
        .table_elements(table_slot(needs))
        .total_stacks(calls)
        .linear_memory_keep_resident(KEEP_MEMORY_BYTES)
        .table_keep_resident(KEEP_TABLE_BYTES)
        .async_stack_keep_resident(KEEP_STACK_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// The elements that the slot of one table has room for.
fn table_slot(needs: &Footprint) -> usize {
    usize::try_from(needs.table_elements).unwrap_or(usize::MAX).saturating_add(SPARE_TABLE_ELEMENTS)
}
