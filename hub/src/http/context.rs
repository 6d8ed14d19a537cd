//! What the endpoints need of the hub, handed in by whoever builds it.

use std::net::IpAddr;
use std::sync::Arc;

use super::connections::ConnectionLimits;
use super::limits::Limits;
use super::proxies::Proxies;
use super::upload::Uploads;
use super::views::{Part, PolicyView};
use crate::access::{Access, Permit, Tokens};
use crate::actors::Tree;
use crate::actors::adapters::AdapterDesk;
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
    /// Whether callers come over TLS.
    pub secure: bool,
    /// How many connections there may be.
    pub connections: ConnectionLimits,
    /// Whose word is taken for where a request came from.
    pub proxies: Proxies,
    /// Every actor.
    pub tree: Tree,
    /// Every plugin.
    pub adapters: Adapters,
    /// Swaps their components.
    pub swaps: AdapterDesk,
    /// How the hub itself is.
    pub insight: Arc<dyn Insight>,
    /// Turns for reading documents.
    pub uploads: Uploads,
}

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
    /// Somebody was shown a client, its accounts or its devices: that goes on the record, behind the request.
    fn looked(&self, look: Look<'_>);
}

/// Who was shown which client.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// Who, and through which action.
    pub permit: &'a Permit,
    /// The client.
    pub reference: &'a str,
    /// The request's id.
    pub request_id: &'a str,
    /// Where it came from.
    pub address: IpAddr,
}
