//! `adapters.lock`: which component each adapter was last seen with, for people, for version control, and for the next start.
//!
//! It decides nothing; `digest` and `trusted_keys` in the configuration do. It is how a start notices that a component is
//! not the one that ran before. Written whole or not at all; what can't be read is made anew.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::config::Digest;
use super::report::AdapterReport;
use super::source::ComponentSource;
use crate::domain::delivery::Adapter as AdapterName;

/// The largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;
const HEADING: &str =
    "# What the hub has loaded, written by it on each load. Compared at the next start; it decides nothing.\n\n";

/// What is loaded for one adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locked {
    /// Where it is, as configured.
    pub component: ComponentSource,
    /// SHA-256 of it.
    pub digest: Digest,
    /// The version of the contract that it was made for.
    pub contract: String,
    /// The id of the key that has signed it, where a signature is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// When it took over, RFC 3339.
    pub loaded: String,
}

/// The file.
pub type Lock = BTreeMap<AdapterName, Locked>;

/// Reads the file; nothing is locked where there is none.
///
/// # Errors
/// It can't be read, or is not what the hub writes.
pub fn read(path: &Path) -> io::Result<Lock> {
    let text = match crate::file::read_text(path, MAX_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::new()),
        Err(error) => return Err(error),
    };
    toml::from_str(&text).map_err(io::Error::other)
}

/// What is to be written: what is loaded now, and for an adapter that is down what was loaded last.
#[must_use]
pub fn of(reports: Vec<AdapterReport>, before: &Lock) -> Lock {
    let entries = reports.into_iter().filter_map(|report| {
        let locked = report.loaded.map(|loaded| Locked {
            component: report.component,
            digest: loaded.digest,
            contract: loaded.contract,
            signer: loaded.signed_by,
            loaded: loaded.loaded_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        });
        Some((report.name, locked.or_else(|| before.get(&report.name).cloned())?))
    });
    entries.collect()
}

/// Writes the file, whole or not at all.
///
/// # Errors
/// The disk does not take it.
pub fn write(path: &Path, lock: &Lock) -> io::Result<()> {
    let text = toml::to_string(lock).map_err(io::Error::other)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(HEADING.as_bytes())?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("adapters.lock");
        assert_eq!(read(&path).unwrap(), Lock::new());
        let locked = Locked {
            component: ComponentSource::File("plugins/dist/crm.wasm".into()),
            digest: Digest::of(b"crm"),
            contract: "1.0.0".to_owned(),
            signer: None,
            loaded: "2026-01-01T00:00:00.000Z".to_owned(),
        };
        let lock = Lock::from([(AdapterName::Crm, locked.clone()), (AdapterName::CoreBanking, locked)]);
        write(&path, &lock).unwrap();
        write(&path, &lock).unwrap();
        assert_eq!(read(&path).unwrap(), lock);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(&path, "crm = 7").unwrap();
        assert!(read(&path).is_err());
    }
}
