//! Clients Hub: one REST API of thirteen operations over CRM, core banking, KYC, identity and messaging systems.

pub mod access;
pub mod cli;
pub mod domain;
