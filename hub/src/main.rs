//! The `hub` program.

use std::process::ExitCode;

use clap::Parser;
use hub::cli::{Cli, run};

fn main() -> ExitCode {
    run(Cli::parse())
}
