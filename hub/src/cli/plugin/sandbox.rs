//! The sandbox for one component outside of a hub.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::adapters::{AdapterConfig, AdapterName, AdapterState, Adapters, LoadedInfo};
use crate::cli::session::Session;

/// Compiled code of an earlier run is used again, since compiling a component from Python takes a while; without a home
/// it is thrown away.
enum Cache {
    Kept(PathBuf),
    Thrown(TempDir),
}

impl Cache {
    fn of(session: &Session) -> Result<Self, String> {
        let named = |name: &str| session.env.get(name).filter(|path| path.starts_with('/')).map(PathBuf::from);
        let kept = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
        match kept {
            Some(folder) => Ok(Self::Kept(folder.join("clients-hub/compiled"))),
            None => tempfile::tempdir().map(Self::Thrown).map_err(|error| format!("no folder can be made: {error}")),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Thrown(folder) => folder.path(),
        }
    }
}

/// One adapter in the sandbox.
pub struct Sandbox {
    /// To call it with.
    pub adapters: Adapters,
    /// What was loaded, or why nothing was.
    pub loaded: Result<LoadedInfo, String>,
    _cache: Cache,
}

impl Sandbox {
    /// Loads a component as a hub with this configuration would.
    ///
    /// # Errors
    /// No component could be loaded here.
    pub async fn load(session: &Session, name: AdapterName, config: AdapterConfig) -> Result<Self, String> {
        let cache = Cache::of(session)?;
        let configs = BTreeMap::from([(name, config)]);
        let adapters = Adapters::load(&configs, cache.path(), None).await.map_err(|error| error.to_string())?;
        let report = adapters.report().pop();
        let loaded = match report.map(|report| (report.loaded, report.state)) {
            Some((Some(info), _)) => Ok(info),
            Some((None, AdapterState::Down { reason })) => Err(reason),
            _ => Err("it was not loaded".to_owned()),
        };
        Ok(Self { adapters, loaded, _cache: cache })
    }
}

/// The configuration of a component with nothing but itself and the memory that it begins with.
///
/// # Errors
/// It can't be written as a configuration.
pub fn bare(component: &Path, memory_bytes: u64) -> Result<AdapterConfig, String> {
    let mut table = toml::Table::new();
    table.insert("component".to_owned(), toml::Value::String(component.display().to_string()));
    if let Some(memory) = memory_mib(memory_bytes) {
        table.insert("memory_mib".to_owned(), toml::Value::Integer(memory));
    }
    table.try_into().map_err(|error: toml::de::Error| error.to_string())
}

/// The `memory_mib` that a component needs beyond the default: twice what it begins with, so that it can work.
pub fn memory_mib(begins_with_bytes: u64) -> Option<i64> {
    const DEFAULT_MIB: u64 = 64;
    let wanted = begins_with_bytes.div_ceil(1 << 20) * 2;
    (wanted > DEFAULT_MIB).then(|| i64::try_from(wanted).unwrap_or(i64::MAX).min(4096))
}
