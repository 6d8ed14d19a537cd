//! The actix `System` on a thread of its own, and the threads that it hands out to actors.
//!
//! actix refuses to start actors on a multi-thread runtime, so the system lives beside the one that serves HTTP.
//! Its own thread runs the supervisors and nothing else, so that no actor can stall them. It knows no actor.
//!
//! Invariant: an [`ActorThread`] always has a live arbiter behind it; one whose thread hangs is abandoned and
//! replaced, never waited for.

use std::sync::Arc;
use std::time::Duration;

use actix::{Arbiter, ArbiterHandle, System};
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Arbiters that are joined on stop, each with the thread it serves and its generation.
type Roster = Arc<Mutex<Vec<(Arc<str>, u64, Arbiter)>>>;

/// The running system. Dropping it without [`ActorSystem::stop`] leaves its threads running.
#[derive(Debug)]
pub struct ActorSystem {
    system: System,
    thread: std::thread::JoinHandle<std::io::Result<()>>,
    roster: Roster,
}

impl ActorSystem {
    /// Starts the system's thread and waits until it runs.
    ///
    /// # Errors
    /// The thread or its runtime can't be made.
    pub fn start() -> std::io::Result<Self> {
        let (up, running) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("actors".to_owned()).spawn(move || {
            let runner = System::new();
            // The receiver is gone only where `start` itself has gone.
            let _ = up.send(System::current());
            runner.run()
        })?;
        let system = running.recv().map_err(|_| std::io::Error::other("the actor system did not start"))?;
        Ok(Self { system, thread, roster: Roster::default() })
    }

    /// The system's own thread, for supervisors.
    #[must_use]
    pub(super) fn supervisors(&self) -> ArbiterHandle {
        self.system.arbiter().clone()
    }

    pub(super) fn maker(&self) -> ThreadMaker {
        ThreadMaker { roster: Arc::clone(&self.roster) }
    }

    /// A new thread that several actors may share.
    ///
    /// # Errors
    /// The thread can't be made, or the system has stopped.
    pub async fn thread(&self, name: &str) -> std::io::Result<ActorThread> {
        let (made, thread) = oneshot::channel();
        let (maker, name) = (self.maker(), name.to_owned());
        self.system.arbiter().spawn_fn(move || {
            let _ = made.send(maker.make(&name));
        });
        thread.await.map_err(|_| std::io::Error::other("the actor system has stopped"))?
    }

    /// Stops the system and joins its threads, those excepted that hang. Stop the [`super::Tree`] first.
    ///
    /// # Errors
    /// The system itself failed, or its threads have not ended within `deadline`.
    pub async fn stop(self, deadline: Duration) -> std::io::Result<()> {
        self.system.stop();
        let Self { thread, roster, .. } = self;
        let (ended, joined) = oneshot::channel();
        // A plain thread: one that hangs here must not hold up the end of the runtime.
        std::thread::Builder::new().name("actors-join".to_owned()).spawn(move || {
            let result = thread.join();
            for (_, _, arbiter) in std::mem::take(&mut *roster.lock()) {
                // A panic of the arbiter's own loop is no news at this point.
                let _ = arbiter.join();
            }
            let _ = ended.send(result);
        })?;
        match tokio::time::timeout(deadline, joined).await {
            Ok(Ok(Ok(result))) => result,
            Ok(_) => Err(std::io::Error::other("the actor system's thread panicked")),
            Err(_) => Err(std::io::Error::other("the actor system's threads did not end in time")),
        }
    }
}

/// Makes threads; to be used on the system's own thread only, as actix demands.
#[derive(Debug, Clone)]
pub(super) struct ThreadMaker {
    roster: Roster,
}

impl ThreadMaker {
    /// Makes a thread with its arbiter.
    pub(super) fn make(&self, name: &str) -> std::io::Result<ActorThread> {
        let name: Arc<str> = name.into();
        let handle = self.arbiter(&name, 0)?;
        let current = Mutex::new((0, handle));
        Ok(ActorThread(Arc::new(Seated { name, maker: self.clone(), current })))
    }

    fn arbiter(&self, name: &Arc<str>, generation: u64) -> std::io::Result<ArbiterHandle> {
        let arbiter = Arbiter::try_new()?;
        let handle = arbiter.handle();
        self.roster.lock().push((Arc::clone(name), generation, arbiter));
        Ok(handle)
    }
}

/// A thread on which actors run. Cheap to clone; clones are the same thread.
#[derive(Debug, Clone)]
pub struct ActorThread(Arc<Seated>);

#[derive(Debug)]
struct Seated {
    name: Arc<str>,
    maker: ThreadMaker,
    current: Mutex<(u64, ArbiterHandle)>,
}

impl ActorThread {
    /// The arbiter of the day, with its generation.
    pub(super) fn current(&self) -> (u64, ArbiterHandle) {
        self.0.current.lock().clone()
    }

    /// Gives up the arbiter of `generation` and puts another in its place. `false` where another actor of the
    /// same thread has already done so. To be called on the system's own thread.
    pub(super) fn abandon(&self, generation: u64) -> std::io::Result<bool> {
        let mut current = self.0.current.lock();
        if current.0 != generation {
            return Ok(false);
        }
        let next = generation.saturating_add(1);
        let fresh = self.0.maker.arbiter(&self.0.name, next)?;
        // Should the thread ever come back, it ends instead of waiting for work.
        current.1.stop();
        self.0
            .maker
            .roster
            .lock()
            .retain(|(name, known, _)| !(Arc::ptr_eq(name, &self.0.name) && *known == generation));
        *current = (next, fresh);
        Ok(true)
    }
}
