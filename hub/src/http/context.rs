//! What the endpoints need of the hub, handed in by whoever builds it.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::limits::Limits;
use super::views::{Part, PolicyView};
use crate::access::{Access, Tokens};
use crate::actors::Tree;
use crate::actors::commands::Commands;
use crate::adapters::Adapters;
use crate::state::history::HistoryPage;
use crate::state::{ClientRecord, State};
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
    /// Every actor.
    pub tree: Tree,
    /// Every plugin.
    pub adapters: Adapters,
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
    /// What is in force.
    fn policies(&self) -> PolicyView;
    /// A part of a client's history, newest first, below entry `before`.
    ///
    /// # Errors
    /// It can't be read, for the log.
    fn history(&self, org: &str, reference: &str, before: Option<u64>, limit: usize) -> Result<HistoryPage, String>;
    /// A client was viewed: what the CRM knows of it may be fetched again, behind the request.
    fn viewed(&self, client: &ClientRecord);
}
