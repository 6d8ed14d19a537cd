//! A plain future as a supervised child, for what takes no messages: the notifier, watchers of files.

use std::future::Future;
use std::sync::Arc;

use actix::ArbiterHandle;
use tokio::sync::oneshot;

use super::TaskEnd;
use super::actor::watched;
use super::keeper::Child;
use super::lifeline::Lifeline;
use crate::actors::node::{ActorState, Node};

pub(super) struct TaskChild<F> {
    pub(super) factory: F,
    pub(super) node: Arc<Node>,
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
            let task = tokio::task::spawn_local((child.factory)(lifeline.clone()));
            lifeline.rise();
            child.node.set(ActorState::Running);
            let reason = watched(task, &lifeline).await;
            // The keeper is gone only where the whole system goes.
            let _ = ended.send(reason);
        });
        down
    }

    /// Nothing can wait for a task, so its silence means nothing.
    fn is_awaited(&self) -> bool {
        false
    }

    fn withdraw(&self, _for_good: bool) {}
}
