//! Questions to an outside system beside the deliveries: devices, relationships and cases that somebody gave a reason to
//! look at again. They have a bound of their own, so that no delivery waits for them.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::task::JoinSet;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use super::devices::FollowError;
use super::work::Worker;
use super::{cases, devices, relationship};
use crate::adapters::CallError;
use crate::domain::delivery::Adapter;
use crate::telemetry::TraceContext;

/// How far it is with a client.
#[derive(Debug)]
enum Stage {
    /// It is being asked about. `again`: a hint came meanwhile, and the answer may be of before it.
    Asked { again: bool },
    /// No answer was to be had; it is asked about once more when this ends.
    Rests(Key),
}

/// A client, and the number of the attempt to learn about it (1 for the first).
type Question = (String, u32);

/// The questions to one outside system.
pub struct Asides {
    worker: Worker,
    most: usize,
    running: JoinSet<(Question, Option<Duration>)>,
    resting: DelayQueue<Question>,
    stages: HashMap<String, Stage>,
}

impl Asides {
    /// At `most` so many at once.
    pub fn new(worker: Worker, most: usize) -> Self {
        Self { worker, most, running: JoinSet::new(), resting: DelayQueue::new(), stages: HashMap::new() }
    }

    /// How many are under way.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Whether one more may begin.
    pub fn has_room(&self) -> bool {
        self.running() < self.most
    }

    /// Goes on with what ends next; without anything to wait for it never returns. Dropping this loses nothing.
    pub async fn advance(&mut self) {
        let room = self.has_room();
        tokio::select! {
            Some(ended) = self.running.join_next() => self.ended(ended.ok()),
            Some(rested) = self.resting.next(), if room => self.ask(rested.into_inner()),
            else => std::future::pending().await,
        }
    }

    /// Somebody has a reason to ask about a client again; what was read meanwhile is not.
    pub fn hinted(&mut self, client: &str) {
        let record = self.worker.state.any_client(client);
        if self.worker.adapter != Adapter::Crm || record.is_some_and(|record| relationship::is_stale(&record)) {
            self.about(client);
        }
    }

    /// Asks about a client, at once or, where that is being done already, once more.
    pub fn about(&mut self, client: &str) {
        match self.stages.get_mut(client) {
            Some(Stage::Asked { again }) => {
                *again = true;
                return;
            }
            Some(Stage::Rests(key)) => drop(self.resting.remove(key)),
            None => {}
        }
        self.ask((client.to_owned(), 1));
    }

    fn ask(&mut self, question: Question) {
        self.stages.insert(question.0.clone(), Stage::Asked { again: false });
        let worker = self.worker.clone();
        self.running.spawn(TraceContext::scope(Some(TraceContext::new()), async move {
            let (client, attempt) = &question;
            let asked = match worker.adapter {
                Adapter::Identity => devices::list(&worker, client).await,
                Adapter::Crm => relationship::refresh(&worker, client).await,
                Adapter::Kyc => cases::ask(&worker, client).await,
                Adapter::CoreBanking | Adapter::Messaging => Ok(()),
            };
            let rest = asked.err().and_then(|error| {
                let rest = rest(&worker, &error, *attempt);
                let adapter = worker.adapter.as_str();
                tracing::info!(adapter, %client, attempt, again_in = ?rest, %error, "an outside system could not be asked");
                rest
            });
            (question, rest)
        }));
    }

    /// A question has come to its end. About whom a panic was is not known: then all may be asked about again.
    fn ended(&mut self, ended: Option<(Question, Option<Duration>)>) {
        let Some(((client, attempt), rest)) = ended else {
            let asked = self.stages.extract_if(|_, stage| matches!(stage, Stage::Asked { .. }));
            let again = asked.filter(|(_, stage)| matches!(stage, Stage::Asked { again: true }));
            for (client, _) in again.collect::<Vec<_>>() {
                self.hinted(&client);
            }
            return;
        };
        if let Some(Stage::Asked { again: true }) = self.stages.remove(&client) {
            self.hinted(&client);
        } else if let Some(rest) = rest {
            let key = self.resting.insert((client.clone(), attempt + 1), rest);
            self.stages.insert(client, Stage::Rests(key));
        }
    }
}

/// How long to wait before asking once more: by the schedule of the deliveries. Only what the identity system's own events
/// say is asked for like this; relationships and cases come up again by themselves.
fn rest(worker: &Worker, error: &FollowError, attempt: u32) -> Option<Duration> {
    let asked = match error {
        FollowError::Call(CallError::Reject { .. }) => return None,
        FollowError::Call(CallError::Retry { after, .. }) => *after,
        _ => None,
    };
    let now = worker.clock.now();
    let next = worker.schedule.next(attempt, now, asked, rand::random());
    (next? - now).to_std().ok().filter(|_| worker.adapter == Adapter::Identity)
}
