//! `hub plugin …` as vendors and operators use it: the real program on real components.
//!
//! The components are those of `make plugins`; the outside systems are the simulated ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(missing_docs)]

mod bundled;
mod defects;
mod examples;
mod inspect;
mod project;
mod signing;
mod support;
