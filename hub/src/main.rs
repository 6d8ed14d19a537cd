//! The `hub` program.

use std::process::ExitCode;

use clap::Parser;
use hub::cli::{Cli, run};

/// Requests are made on one thread, committed on a second and dropped on a third, which glibc's allocator is slow at.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    run(Cli::parse())
}
