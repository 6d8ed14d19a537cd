//! Builds the crate of an adapter into a component: cargo makes a core module, `wit-component` wraps it.
//!
//! The only implementation of that, used by `make plugins` and by whoever builds a vendor's project. It knows
//! nothing of what an adapter does, and changes a component only when its bytes change, so that a digest, a
//! modification time and a watcher mean something.

mod project;
mod toolchain;

use std::path::PathBuf;

pub use project::{Built, Places, build};
pub use toolchain::Toolchain;

/// The only target that guests are built for: it has no WASI, so a guest can import nothing but the hub.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Neither toolchain can build for [`TARGET`].
    #[error(
        "no Rust toolchain here builds for {TARGET}: run `rustup target add {TARGET}`, \
         or install Debian's rustc-web, cargo-web and rust-web-src (`make tools` does either)"
    )]
    NoTarget,
    /// Debian's toolchain is there without a linker for WASM.
    #[error("no WASM linker found: rust-lld comes with a rustup toolchain, wasm-ld with the package lld")]
    NoLinker,
    /// The folder holds no crate.
    #[error("{0} is not the folder of a crate: it has no Cargo.toml")]
    NotAProject(PathBuf),
    /// cargo could not be run, or a file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the file.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// cargo ran and failed; it has said why on stderr.
    #[error("cargo could not build {0}")]
    Cargo(PathBuf),
    /// The crate has no library of the type `cdylib`.
    #[error("{0} makes no WebAssembly module: its Cargo.toml needs `[lib] crate-type = [\"cdylib\"]`")]
    NoModule(PathBuf),
    /// The core module can't be wrapped.
    #[error("the module is not an adapter: {0}")]
    NotAnAdapter(String),
}

/// Wraps a core module, with the description of its world that `wit-bindgen` put into it, as a component.
///
/// # Errors
/// [`BuildError::NotAnAdapter`] where the module is malformed, carries no world, or lacks an export of its world.
pub fn componentize(core_wasm: &[u8]) -> Result<Vec<u8>, BuildError> {
    let refuse = |error| BuildError::NotAnAdapter(format!("{error:#}"));
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(core_wasm)
        .map_err(refuse)?
        .encode()
        .map_err(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_module_are_refused() {
        assert!(matches!(componentize(b"no wasm"), Err(BuildError::NotAnAdapter(_))));
    }

    #[test]
    fn a_module_cut_short_is_refused() {
        assert!(matches!(componentize(b"\0asm\x01\0\0\0\x01"), Err(BuildError::NotAnAdapter(_))));
    }
}
