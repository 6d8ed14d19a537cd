//! Which Rust builds guests on this machine.
//!
//! The one on the PATH, where it has the target; else Debian's `rustc-web`, which ships the sources of the
//! standard library, so that cargo can build that too. Nothing is installed here: `scripts/get-wasm-target.sh` does.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{BuildError, TARGET};

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// A stack of 64 KiB in place of 1 MiB makes a fresh instance three times cheaper; adapters don't recurse.
const RUSTFLAGS: &str = "-Clink-arg=-zstack-size=65536";

/// A Rust toolchain that can build for [`TARGET`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolchain {
    /// `cargo` from the PATH, with the target installed.
    Installed,
    /// Debian's, which builds the standard library on the way.
    Debian {
        /// The linker, since Debian's own package of it is optional.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// Looks for one.
    ///
    /// # Errors
    /// [`BuildError::NoTarget`] or [`BuildError::NoLinker`]; both say what to install.
    pub fn find() -> Result<Self, BuildError> {
        let sysroot = sysroot_of("rustc");
        if sysroot.as_deref().is_some_and(|root| root.join("lib/rustlib").join(TARGET).join("lib").is_dir()) {
            return Ok(Self::Installed);
        }
        let debian = sysroot_of(DEBIAN_RUSTC).ok_or(BuildError::NoTarget)?;
        let has_sources = debian.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file();
        if !has_sources || !Path::new(DEBIAN_CARGO).is_file() {
            return Err(BuildError::NoTarget);
        }
        let linker = linker(&[sysroot, Some(debian)]).ok_or(BuildError::NoLinker)?;
        Ok(Self::Debian { linker })
    }

    /// A `cargo build` for [`TARGET`] by this toolchain, free of the flags that an outer cargo or shell has set.
    #[must_use]
    pub fn cargo_build(&self) -> Command {
        let mut cargo = match self {
            Self::Installed => Command::new("cargo"),
            Self::Debian { .. } => Command::new(DEBIAN_CARGO),
        };
        cargo.args(["build", "--target", TARGET]).env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS);
        for inherited in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"] {
            cargo.env_remove(inherited);
        }
        if let Self::Debian { linker } = self {
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        cargo
    }
}

fn sysroot_of(rustc: &str) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

/// `rust-lld` of one of the toolchains, else `wasm-ld` from the PATH. A dangling link counts as absent.
fn linker(sysroots: &[Option<PathBuf>]) -> Option<PathBuf> {
    let hosts = sysroots.iter().flatten().filter_map(|root| root.join("lib/rustlib").read_dir().ok());
    let of_rust = hosts.flatten().flatten().map(|host| host.path().join("bin/rust-lld"));
    let of_system = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .flat_map(|folder| [folder.join("rust-lld"), folder.join("wasm-ld")]);
    of_rust.chain(of_system).find(|file| file.is_file())
}
