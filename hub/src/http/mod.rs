//! The REST front: from a connection to a decision and back.
//!
//! One request passes `serve` (the connection), `pipeline` (what every request goes through), `routes` (which endpoint)
//! and one endpoint of a resource's file. An endpoint has three pieces: a filter that describes its route, an injector
//! (`request`), and a plain async function that decides and knows no warp. Everything after the match is a `Result`,
//! mapped to a reply in one place (`request::reply`).
//!
//! Nothing here knows the journal, casbin or a plugin. It asks `access` for a permit, `state` for what is, and
//! `actors` for what shall be; without a permit neither can be asked to change anything.
//!
//! Invariants: the order of checks is that of the contract; a caller learns nothing about what it may not see; every
//! answer has a request id, a line in the log and a count; no body, wait or list is without a bound.
#![allow(clippy::unused_async, reason = "every endpoint is an async function, whether or not it waits")]

mod accounts;
mod adapters;
mod admin;
mod answer;
mod body;
mod buckets;
mod call;
mod connections;
mod context;
mod cursor;
mod devices;
mod docs;
mod documents;
mod etag;
mod failures;
mod health;
mod history;
pub mod idempotency;
mod jobs;
mod json;
mod kyc;
mod limits;
mod listing;
mod media;
pub mod openapi;
mod parameters;
mod parked;
mod path;
mod pipeline;
mod policies;
mod problem;
mod profile;
mod proxies;
mod query;
mod request;
mod routes;
mod schema;
mod schema_in;
mod serve;
mod shares;
mod starred;
mod statuses;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
mod tls;
mod upload;
pub mod views;

pub use connections::ConnectionLimits;
pub use context::{HttpContext, Insight, Look};
pub use limits::{Limits, Rate};
pub use pipeline::Front;
pub use proxies::Proxies;
pub use serve::serve;
pub use tls::{Tls, TlsConfig, TlsError};
pub use upload::Uploads;
