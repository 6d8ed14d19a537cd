//! Untrusted JSON made into typed values, or all that is wrong with it at once.
//!
//! The rules are those of the REST contract. Nothing here knows HTTP, the state or who asks: whether a reference exists
//! or a status may change is decided elsewhere. Times are handed in. No error repeats a value that was sent, since it
//! may be personal.

pub mod body;
pub mod client;
mod codes;
mod countries;
pub mod decision;
pub mod fields;
pub mod formats;
mod languages;
pub mod tree;

pub use client::{Draft, Mode, draft};
pub use fields::{FieldError, Fields, Flaw};
pub use tree::Tree;
