//! What a component's file says before any of its code runs: what it imports and exports, who made it, and of what.
//!
//! For people who decide whether to trust it. Nothing is compiled and nothing is refused here: what can't be read is
//! left out, and the checks that decide are those of `loading`.

use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wasmparser::{KnownCustom, Parser, Payload};

use super::config::Digest;
use super::contract::{self, Contract, ContractError, Meaning};
use super::footprint::{Footprint, NotAComponent};
use super::loading::{self, LoadError};
use crate::adapters::AdapterName;

/// The largest bill of materials that is unpacked.
const MAX_BILL_BYTES: u64 = 8 * 1024 * 1024;
/// The section that `cargo auditable` writes: JSON, compressed with zlib.
const BILL_SECTION: &str = ".dep-v0";

/// What the file says.
#[derive(Debug)]
pub struct Examined {
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Its size.
    pub bytes: usize,
    /// What one instance begins with.
    pub footprint: Footprint,
    /// What it asks for, sorted.
    pub imports: Vec<Import>,
    /// What it offers, sorted.
    pub exports: Vec<String>,
    /// The adapters that it could be; exactly one where it is right.
    pub worlds: Vec<AdapterName>,
    /// The tools that it says it was made with.
    pub producers: Vec<Producer>,
    /// What it says it is made of; empty where it carries no bill of materials.
    pub packages: Vec<Package>,
}

/// One import.
#[derive(Debug, Clone, Serialize)]
pub struct Import {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub meaning: Meaning,
    /// What it gives, for people.
    pub note: &'static str,
}

/// A tool that has had its hands in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub role: String,
    /// For example `Rust`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A part of it, from the bill of materials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it is from, for example `crates.io`.
    #[serde(default)]
    pub source: String,
}

#[derive(Deserialize)]
struct Bill {
    packages: Vec<Package>,
}

impl Examined {
    /// Reads a component's file.
    ///
    /// # Errors
    /// It can't be read, or is no component.
    pub fn of(path: &Path) -> Result<Self, LoadError> {
        let bytes = loading::read(path)?;
        let footprint = Footprint::of(&bytes)?;
        let mut scan = Scan::default();
        for payload in Parser::new(0).parse_all(&bytes) {
            scan.take(payload.map_err(NotAComponent::from)?);
        }
        Ok(scan.finish(Digest::of(&bytes), bytes.len(), footprint))
    }

    /// Checks it against the contract for an adapter.
    ///
    /// # Errors
    /// [`ContractError`]
    pub fn contract(&self, adapter: AdapterName) -> Result<Contract, ContractError> {
        let imports = self.imports.iter().map(|import| import.name.as_str());
        contract::check(adapter, imports, self.exports.iter().map(String::as_str))
    }
}

#[derive(Default)]
struct Scan {
    depth: u32,
    imports: Vec<String>,
    exports: Vec<String>,
    producers: Vec<Producer>,
    packages: Vec<Package>,
}

impl Scan {
    fn take(&mut self, payload: Payload<'_>) {
        match payload {
            Payload::Version { .. } => self.depth += 1,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if self.depth == 1 => {
                self.imports.extend(section.into_iter().flatten().map(|import| import.name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) if self.depth == 1 => {
                self.exports.extend(section.into_iter().flatten().map(|export| export.name.name.to_owned()));
            }
            Payload::CustomSection(section) if section.name() == BILL_SECTION => {
                self.packages.extend(bill(section.data()));
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Producers(fields) = section.as_known() {
                    self.producers(fields);
                }
            }
            _ => {}
        }
    }

    fn producers(&mut self, fields: wasmparser::ProducersSectionReader<'_>) {
        for field in fields.into_iter().flatten() {
            self.producers.extend(field.values.into_iter().flatten().map(|value| Producer {
                role: field.name.to_owned(),
                name: value.name.to_owned(),
                version: value.version.to_owned(),
            }));
        }
    }

    fn finish(self, digest: Digest, bytes: usize, footprint: Footprint) -> Examined {
        let imports = sorted(self.imports).into_iter().map(|name| {
            let (meaning, note) = contract::meaning(&name);
            Import { name, meaning, note }
        });
        let imports = imports.collect();
        let exports = sorted(self.exports);
        let names: Vec<&str> = exports.iter().map(String::as_str).collect();
        let worlds = contract::interfaces(&names).into_iter().map(|(adapter, _)| adapter).collect();
        let (producers, packages) = (sorted(self.producers), sorted(self.packages));
        Examined { digest, bytes, footprint, imports, exports, worlds, producers, packages }
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all.dedup();
    all
}

/// The packages of a bill of materials; none where it can't be read.
fn bill(compressed: &[u8]) -> Vec<Package> {
    let mut json = Vec::new();
    let unpacked = flate2::read::ZlibDecoder::new(compressed).take(MAX_BILL_BYTES).read_to_end(&mut json);
    let bill = unpacked.ok().and_then(|_| serde_json::from_slice::<Bill>(&json).ok());
    bill.map(|bill| bill.packages).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_bill_of_materials_is_unpacked_and_nonsense_is_left_out() {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(br#"{"packages":[{"name":"serde","version":"1.0.2","source":"crates.io"}]}"#).unwrap();
        let packed = zlib.finish().unwrap();
        let found = bill(&packed);
        assert_eq!((found.len(), found[0].name.as_str(), found[0].version.as_str()), (1, "serde", "1.0.2"));
        assert!(bill(&packed[..8]).is_empty() && bill(b"nonsense").is_empty());
    }

    #[test]
    fn only_what_the_component_itself_asks_for_counts() {
        let text = r#"(component
            (import "wasi:cli/environment@0.2.0" (instance))
            (import "evil:host/shell@1.0.0" (instance))
            (component (import "inner:only/thing@1.0.0" (instance))))"#;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.wasm");
        std::fs::write(&file, wat::parse_str(text).unwrap()).unwrap();
        let examined = Examined::of(&file).unwrap();
        let imports: Vec<_> = examined.imports.iter().map(|one| (one.name.as_str(), one.meaning)).collect();
        let expected = [("evil:host/shell@1.0.0", Meaning::Refused), ("wasi:cli/environment@0.2.0", Meaning::Empty)];
        assert_eq!(imports, expected);
        assert!(examined.worlds.is_empty());
    }
}
