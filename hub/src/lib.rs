//! Clients Hub: one REST API of thirteen operations over CRM, core banking, KYC, identity and messaging systems.

pub mod access;
pub mod actors;
pub mod domain;
pub mod http;
pub mod journal;
pub mod state;
pub mod telemetry;
