//! The sandbox against real components: what a guest may do, what stops it, and what is said of it afterwards.
//!
//! The guest is `plugins/dist/fixtures/behaviour.wasm`, which does what its setting `behave` says; for what no compiler
//! makes, `hand` makes one of text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod backend;
mod beside;
mod containment;
mod egress;
mod growth;
mod hand;
mod loading;
mod logs;
mod registry;
mod smuggling;
mod support;
mod wasi;
