//! The composition root: one short step for each stage, and the way out in the opposite order.
//!
//! Configuration is whole before anything is opened. The journal comes first and goes last; whoever answers requests is
//! started when everything behind it stands.

mod actors;
mod announce;
mod children;
pub mod data;
mod demo;
mod insight;
mod links;
mod serve;

pub use demo::demo;
pub use serve::{Serving, StartError, serve};
