//! An actor as a supervised child: how it is put on a thread, kept in sight and taken off again.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, ArbiterHandle, AsyncContext, Context};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};

use super::keeper::Child;
use super::lifeline::Lifeline;
use crate::actors::mailbox::{Running, Slot};
use crate::actors::node::{ActorState, Node};

/// Places in actix's own mailbox beyond the permits, for what an actor sends to itself.
const OWN_MESSAGES: usize = 16;

pub(super) struct ActorChild<A: Actor> {
    pub(super) factory: Box<dyn Fn(Lifeline) -> A + Send + Sync>,
    pub(super) slot: watch::Sender<Slot<A>>,
    pub(super) capacity: usize,
    pub(super) node: Arc<Node>,
    /// The time between two signs of life.
    pub(super) pulse: Duration,
}

impl<A> Child for ActorChild<A>
where
    A: Actor<Context = Context<A>>,
{
    fn begin(self: &Arc<Self>, thread: &ArbiterHandle, lifeline: Lifeline) -> oneshot::Receiver<String> {
        let (ended, down) = oneshot::channel();
        let child = Arc::clone(self);
        thread.spawn(async move {
            let task = child.start(&lifeline);
            let reason = watched(task, &lifeline).await;
            child.take_down(&lifeline);
            // The keeper is gone only where the whole system goes.
            let _ = ended.send(reason);
        });
        down
    }

    fn is_awaited(&self) -> bool {
        self.node.depth() > 0
    }

    fn withdraw(&self, for_good: bool) {
        self.slot.send_replace(if for_good { Slot::Closed } else { Slot::Restarting });
    }
}

impl<A> ActorChild<A>
where
    A: Actor<Context = Context<A>>,
{
    /// Puts the actor on this thread. A panic of the factory or of `started` ends the task that this runs in, or the
    /// actor's: both are seen.
    fn start(&self, lifeline: &Lifeline) -> JoinHandle<()> {
        let actor = (self.factory)(lifeline.clone());
        let mut context = Context::new();
        context.set_mailbox_capacity(self.capacity.saturating_add(OWN_MESSAGES));
        let pulse = lifeline.clone();
        context.run_interval(self.pulse, move |_, _| pulse.beat());
        let leaving = lifeline.clone();
        let farewell = actix::fut::wrap_future::<_, A>(async move { leaving.leaving().await });
        context.spawn(farewell.map(|(), _, context: &mut Context<A>| context.stop()));
        let future = context.into_future(actor);
        let running = Running {
            addr: future.address(),
            permits: Arc::new(Semaphore::new(self.capacity)),
            lifeline: lifeline.clone(),
        };
        let task = tokio::task::spawn_local(future);
        lifeline.rise();
        self.node.set(ActorState::Running);
        self.slot.send_replace(Slot::Running(Arc::new(running)));
        task
    }

    /// No message finds the way to a life that has ended. A life that was given up must not take its successor down.
    fn take_down(&self, lifeline: &Lifeline) {
        self.slot.send_if_modified(|slot| {
            let own = matches!(slot, Slot::Running(running) if running.lifeline.is(lifeline));
            if own {
                self.node.set(ActorState::Restarting);
                *slot = Slot::Restarting;
            }
            own
        });
    }
}

/// Waits for the end of a child's task, ends it by force when told to, and says why it ended. The text of a panic is
/// left out: it may quote what the child was working on.
pub(super) async fn watched<T>(mut task: JoinHandle<T>, lifeline: &Lifeline) -> String
where
    T: Into<TaskOutcome>,
{
    let ended = tokio::select! {
        biased;
        ended = &mut task => ended,
        () = lifeline.killed() => {
            task.abort();
            task.await
        }
    };
    let sentence = || lifeline.sentence().map(str::to_owned);
    match ended {
        Err(error) if JoinError::is_panic(&error) => "panicked".to_owned(),
        Err(_) => sentence().unwrap_or_else(|| "ended by force".to_owned()),
        Ok(outcome) => sentence().or(outcome.into().0).unwrap_or_else(|| "stopped itself".to_owned()),
    }
}

/// What a task said when it ended, if anything.
pub(super) struct TaskOutcome(pub(super) Option<String>);

impl From<()> for TaskOutcome {
    fn from((): ()) -> Self {
        Self(None)
    }
}

impl From<super::TaskEnd> for TaskOutcome {
    fn from(end: super::TaskEnd) -> Self {
        Self(end.err())
    }
}
