//! A plain future as a supervised child, for what takes no messages: the notifier, watchers of files.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix::ArbiterHandle;
use tokio::sync::oneshot;

use super::TaskEnd;
use super::actor::watched;
use super::keeper::Child;
use super::lifeline::Lifeline;
use crate::actors::node::{ActorState, Node};
use crate::faults;

pub(super) struct TaskChild<F> {
    pub(super) factory: F,
    pub(super) node: Arc<Node>,
    /// The time between two signs of life.
    pub(super) pulse: Duration,
}

impl<F, T> Child for TaskChild<F>
where
    F: Fn(Lifeline) -> T + Send + Sync + 'static,
    T: Future<Output = TaskEnd> + Send + 'static,
{
    fn begin(self: &Arc<Self>, thread: &ArbiterHandle, lifeline: Lifeline) -> oneshot::Receiver<String> {
        let (ended, down) = oneshot::channel();
        let child = Arc::clone(self);
        thread.spawn(async move {
            let (work, node) = ((child.factory)(lifeline.clone()), child.node.clone());
            let task = tokio::task::spawn_local(async move { faults::beside("task", node.path(), work).await });
            lifeline.rise();
            child.node.set(ActorState::Running);
            let reason = tokio::select! {
                reason = watched(task, &lifeline) => reason,
                never = beat(&lifeline, child.pulse) => match never {},
            };
            // The keeper is gone only where the whole system goes.
            let _ = ended.send(reason);
        });
        down
    }

    /// What works by itself is always to be heard: its pulse says that its thread moves, not what it works at.
    fn is_awaited(&self) -> bool {
        true
    }

    fn withdraw(&self, _for_good: bool) {}
}

/// Gives a sign of life for as long as the thread moves.
async fn beat(lifeline: &Lifeline, pulse: Duration) -> Infallible {
    loop {
        lifeline.beat();
        tokio::time::sleep(pulse).await;
    }
}
