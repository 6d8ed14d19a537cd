//! The handle by which everybody else reaches an actor.
//!
//! actix bounds a mailbox for each sender only, so a semaphore stands in front: a permit is taken before the message is
//! sent and given back with the reply. After a restart the handle finds the new actor by itself.
//!
//! Invariants: no message waits for a permit (none free is [`MailboxError::Overloaded`] at once); none is left
//! silent; a caller that goes away cancels nothing, its message keeps its permit until it has been handled.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix::dev::{Request, ToEnvelope};
use actix::{Actor, Addr, ArbiterHandle, Handler, Message};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::node::Node;
use super::supervisor::lifeline::Lifeline;

/// Why a message has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// As many messages as the mailbox holds are waiting or being handled; nothing was sent.
    #[error("the mailbox is full")]
    Overloaded,
    /// The actor is being made again, or died with the message.
    #[error("the actor is being restarted")]
    Restarting,
    /// The hub is stopping, or the tree has given the actor up.
    #[error("the actor is stopped")]
    Closed,
}

/// One life of an actor, as its callers see it.
pub(super) struct Running<A: Actor> {
    pub(super) addr: Addr<A>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) lifeline: Lifeline,
}

/// Where messages go at the moment.
pub(super) enum Slot<A: Actor> {
    Restarting,
    Running(Arc<Running<A>>),
    Closed,
}

/// The way to an actor, across its restarts. Cheap to clone.
pub struct Mailbox<A: Actor> {
    slot: watch::Receiver<Slot<A>>,
    node: Arc<Node>,
    /// Where replies are awaited whose callers have gone.
    background: ArbiterHandle,
}

impl<A: Actor> std::fmt::Debug for Mailbox<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").field("actor", &self.node.path()).finish_non_exhaustive()
    }
}

impl<A: Actor> Clone for Mailbox<A> {
    fn clone(&self) -> Self {
        Self { slot: self.slot.clone(), node: Arc::clone(&self.node), background: self.background.clone() }
    }
}

impl<A: Actor> Mailbox<A> {
    pub(super) const fn new(slot: watch::Receiver<Slot<A>>, node: Arc<Node>, background: ArbiterHandle) -> Self {
        Self { slot, node, background }
    }

    /// Sends the message and waits for its result, for as long as the actor takes; deadlines are the caller's.
    ///
    /// # Errors
    /// See [`MailboxError`]. After `Restarting` the message may have been under way: an actor whose work reaches
    /// the journal answers through a `ResponseFuture`, which outlives it.
    pub async fn ask<M>(&self, message: M) -> Result<M::Result, MailboxError>
    where
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let running = self.running()?;
        let permit = self.admit(&running)?;
        let request = Box::pin(running.addr.send(message));
        let mut flight = Flight { pending: Some((request, permit)), background: &self.background };
        let answer = tokio::select! {
            biased;
            answer = &mut flight => answer,
            // The actor's thread hangs: it may answer much later or never. Its message is skipped if not yet begun.
            () = running.lifeline.abandoned() => {
                flight.pending = None;
                return Err(MailboxError::Restarting);
            }
        };
        answer.map_err(|_| {
            // A living actor whose reply is lost has panicked in a future of its own: what it did is unknown.
            running.lifeline.condemn("a reply was lost: a handler's future panicked or was dropped");
            self.running().err().unwrap_or(MailboxError::Restarting)
        })
    }

    /// A place in the mailbox for work that needs nothing of the actor and is done by the caller itself: it is refused
    /// where a message would be, and counts as one until it is dropped. A caller that goes away takes its work with it.
    ///
    /// # Errors
    /// See [`MailboxError`]; nothing was done.
    pub fn place(&self) -> Result<OwnedSemaphorePermit, MailboxError> {
        self.admit(&*self.running()?)
    }

    fn admit(&self, running: &Running<A>) -> Result<OwnedSemaphorePermit, MailboxError> {
        Arc::clone(&running.permits).try_acquire_owned().map_err(|_| {
            self.node.overloaded.fetch_add(1, Ordering::Relaxed);
            MailboxError::Overloaded
        })
    }

    /// Waits until the actor runs.
    ///
    /// # Errors
    /// [`MailboxError::Closed`] where it never will.
    pub async fn started(&self) -> Result<(), MailboxError> {
        let mut slot = self.slot.clone();
        match slot.wait_for(|slot| !matches!(slot, Slot::Restarting)).await {
            Ok(slot) if matches!(*slot, Slot::Running(_)) => Ok(()),
            _ => Err(MailboxError::Closed),
        }
    }

    fn running(&self) -> Result<Arc<Running<A>>, MailboxError> {
        match &*self.slot.borrow() {
            Slot::Running(running) => Ok(Arc::clone(running)),
            Slot::Restarting => Err(MailboxError::Restarting),
            Slot::Closed => Err(MailboxError::Closed),
        }
    }
}

type Waiting<A, M> = (Pin<Box<Request<A, M>>>, OwnedSemaphorePermit);

/// A message that was sent, with the permit that pays for it.
struct Flight<'a, A, M>
where
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    pending: Option<Waiting<A, M>>,
    background: &'a ArbiterHandle,
}

impl<A, M> Future for Flight<'_, A, M>
where
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    type Output = Result<M::Result, actix::MailboxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        let answer = match &mut self.pending {
            Some((request, _)) => std::task::ready!(request.as_mut().poll(cx)),
            None => Err(actix::MailboxError::Closed),
        };
        self.pending = None;
        std::task::Poll::Ready(answer)
    }
}

impl<A, M> Drop for Flight<'_, A, M>
where
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn drop(&mut self) {
        if let Some((request, permit)) = self.pending.take() {
            self.background.spawn(async move {
                // Nobody is left to tell; the permit is what this waits for.
                let _ = request.await;
                drop(permit);
            });
        }
    }
}
