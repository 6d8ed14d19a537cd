//! What the endpoints need of the hub, handed in by whoever builds it.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::limits::Limits;
use super::views::{ActorView, AdapterView, ParkedView, Part, PolicyView};
use crate::access::{Access, Tokens};
use crate::actors::commands::Commands;
use crate::state::State;
use crate::telemetry::Metrics;

/// The parts of the hub that answer requests.
pub struct HttpContext {
    /// What is read.
    pub state: State,
    /// What is changed.
    pub commands: Commands,
    /// Who may do what.
    pub access: Arc<Access>,
    /// Who a token speaks for.
    pub tokens: Arc<Tokens>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How many requests are taken.
    pub limits: Limits,
    /// How the hub itself is.
    pub insight: Arc<dyn Insight>,
    /// Turns for reading documents, each up to 20 MiB of memory.
    pub uploads: Semaphore,
}

/// How many documents may be read at once.
pub const UPLOADS: usize = 4;

/// How the hub itself is, for the operator. Every answer is a snapshot that is at hand: nobody is asked while a caller waits.
pub trait Insight: Send + Sync + 'static {
    /// How each part is.
    fn readiness(&self) -> Vec<Part>;
    /// Every actor of the supervisor tree, parents before children.
    fn tree(&self) -> Vec<ActorView>;
    /// Every configured adapter.
    fn adapters(&self) -> Vec<AdapterView>;
    /// What is in force.
    fn policies(&self) -> PolicyView;
    /// What was set aside, at most `limit`, oldest first, of one adapter or of all.
    fn parked(&self, adapter: Option<&str>, limit: usize) -> Vec<ParkedView>;
    /// A client was viewed: what the CRM knows of it may be fetched again, behind the request.
    fn viewed(&self, org: &str, reference: &str);
}
