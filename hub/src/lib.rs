//! Clients Hub: one REST API of thirteen operations over CRM, core banking, KYC, identity and messaging systems.

#[path = "standin/access.rs"]
pub mod access;
pub mod actors;
pub mod adapters;
pub mod domain;
pub mod http;
pub mod journal;
pub mod state;
pub mod sync;
pub mod telemetry;
