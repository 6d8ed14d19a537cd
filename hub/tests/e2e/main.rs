//! The hub as an outsider meets it: the real program against the simulated outside systems and a real NATS server, each
//! on a free port of loopback and in a folder of its own.
//!
//! One crate, so that it is linked once. `harness` starts and ends things; every other module is a part of the contract.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::too_many_lines,
    clippy::missing_panics_doc,
    clippy::await_holding_refcell_ref,
    clippy::items_after_statements
)]

mod harness;

mod attacked;
mod bodies;
mod calls;
mod clocks;
mod disk;
mod events;
mod examples;
mod faults;
mod kill;
mod limits;
mod lists;
mod markers;
mod onboarding;
mod operations;
mod overload;
mod parked;
mod records;
mod repeats;
mod rolling;
mod swap;
mod tokens;
