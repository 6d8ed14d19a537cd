//! The loop that looks after one child: make it, watch it, end it, make it again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::ArbiterHandle;
use tokio::sync::{oneshot, watch};

use super::Seat;
use super::group::{Group, Order, waited};
use super::lifeline::Lifeline;
use super::policy::{Record, RestartPolicy, Verdict};
use crate::actors::node::{ActorState, Node};
use crate::actors::system::ActorThread;
use crate::actors::tree::Tree;

/// What a keeper needs of an actor or a task.
pub(super) trait Child: Send + Sync + 'static {
    /// Begins a life on the thread. Its end arrives through the receiver, with the reason; a receiver that fails
    /// means that the thread is gone.
    fn begin(self: &Arc<Self>, thread: &ArbiterHandle, lifeline: Lifeline) -> oneshot::Receiver<String>;

    /// Whether something waits for this child to move.
    fn is_awaited(&self) -> bool;

    /// Takes the child off the air: for good, or until the next life.
    fn withdraw(&self, for_good: bool);
}

/// Why a life ended.
enum End {
    Failed(String),
    Anew,
    Stop,
}

pub(super) struct Keeper {
    tree: Tree,
    node: Arc<Node>,
    parent: Arc<Group>,
    orders: watch::Receiver<Order>,
    policy: RestartPolicy,
    record: Record,
}

/// One life, from the keeper's side.
struct Cared {
    lifeline: Lifeline,
    down: oneshot::Receiver<String>,
    thread: ActorThread,
    generation: u64,
}

impl Keeper {
    pub(super) fn new(tree: Tree, node: Arc<Node>, parent: Arc<Group>, policy: RestartPolicy) -> Self {
        let orders = parent.orders();
        Self { tree, node, parent, orders, policy, record: Record::default() }
    }

    /// Looks after the child until the order to stop. A thread that can't be made is a failure like any other.
    pub(super) async fn run(mut self, child: Arc<impl Child>, seat: Seat) {
        let mut thread = match seat {
            Seat::Shared(thread) => Some(thread),
            Seat::Own => None,
        };
        loop {
            let born = Instant::now();
            let end = match self.seat(&mut thread) {
                Ok(thread) => self.live(&*child, Self::begin(&child, thread)).await,
                Err(error) => End::Failed(format!("no thread: {error}")),
            };
            let go_on = match end {
                End::Stop => false,
                End::Anew => {
                    self.record.forget();
                    true
                }
                End::Failed(reason) => self.recover(&reason, born.elapsed()).await,
            };
            if !go_on {
                break;
            }
            self.node.restarted();
        }
        child.withdraw(true);
        self.node.set(ActorState::Stopped);
    }

    fn seat(&self, thread: &mut Option<ActorThread>) -> std::io::Result<ActorThread> {
        if let Some(thread) = thread {
            return Ok(thread.clone());
        }
        let made = self.tree.maker().make(self.node.path())?;
        Ok(thread.insert(made).clone())
    }

    fn begin(child: &Arc<impl Child>, thread: ActorThread) -> Cared {
        let lifeline = Lifeline::new();
        let (generation, arbiter) = thread.current();
        let down = child.begin(&arbiter, lifeline.clone());
        Cared { lifeline, down, thread, generation }
    }

    /// Watches one life to its end.
    async fn live(&mut self, child: &impl Child, mut cared: Cared) -> End {
        let mut look = tokio::time::interval(self.policy.stuck_after / 4);
        let born_under = *self.orders.borrow_and_update();
        loop {
            let order = *self.orders.borrow_and_update();
            if order == Order::Stop || order != born_under {
                self.end(child, &mut cared, true).await;
                return if order == Order::Stop { End::Stop } else { End::Anew };
            }
            tokio::select! {
                reason = &mut cared.down => {
                    return End::Failed(reason.unwrap_or_else(|_| "its thread is gone".to_owned()));
                }
                // The parent lives in `self`, so this never fails.
                _ = self.orders.changed() => {}
                () = cared.lifeline.condemned() => {
                    let seen = self.end(child, &mut cared, false).await;
                    let said = || cared.lifeline.sentence().unwrap_or("condemned").to_owned();
                    return End::Failed(seen.unwrap_or_else(said));
                }
                _ = look.tick() => {
                    if let Some(reason) = self.stuck(child, &cared) {
                        self.end(child, &mut cared, false).await;
                        return End::Failed(reason);
                    }
                }
            }
        }
    }

    fn stuck(&self, child: &impl Child, cared: &Cared) -> Option<String> {
        if cared.thread.current().0 != cared.generation {
            return Some("a neighbour blocked the thread".to_owned());
        }
        let silence = cared.lifeline.silence();
        let expected = child.is_awaited() || !cared.lifeline.is_up();
        (expected && silence > self.policy.stuck_after)
            .then(|| format!("no progress on waiting work for {} ms", silence.as_millis()))
    }

    /// Ends a life: in peace where it may take its time, else by force; where even that does not help, the
    /// thread hangs and is given up. Gives what was seen of the end.
    async fn end(&self, child: &impl Child, cared: &mut Cared, in_peace: bool) -> Option<String> {
        let grace = (self.policy.stuck_after / 2).max(Duration::from_millis(1));
        if in_peace {
            cared.lifeline.ask_to_leave();
            if let Ok(seen) = tokio::time::timeout(grace, &mut cared.down).await {
                return seen.ok();
            }
        }
        cared.lifeline.kill();
        if let Ok(seen) = tokio::time::timeout(grace, &mut cared.down).await {
            return seen.ok();
        }
        cared.lifeline.abandon();
        child.withdraw(false);
        match cared.thread.abandon(cared.generation) {
            Ok(true) => self.tree.count_abandoned(self.node.path()),
            Ok(false) => {}
            Err(error) => self.tree.give_up(self.node.path(), &format!("no thread in place of a hung one: {error}")),
        }
        None
    }

    /// Waits as the policy says, or for the parent's decision. `false` means stop.
    async fn recover(&mut self, reason: &str, uptime: Duration) -> bool {
        self.node.failed(reason);
        let verdict = self.record.failed(&self.policy, Instant::now(), uptime, rand::random());
        if let Verdict::Retry(wait) = verdict {
            tracing::warn!(actor = self.node.path(), reason, wait_ms = wait.as_millis(), "actor failed");
            return waited(wait, &mut self.orders).await || self.ordered();
        }
        let order = *self.orders.borrow_and_update();
        if order != Order::Stop {
            self.parent.escalate(&self.tree, &self.node, order, reason).await;
            if self.orders.changed().await.is_err() {
                return false;
            }
        }
        self.ordered()
    }

    /// Takes the parent's newest order: `true` to start anew.
    fn ordered(&mut self) -> bool {
        self.record.forget();
        self.node.set(ActorState::Restarting);
        *self.orders.borrow_and_update() != Order::Stop
    }
}
