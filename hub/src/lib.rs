//! Clients Hub: one REST API of thirteen operations over CRM, core banking, KYC, identity and messaging systems.

#[path = "standin/access.rs"]
pub mod access;
pub mod actors;
pub mod adapters;
pub mod domain;
pub mod http;
pub mod journal;
#[path = "standin/state.rs"]
pub mod state;
pub mod telemetry;
