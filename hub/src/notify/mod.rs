//! What the hub tells the world, and the one thing that the world may tell it: over NATS.
//!
//! Outward, every change in the journal becomes a CloudEvent 1.0 in structured JSON on `<subject>.<org>.<kind>`:
//! names of what changed, never values. Inward, device events of the identity system are hints to list again.
//! It refuses to know where the journal keeps its entries ([`Source`]) and what becomes of a hint.
//!
//! Invariants:
//! - Entries go out in the journal's order, each at least once. Into JetStream each goes exactly once, over restarts,
//!   lost answers and rebuilds: the position is read from the stream's own last message, and each message names what it
//!   must follow.
//! - Without NATS nothing is kept in memory but a position.
//! - Nothing that arrives is taken as data.

mod cloud_event;
mod config;
mod core;
mod hint;
mod jetstream;
mod link;
mod notifier;
mod progress;
mod source;
mod status;

pub use cloud_event::is_announced;
pub use config::{Credentials, NatsConfig, NatsConfigError, NatsUrl, SecretPlace, StreamName, SubjectPrefix};
pub use hint::{DeviceChange, DeviceHint};
pub use notifier::Notifier;
pub use source::{Entries, Source, SourceEntry, SourceError};
pub use status::NotifyStatus;
