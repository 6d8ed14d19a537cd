//! One supervised child's entry in the tree: how it is, and what operators see of it.
//!
//! Invariant: a report holds names, states and numbers; reasons are written without data of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;

/// How a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ActorState {
    /// It takes messages.
    Running,
    /// It is being made, for the first time or again.
    Restarting,
    /// Its budget is spent; its parent decides.
    Failed,
    /// The hub is stopping.
    Stopped,
}

/// The last failure of a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastFailure {
    /// When.
    pub at: DateTime<Utc>,
    /// Why, without data of clients.
    pub reason: String,
}

/// One child, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActorReport {
    /// Its path, as in `clients/shard-0`.
    pub name: String,
    /// How it is.
    pub state: ActorState,
    /// Since when.
    #[serde(with = "crate::domain::moment")]
    pub since: DateTime<Utc>,
    /// Messages that wait or are being handled.
    pub mailbox_depth: usize,
    /// How many there may be; 0 for what takes no messages.
    pub mailbox_capacity: usize,
    /// Messages refused because there were as many.
    pub overloaded: u64,
    /// How often it was made again since the hub started.
    pub restarts: u64,
    /// Its last failure, if it ever failed.
    pub last_failure: Option<LastFailure>,
}

/// The whole tree at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TreeReport {
    /// Every child, by path.
    pub actors: Vec<ActorReport>,
    /// Threads given up because an actor blocked them.
    pub abandoned_threads: u32,
}

struct Status {
    state: ActorState,
    since: DateTime<Utc>,
    restarts: u64,
    last_failure: Option<LastFailure>,
}

type Depth = Box<dyn Fn() -> usize + Send + Sync>;

/// One child's entry in the tree.
pub(super) struct Node {
    path: String,
    status: Mutex<Status>,
    capacity: usize,
    depth: Depth,
    pub(super) overloaded: AtomicU64,
}

impl Node {
    pub(super) fn new(path: String, capacity: usize, depth: Depth) -> Arc<Self> {
        let status = Status { state: ActorState::Restarting, since: Utc::now(), restarts: 0, last_failure: None };
        Arc::new(Self { path, status: Mutex::new(status), capacity, depth, overloaded: AtomicU64::new(0) })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Messages that wait or are being handled.
    pub(super) fn depth(&self) -> usize {
        (self.depth)()
    }

    pub(super) fn set(&self, state: ActorState) {
        let mut status = self.status.lock();
        if status.state != state {
            status.state = state;
            status.since = Utc::now();
        }
    }

    pub(super) fn failed(&self, reason: &str) {
        self.set(ActorState::Restarting);
        self.status.lock().last_failure = Some(LastFailure { at: Utc::now(), reason: reason.to_owned() });
    }

    pub(super) fn restarted(&self) {
        let mut status = self.status.lock();
        status.restarts = status.restarts.saturating_add(1);
    }

    pub(super) fn state(&self) -> ActorState {
        self.status.lock().state
    }

    pub(super) fn report(&self) -> ActorReport {
        let depth = self.depth();
        let status = self.status.lock();
        ActorReport {
            name: self.path.clone(),
            state: status.state,
            since: status.since,
            mailbox_depth: depth,
            mailbox_capacity: self.capacity,
            overloaded: self.overloaded.load(Ordering::Relaxed),
            restarts: status.restarts,
            last_failure: status.last_failure.clone(),
        }
    }
}
