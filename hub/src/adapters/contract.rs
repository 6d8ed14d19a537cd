//! The check of a component against the contract: which interface it exports, for which version, and whether it asks
//! for anything that the hub does not have. By names alone; the types are checked when it is linked.

use semver::Version;
use thiserror::Error;

use crate::adapters::AdapterName;

/// The version of the contract in `wit/`.
pub const CONTRACT: Version = Version::new(1, 0, 0);

const PACKAGE: &str = "backoffice:adapter/";
const HOST_INTERFACES: [&str; 5] = ["types", "http", "settings", "log", "store"];
const WASI_PACKAGES: [&str; 7] =
    ["wasi:cli/", "wasi:clocks/", "wasi:random/", "wasi:io/", "wasi:filesystem/", "wasi:sockets/", "wasi:http/"];

/// What a component says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The version of the contract that it was made for.
    pub version: Version,
    /// Everything that it imports, sorted.
    pub imports: Vec<String>,
}

/// A component that does not fit.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ContractError {
    /// It is no adapter at all.
    #[error(
        "it exports no interface of `backoffice:adapter`; expected `{PACKAGE}{expected}@1.x` (it exports: {found})"
    )]
    NoInterface {
        /// What this adapter must implement.
        expected: AdapterName,
        /// What there is.
        found: String,
    },
    /// It is more than one.
    #[error("it exports more than one interface of `backoffice:adapter`: {0}")]
    SeveralInterfaces(String),
    /// It is another kind of adapter.
    #[error("it implements the world `{found}-adapter`; [adapters.{expected}] needs `{expected}-adapter`")]
    OtherWorld {
        /// What this adapter must implement.
        expected: AdapterName,
        /// What it implements.
        found: AdapterName,
    },
    /// It was made for another major version.
    #[error("it was made for version {found} of the contract; this hub speaks {CONTRACT} and loads any 1.x")]
    OtherMajor {
        /// The component's.
        found: String,
    },
    /// It asks for something that the hub does not have.
    #[error("it imports what the hub does not offer: {0}")]
    ForeignImports(String),
}

/// Checks the names of a component's imports and exports.
///
/// # Errors
/// [`ContractError`], which names what was found and what would be right.
pub fn check<'a>(
    expected: AdapterName,
    imports: impl Iterator<Item = &'a str>,
    exports: impl Iterator<Item = &'a str>,
) -> Result<Contract, ContractError> {
    let version = interface(expected, &exports.collect::<Vec<_>>())?;
    let mut imports: Vec<String> = imports.map(str::to_owned).collect();
    imports.sort_unstable();
    let foreign: Vec<&str> = imports.iter().map(String::as_str).filter(|name| !offered(name)).collect();
    if !foreign.is_empty() {
        return Err(ContractError::ForeignImports(foreign.join(", ")));
    }
    Ok(Contract { version, imports })
}

/// The interfaces of the contract among a component's exports, each with its version.
pub fn interfaces<'a>(exports: &[&'a str]) -> Vec<(AdapterName, &'a str)> {
    let ours = exports.iter().filter_map(|export| {
        let (interface, version) = split(export)?;
        Some((AdapterName::parse(interface)?, version))
    });
    ours.collect()
}

fn interface(expected: AdapterName, exports: &[&str]) -> Result<Version, ContractError> {
    let ours = interfaces(exports);
    let (found, version) = match ours.as_slice() {
        [one] => *one,
        [] => {
            return Err(ContractError::NoInterface { expected, found: or_nothing(exports) });
        }
        _ => return Err(ContractError::SeveralInterfaces(exports.join(", "))),
    };
    let version = major_one(version).ok_or_else(|| ContractError::OtherMajor { found: version.to_owned() })?;
    if found == expected { Ok(version) } else { Err(ContractError::OtherWorld { expected, found }) }
}

