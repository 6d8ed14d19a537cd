//! The supervisor tree: every supervised child by its path, how it is, and what becomes of what is given up.
//!
//! It knows names, states and numbers; not what a child does. Operators see it as `GET /admin/tree` (CX020).
//!
//! Invariants: a path is used once; a child's failure reaches its parent before anybody else's child is touched;
//! what reaches the root is fatal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix::ArbiterHandle;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::node::{ActorState, Node, TreeReport};
use super::supervisor::group::Group;
use super::system::{ActorSystem, ThreadMaker};

/// Threads that may hang before the process has to end: the second one ends it.
const HUNG_THREADS_ALLOWED: u32 = 1;

/// Why a child can't be put into the tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The path is taken.
    #[error("the tree already has `{0}`; names are unique below their parent")]
    Duplicate(String),
    /// There is no such parent.
    #[error("the tree has no group `{name}`; it has {known}")]
    UnknownParent {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

/// Why the process has to end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is given up: {reason}")]
pub struct Fatal {
    /// The part of the tree.
    pub path: String,
    /// What happened there.
    pub reason: String,
}

/// The tree. Cheap to clone; clones are the same tree.
#[derive(Clone)]
pub struct Tree(Arc<Trunk>);

struct Trunk {
    nodes: Mutex<BTreeMap<String, Arc<Node>>>,
    groups: Mutex<BTreeMap<String, Arc<Group>>>,
    fatal: watch::Sender<Option<Fatal>>,
    abandoned: AtomicU32,
    keepers: TaskTracker,
    supervisors: ArbiterHandle,
    maker: ThreadMaker,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("nodes", &self.0.nodes.lock().len()).finish_non_exhaustive()
    }
}

impl Tree {
    /// A tree whose supervisors run on the system's own thread. It has the root, whose name is empty.
    #[must_use]
    pub fn new(system: &ActorSystem) -> Self {
        let tree = Self(Arc::new(Trunk {
            nodes: Mutex::default(),
            groups: Mutex::default(),
            fatal: watch::Sender::new(None),
            abandoned: AtomicU32::new(0),
            keepers: TaskTracker::new(),
            supervisors: system.supervisors(),
            maker: system.maker(),
        }));
        tree.0.groups.lock().insert(String::new(), Group::root());
        tree
    }

    /// Every child as it is now.
    #[must_use]
    pub fn report(&self) -> TreeReport {
        let actors = self.0.nodes.lock().values().map(|node| node.report()).collect();
        TreeReport { actors, abandoned_threads: self.0.abandoned.load(Ordering::Relaxed) }
    }

    /// Paths of the children that are being made, or made again.
    #[must_use]
    pub fn degraded(&self) -> Vec<String> {
        self.in_state(ActorState::Restarting)
    }

    /// Paths of the children whose budget is spent.
    #[must_use]
    pub fn failed(&self) -> Vec<String> {
        self.in_state(ActorState::Failed)
    }

    fn in_state(&self, state: ActorState) -> Vec<String> {
        self.0.nodes.lock().values().filter(|node| node.state() == state).map(|node| node.path().to_owned()).collect()
    }

    /// Returns when the process has to end: the root has nobody to escalate to, or a second thread hangs.
    pub async fn fatal(&self) -> Fatal {
        let mut fatal = self.0.fatal.subscribe();
        let told = fatal.wait_for(Option::is_some).await.ok().and_then(|told| told.clone());
        match told {
            Some(fatal) => fatal,
            // The sender lives in `self`.
            None => std::future::pending().await,
        }
    }

    /// Stops every child, in no order, and waits until all have ended, `deadline` at most. `false` where some have not.
    pub async fn stop(&self, deadline: Duration) -> bool {
        if let Some(root) = self.0.groups.lock().get("") {
            root.stop();
        }
        self.0.keepers.close();
        tokio::time::timeout(deadline, self.0.keepers.wait()).await.is_ok()
    }

    pub(super) fn supervisors(&self) -> &ArbiterHandle {
        &self.0.supervisors
    }

    pub(super) fn maker(&self) -> &ThreadMaker {
        &self.0.maker
    }

    /// Runs a supervisor. The loops themselves hold no panic; [`Tree::stop`] waits for them.
    pub(super) fn keep(&self, keeper: impl Future<Output = ()> + Send + 'static) {
        self.0.supervisors.spawn(self.0.keepers.track_future(keeper));
    }

    pub(super) fn parent(&self, name: &str) -> Result<Arc<Group>, TreeError> {
        let groups = self.0.groups.lock();
        groups.get(name).cloned().ok_or_else(|| TreeError::UnknownParent {
            name: name.to_owned(),
            known: groups.keys().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", "),
        })
    }

    pub(super) fn insert(&self, node: &Arc<Node>) -> Result<(), TreeError> {
        let mut nodes = self.0.nodes.lock();
        if nodes.contains_key(node.path()) {
            return Err(TreeError::Duplicate(node.path().to_owned()));
        }
        nodes.insert(node.path().to_owned(), Arc::clone(node));
        Ok(())
    }

    pub(super) fn insert_group(&self, path: &str, group: &Arc<Group>) {
        self.0.groups.lock().insert(path.to_owned(), Arc::clone(group));
    }

    /// Declares the process lost. The first reason stays.
    pub(super) fn give_up(&self, path: &str, reason: &str) {
        self.0.fatal.send_if_modified(|fatal| {
            let first = fatal.is_none();
            if first {
                tracing::error!(path, reason, "the supervisor tree is given up");
                *fatal = Some(Fatal { path: path.to_owned(), reason: reason.to_owned() });
            }
            first
        });
    }

    /// Counts a thread that an actor has blocked.
    pub(super) fn count_abandoned(&self, path: &str) {
        let before = self.0.abandoned.fetch_add(1, Ordering::Relaxed);
        tracing::error!(path, abandoned = before.saturating_add(1), "an actor blocks its thread");
        if before >= HUNG_THREADS_ALLOWED {
            self.give_up(path, "a second thread hangs in an actor");
        }
    }
}

/// `parent/name`, or `name` below the root.
pub(super) fn path(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}
