//! Clients Hub: one REST API of thirteen operations over CRM, core banking, KYC, identity and messaging systems.

pub mod access;
pub mod actors;
pub mod adapters;
pub mod cli;
pub mod config;
pub mod conformance;
pub mod domain;
pub mod faults;
pub mod file;
pub mod http;
pub mod journal;
pub mod notify;
pub mod startup;
pub mod state;
pub mod sync;
pub mod telemetry;
