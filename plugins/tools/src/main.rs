//! `plugin-build DIR…`: what `make plugins` runs.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use plugin_build::{BuildError, Places, Toolchain, build};

/// Builds adapters' crates into components. For example: plugin-build plugins/crm plugins/kyc
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folders of the adapters' crates.
    #[arg(required = true)]
    projects: Vec<PathBuf>,
    /// Where the components go.
    #[arg(long, default_value = "plugins/dist")]
    out: PathBuf,
    /// Where cargo works; the standard library for WASM is built into it once.
    #[arg(long, default_value = "target/wasm")]
    target_dir: PathBuf,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("plugin-build: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), BuildError> {
    let toolchain = Toolchain::find()?;
    let places = Places { target_dir: arguments.target_dir, out: arguments.out };
    for project in arguments.projects {
        say(&build(&toolchain, &project, &places)?.to_string());
    }
    Ok(())
}

/// One line to stderr. Nobody is left to tell when that fails.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
