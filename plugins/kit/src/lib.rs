//! What adapters written in Rust share.
mod bindings;
pub use bindings::backoffice::adapter::{http, log, settings, store, types};
