//! One adapter's folder in, one component out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::{BuildError, TARGET, Toolchain, componentize};

/// Where a build works and where it leaves its result.
#[derive(Debug, Clone)]
pub struct Places {
    /// cargo's target folder. Shared by all adapters, the standard library is built into it once.
    pub target_dir: PathBuf,
    /// Where `<name>.wasm` goes.
    pub out: PathBuf,
}

/// A component on disk.
#[derive(Debug)]
pub struct Built {
    /// The component's file.
    pub file: PathBuf,
    /// Its size in bytes.
    pub size: usize,
    /// Whether the file is another than before.
    pub changed: bool,
}

/// Builds the crate in `project` with its profile `plugin`, and writes the component as
/// `<out>/<name>.wasm`, where the name is the crate's without a trailing `-adapter`.
///
/// # Errors
/// Every [`BuildError`]: a project that is none, a crate that cargo can't build, a module that is no adapter.
pub fn build(toolchain: &Toolchain, project: &Path, places: &Places) -> Result<Built, BuildError> {
    let manifest = project.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(BuildError::NotAProject(project.to_owned()));
    }
    let manifest = manifest.canonicalize().map_err(io("find", &manifest))?;
    let mut cargo = toolchain.cargo_build();
    cargo
        .args(["--profile", "plugin", "--lib", "--message-format", "json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&places.target_dir);
    let module = run(cargo, project, &manifest)?;
    let core = std::fs::read(&module).map_err(io("read", &module))?;
    let component = componentize(&core)?;
    let file = places.out.join(file_name(&module));
    let changed = write_if_changed(&file, &component)?;
    Ok(Built { file, size: component.len(), changed })
}

/// Runs cargo, lets its diagnostics through, and returns the path of the module that it made.
fn run(mut cargo: Command, project: &Path, manifest: &Path) -> Result<PathBuf, BuildError> {
    let output = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .map_err(io("run", Path::new(cargo.get_program())))?;
    if !output.status.success() {
        return Err(BuildError::Cargo(project.to_owned()));
    }
    module_in(&String::from_utf8_lossy(&output.stdout), manifest)
        .ok_or_else(|| BuildError::NoModule(project.to_owned()))
}

/// The part of cargo's `compiler-artifact` message that matters here.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    filenames: Vec<PathBuf>,
}

/// The `.wasm` among the artifacts that cargo reports for the crate of this manifest.
fn module_in(messages: &str, manifest: &Path) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter(|artifact| artifact.manifest_path == manifest)
        .flat_map(|artifact| artifact.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// `core_banking_adapter.wasm` → `core-banking.wasm`.
fn file_name(module: &Path) -> String {
    let stem = module.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
    format!("{}.wasm", stem.strip_suffix("-adapter").unwrap_or(&stem))
}

/// Whole or not at all: a hub may be watching the file.
fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<bool, BuildError> {
    if std::fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(io("make", folder))?;
    let part = file.with_extension("wasm.part");
    std::fs::File::create(&part)
        .and_then(|mut open| open.write_all(bytes).and_then(|()| open.sync_all()))
        .map_err(io("write", &part))?;
    std::fs::rename(&part, file).map_err(io("replace", file))?;
    Ok(true)
}

fn io(doing: &'static str, file: &Path) -> impl FnOnce(std::io::Error) -> BuildError {
    let what = format!("could not {doing} {}", file.display());
    move |source| BuildError::Io { what, source }
}

impl std::fmt::Display for Built {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.changed { "built" } else { "as before" };
        write!(out, "{} ({} KiB, {TARGET}, {state})", self.file.display(), self.size.div_ceil(1024))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_named_after_the_crate() {
        assert_eq!(file_name(Path::new("/t/core_banking_adapter.wasm")), "core-banking.wasm");
        assert_eq!(file_name(Path::new("/t/acme_crm.wasm")), "acme-crm.wasm");
    }

    #[test]
    fn the_module_is_found_among_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","manifest_path":"/kit/Cargo.toml","filenames":["/t/libkit.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","manifest_path":"/crm/Cargo.toml","filenames":["/t/libcrm.rlib","/t/crm.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(module_in(messages, Path::new("/crm/Cargo.toml")), Some("/t/crm.wasm".into()));
        assert_eq!(module_in(messages, Path::new("/kit/Cargo.toml")), None);
    }

    #[test]
    fn an_unchanged_component_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out/a.wasm");
        assert!(write_if_changed(&file, b"one").unwrap());
        assert!(!write_if_changed(&file, b"one").unwrap());
        assert!(write_if_changed(&file, b"two").unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
    }
}
