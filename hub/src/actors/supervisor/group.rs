//! Supervisors of supervisors: what follows when a child's budget is spent.
//!
//! A group restarts all of its children, since what one of them can't recover from alone may be state that they
//! share. It does so within a budget of its own, then asks its own parent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::policy::{Record, RestartPolicy, Verdict};
use crate::actors::node::{ActorState, Node};
use crate::actors::tree::Tree;

/// Escalations that may wait for a group's decision; further children wait with theirs.
const ESCALATIONS: usize = 16;

/// What a group tells its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::actors) enum Order {
    /// Run; a number that has changed means: start anew.
    Run(u64),
    /// End.
    Stop,
}

/// A child that its parent has to decide on.
#[derive(Debug)]
pub(in crate::actors) struct Escalation {
    /// The order under which it failed: a later one has already dealt with it.
    order: Order,
    path: String,
    reason: String,
}

/// The parent's side of a group.
#[derive(Debug)]
pub(in crate::actors) struct Group {
    orders: watch::Sender<Order>,
    /// `None` for the root, which has nobody to decide for it.
    escalations: Option<mpsc::Sender<Escalation>>,
}

impl Group {
    pub(in crate::actors) fn root() -> Arc<Self> {
        Arc::new(Self { orders: watch::Sender::new(Order::Run(0)), escalations: None })
    }

    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Escalation>) {
        let (escalations, inbox) = mpsc::channel(ESCALATIONS);
        (Arc::new(Self { orders: watch::Sender::new(Order::Run(0)), escalations: Some(escalations) }), inbox)
    }

    pub(in crate::actors) fn stop(&self) {
        self.orders.send_replace(Order::Stop);
    }

    fn start_anew(&self) {
        self.orders.send_modify(|order| {
            if let Order::Run(number) = order {
                *number = number.saturating_add(1);
            }
        });
    }

    pub(super) fn orders(&self) -> watch::Receiver<Order> {
        self.orders.subscribe()
    }

    /// Tells the group that a child is given up. At the root that is fatal.
    pub(super) async fn escalate(&self, tree: &Tree, node: &Node, order: Order, reason: &str) {
        node.set(ActorState::Failed);
        tracing::error!(actor = node.path(), reason, "restart budget spent");
        let (path, reason) = (node.path().to_owned(), reason.to_owned());
        match &self.escalations {
            Some(escalations) => {
                // Closed only when the group has stopped; then an order to stop follows.
                let _ = escalations.send(Escalation { order, path, reason }).await;
            }
            None => tree.give_up(&path, &reason),
        }
    }
}

/// The group's own loop. Ends with the order to stop.
pub(super) async fn look_after(
    tree: Tree,
    node: Arc<Node>,
    group: Arc<Group>,
    mut escalations: mpsc::Receiver<Escalation>,
    parent: Arc<Group>,
    policy: RestartPolicy,
) {
    let mut orders = parent.orders();
    let mut seen = *orders.borrow();
    let (mut record, mut since) = (Record::default(), Instant::now());
    node.set(ActorState::Running);
    loop {
        let order = *orders.borrow_and_update();
        if order == Order::Stop {
            break;
        }
        if order != seen {
            seen = order;
            record.forget();
            begin_anew(&node, &group, &mut since);
        }
        tokio::select! {
            changed = orders.changed() => if changed.is_err() { break },
            Some(escalation) = escalations.recv() => {
                if escalation.order != *group.orders.borrow() {
                    continue;
                }
                let reason = format!("{}: {}", escalation.path, escalation.reason);
                node.failed(&reason);
                match record.failed(&policy, Instant::now(), since.elapsed(), rand::random()) {
                    Verdict::Exhausted => parent.escalate(&tree, &node, order, &reason).await,
                    Verdict::Retry(wait) => {
                        if waited(wait, &mut orders).await {
                            begin_anew(&node, &group, &mut since);
                        }
                    }
                }
            }
        }
    }
    node.set(ActorState::Stopped);
    group.stop();
}

fn begin_anew(node: &Node, group: &Group, since: &mut Instant) {
    node.restarted();
    node.set(ActorState::Running);
    group.start_anew();
    *since = Instant::now();
}

/// Waits; `false` where the parent's order changed meanwhile, which is left to be seen.
pub(super) async fn waited(wait: Duration, orders: &mut watch::Receiver<Order>) -> bool {
    tokio::select! {
        biased;
        changed = orders.changed() => {
            if changed.is_ok() {
                orders.mark_changed();
            }
            false
        }
        () = tokio::time::sleep(wait) => true,
    }
}
