//! Clients, devices, their life cycles and what is owed to the outside systems, as pure functions.
//!
//! `decide(state, command) → events` says what happens, `evolve(state, event) → state` what is so afterwards.
//! Nothing here does I/O, reads a clock or draws a random number: times and references are handed in.
//! Whoever folds the same events in the same order gets the same state.

pub mod changes;
pub mod client;
pub mod delivery;
pub mod device;
pub mod due;
pub mod event;
pub mod filter;
pub mod kyc;
pub mod moment;
pub mod owed;
pub mod parked;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod parked_tests;
pub mod profile;
pub mod reference;
pub mod refusal;
pub mod settled;
pub mod validate;

/// The member that stands for the hub itself on the record; no token may claim to be it.
pub const HUB: &str = "hub";
