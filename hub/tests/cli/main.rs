//! The `hub` program as an operator uses it: the real binary, in a folder of its own for each test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod data;
mod decisions;
mod import;
mod journal;
mod policy;
mod running;
mod support;
mod words;
