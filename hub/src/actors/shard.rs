//! A shard: the actor that owns a part of the clients, devices or members.
//!
//! Commands on one lane never interleave: each waits for its turn. While one lane's append flies, the others go on, so that
//! the journal's groups are as large as the load allows. A shard keeps nothing that its next life would miss.

use std::collections::HashMap;
use std::sync::Arc;

use actix::{Actor, ActorContext, Context, Handler, ResponseFuture};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::command::{Answer, Ask, CommandError, Done};
use super::desk::Desk;
use crate::faults;
use crate::telemetry::TraceContext;

/// Lanes that are remembered before those that nobody waits for are forgotten.
const LANES: usize = 1_024;

/// The actor.
pub(super) struct Shard {
    desk: Arc<Desk>,
    lanes: HashMap<String, Arc<Mutex<()>>>,
}

impl Shard {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk, lanes: HashMap::new() }
    }

    fn lane(&mut self, name: &str) -> Arc<Mutex<()>> {
        if self.lanes.len() >= LANES {
            self.lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        self.lanes.entry(name.to_owned()).or_default().clone()
    }
}

impl Actor for Shard {
    type Context = Context<Self>;
}

impl Handler<Ask> for Shard {
    type Result = ResponseFuture<Result<Answer<Done>, CommandError>>;

    fn handle(&mut self, ask: Ask, context: &mut Self::Context) -> Self::Result {
        if faults::strike("shard", ask.permit.org()).is_err() {
            context.stop();
        }
        let (lane, desk) = (self.lane(&ask.lane), self.desk.clone());
        let (trace, span) = (ask.trace, ask.span.clone());
        let work = async move {
            let _turn = lane.lock().await;
            desk.carry_out(&ask).await
        };
        Box::pin(TraceContext::scope(trace, work).instrument(span))
    }
}