/// `backoffice:adapter/<interface>@<version>`
fn split(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

fn major_one(version: &str) -> Option<Version> {
    Version::parse(version).ok().filter(|version| version.major == CONTRACT.major && version.pre.is_empty())
}

fn offered(import: &str) -> bool {
    if let Some((interface, version)) = split(import) {
        return HOST_INTERFACES.contains(&interface) && major_one(version).is_some();
    }
    let wasi = WASI_PACKAGES.iter().any(|package| import.starts_with(package));
    wasi && import.split_once('@').is_some_and(|(_, version)| version.starts_with("0.2."))
}

/// What becomes of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Meaning {
    /// It works, within the sandbox.
    Granted,
    /// It links, and there is nothing behind it.
    Empty,
    /// The component is not loaded.
    Refused,
}

/// What an import gives to a component, for people.
pub fn meaning(import: &str) -> (Meaning, &'static str) {
    if !offered(import) {
        return (Meaning::Refused, "the hub has nothing of that name and version");
    }
    let name = import.split_once('@').map_or(import, |(name, _)| name);
    let wasi = name.split_once('/').map_or(name, |(package, _)| package);
    match name.strip_prefix(PACKAGE).unwrap_or(wasi) {
        "types" => (Meaning::Granted, "types alone"),
        "http" => (Meaning::Granted, "requests to the endpoints that the operator has configured"),
        "settings" => (Meaning::Granted, "what the operator has written under `settings`"),
        "log" => (Meaning::Granted, "lines in the hub's log, of limited length and number"),
        "store" => (Meaning::Granted, "16 KiB between calls, where the operator sets `store = true`"),
        "wasi:clocks" => (Meaning::Granted, "the time in whole milliseconds"),
        "wasi:random" => (Meaning::Granted, "random bytes"),
        "wasi:io" => (Meaning::Granted, "streams, which begin and end in the sandbox"),
        "wasi:cli" => (Meaning::Empty, "no arguments, no environment; what is written goes nowhere"),
        "wasi:filesystem" => (Meaning::Empty, "no file and no folder"),
        "wasi:sockets" => (Meaning::Empty, "no address can be looked up or connected to"),
        _ => (Meaning::Empty, "every request fails with a text that names `http.send`"),
    }
}

fn or_nothing(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check_crm(imports: &[&str], exports: &[&str]) -> Result<Contract, ContractError> {
        check(AdapterName::Crm, imports.iter().copied(), exports.iter().copied())
    }

    #[test]
    fn any_minor_version_with_known_imports_passes() {
        let imports = ["wasi:io/streams@0.2.6", "backoffice:adapter/http@1.0.0"];
        let contract = check_crm(&imports, &["backoffice:adapter/crm@1.7.3", "wasi:cli/run@0.2.0"]).unwrap();
        assert_eq!(contract.version, Version::new(1, 7, 3));
        assert_eq!(contract.imports.first().unwrap(), "backoffice:adapter/http@1.0.0");
    }

    #[test]
    fn another_major_version_is_refused_with_both_named() {
        for version in ["2.0.0", "0.9.0", "1.0.0-rc.1", "x"] {
            let refused = check_crm(&[], &[&format!("backoffice:adapter/crm@{version}")]).unwrap_err().to_string();
            assert!(refused.contains(version) && refused.contains("1.0.0"), "{refused}");
        }
    }

    #[test]
    fn another_world_or_none_is_refused() {
        let other = check_crm(&[], &["backoffice:adapter/kyc@1.0.0"]).unwrap_err().to_string();
        assert!(other.contains("kyc-adapter") && other.contains("crm-adapter"), "{other}");
        assert!(matches!(check_crm(&[], &["run"]), Err(ContractError::NoInterface { .. })));
        let both = ["backoffice:adapter/kyc@1.0.0", "backoffice:adapter/crm@1.0.0"];
        assert!(matches!(check_crm(&[], &both), Err(ContractError::SeveralInterfaces(_))));
    }

    #[test]
    fn foreign_imports_are_refused_by_name() {
        for import in [
            "evil:host/shell@1.0.0",
            "backoffice:adapter/admin@1.0.0",
            "backoffice:adapter/http@2.0.0",
            "wasi:nn/inference@0.2.0",
            "wasi:http/handler@0.3.0",
            "wasi:cli/environment",
        ] {
            let refused = check_crm(&[import], &["backoffice:adapter/crm@1.0.0"]).unwrap_err();
            assert_eq!(refused, ContractError::ForeignImports(import.to_owned()));
        }
    }
}
