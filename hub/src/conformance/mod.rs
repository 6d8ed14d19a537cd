//! The conformance suite behind `hub plugin check`: is a component fit to be trusted with deliveries?
//!
//! The component runs in the real sandbox, and the hub plays its outside system over HTTP on loopback: with the answers
//! that the vendor has scripted, or in front of a simulator or test instance of the vendor's. Every request of every
//! function is then disturbed in every way, and what the component says of it is held against the contract: nothing that
//! may have had an effect may be called harmless, nothing harmless may be lost, a repeat has one effect.
//!
//! Refuses to know any product: what it knows of a conversation is what it saw pass when nothing was disturbed.
//! Invariants: a case begins with a new client and no memory of the one before; the verdict is a pure function of what was
//! sent, what came and whether it had an effect.

mod acts;
mod backend;
mod clients;
mod fault;
mod judge;
mod reach;
mod report;
mod script;
mod suite;

pub use backend::{Backend, Exchange};
pub use report::{Case, Report, Verdict};
pub use script::Script;
pub use suite::{Checked, run};
