//! Stand-in until `actors` is merged.
pub mod commands;
