//! Supervision: makes children from factories, and makes them again when they fail.
//!
//! actix's own supervisor does not restart a panicked actor and has no backoff and no budget, so this one watches
//! the task that an actor runs in: its end, by a panic, a stop or a reason of its own, is seen at once; its silence,
//! while messages wait, counts as failure too. A supervisor is a plain task on the system's own thread, where no
//! actor runs. It restarts a child with growing waits; when the child's budget is spent its group restarts all of its
//! children; when the group's is spent, its own parent decides, up to the root, where it is fatal.
//!
//! It refuses to know what a child does, and keeps nothing of a child's state from one life to the next.

mod actor;
pub(super) mod group;
mod keeper;
pub(super) mod lifeline;
pub(super) mod policy;
mod task;

use std::future::Future;
use std::sync::Arc;

use actix::{Actor, Context};
use tokio::sync::watch;

use super::mailbox::{Mailbox, Slot};
use super::node::Node;
use super::system::ActorThread;
use super::tree::{Tree, TreeError, path};
use keeper::Keeper;
use lifeline::Lifeline;
use policy::RestartPolicy;

/// Where a child runs.
#[derive(Debug, Clone, Default)]
pub enum Seat {
    /// On a thread of its own.
    #[default]
    Own,
    /// On a thread that it shares with others: cheaper, but one that blocks takes its neighbours along.
    Shared(ActorThread),
}

/// How to make an actor, and how to look after it.
pub struct ChildSpec<A: Actor> {
    /// Its name below its parent.
    pub name: String,
    /// Messages that may wait or be handled at once, at least 1.
    pub mailbox: usize,
    /// Where it runs.
    pub seat: Seat,
    /// Makes it, for each life anew; from what is durable, never from what the last one knew. Must not block.
    pub factory: Box<dyn Fn(Lifeline) -> A + Send + Sync>,
    /// When it is made again.
    pub policy: RestartPolicy,
}

/// What a supervised task gives when it ends: always a failure unless it was asked to leave; the text says why.
pub type TaskEnd = Result<(), String>;

/// How to make a task that takes no messages, and how to look after it.
pub struct TaskSpec<F> {
    /// Its name below its parent.
    pub name: String,
    /// Where it runs.
    pub seat: Seat,
    /// Makes the future, for each life anew. It ends itself when [`Lifeline::leaving`] says so.
    pub factory: F,
    /// When it is made again. `stuck_after` bounds how long it may block its thread, and how long it may take to leave.
    pub policy: RestartPolicy,
}

/// Starts the actor below `parent` and looks after it. Returns at once; see [`Mailbox::started`].
///
/// # Errors
/// The name is taken, or there is no such parent.
pub fn supervise<A>(tree: &Tree, parent: &str, spec: ChildSpec<A>) -> Result<Mailbox<A>, TreeError>
where
    A: Actor<Context = Context<A>>,
{
    let ChildSpec { name, mailbox, seat, factory, policy } = spec;
    let capacity = mailbox.max(1);
    let (slot, view) = watch::channel(Slot::Restarting);
    let gauge = view.clone();
    let depth = Box::new(move || match &*gauge.borrow() {
        Slot::Running(running) => capacity.saturating_sub(running.permits.available_permits()),
        Slot::Restarting | Slot::Closed => 0,
    });
    let group = tree.parent(parent)?;
    let node = Node::new(path(parent, &name), capacity, depth);
    tree.insert(&node)?;
    let child =
        Arc::new(actor::ActorChild { factory, slot, capacity, node: Arc::clone(&node), pulse: policy.stuck_after / 4 });
    let keeper = Keeper::new(tree.clone(), Arc::clone(&node), group, policy);
    tree.keep(keeper.run(child, seat));
    Ok(Mailbox::new(view, node, tree.supervisors().clone()))
}

/// Starts the task below `parent` and looks after it as after an actor.
///
/// # Errors
/// The name is taken, or there is no such parent.
pub fn supervise_task<F, T>(tree: &Tree, parent: &str, spec: TaskSpec<F>) -> Result<(), TreeError>
where
    F: Fn(Lifeline) -> T + Send + Sync + 'static,
    T: Future<Output = TaskEnd> + Send + 'static,
{
    let TaskSpec { name, seat, factory, policy } = spec;
    let group = tree.parent(parent)?;
    let node = Node::new(path(parent, &name), 0, Box::new(|| 0));
    tree.insert(&node)?;
    let child = Arc::new(task::TaskChild { factory, node: Arc::clone(&node), pulse: policy.stuck_after / 4 });
    tree.keep(Keeper::new(tree.clone(), node, group, policy).run(child, seat));
    Ok(())
}

/// Makes a group below `parent` (the root is ``""``) that children and other groups can be put into by its path.
///
/// # Errors
/// The name is taken, or there is no such parent.
pub fn group(tree: &Tree, parent: &str, name: &str, policy: RestartPolicy) -> Result<(), TreeError> {
    let above = tree.parent(parent)?;
    let path = path(parent, name);
    let node = Node::new(path.clone(), 0, Box::new(|| 0));
    tree.insert(&node)?;
    let (group, escalations) = group::Group::new();
    tree.insert_group(&path, &group);
    tree.keep(group::look_after(tree.clone(), node, group, escalations, above, policy));
    Ok(())
}
