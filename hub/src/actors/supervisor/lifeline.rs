//! What a child and its supervisor share for the length of one life.
//!
//! The child gets it from its factory and uses it to die for a stated reason; the supervisor reads the pulse.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use actix::ActorContext;
use tokio_util::sync::CancellationToken;

/// One life of a supervised child. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lifeline(Arc<Life>);

#[derive(Debug)]
struct Life {
    born: Instant,
    /// Milliseconds from birth to the last sign of life.
    pulse: AtomicU64,
    up: AtomicBool,
    sentence: OnceLock<String>,
    condemned: CancellationToken,
    leaving: CancellationToken,
    killed: CancellationToken,
    abandoned: CancellationToken,
}

impl Lifeline {
    pub(super) fn new() -> Self {
        Self(Arc::new(Life {
            born: Instant::now(),
            pulse: AtomicU64::new(0),
            up: AtomicBool::new(false),
            sentence: OnceLock::new(),
            condemned: CancellationToken::new(),
            leaving: CancellationToken::new(),
            killed: CancellationToken::new(),
            abandoned: CancellationToken::new(),
        }))
    }

    /// Ends the actor from one of its handlers, because what it believes may not be so any more. No further message
    /// is handled; those that wait are answered [`super::super::MailboxError::Restarting`]. The reason is shown to
    /// operators: no personal data.
    pub fn die(&self, context: &mut impl ActorContext, reason: &str) {
        self.condemn(reason);
        context.stop();
    }

    /// Ends the child from outside its context, as from a future that runs beside it; soon, not at once.
    pub fn condemn(&self, reason: &str) {
        // The first reason is the one that counts.
        let _ = self.0.sentence.set(reason.to_owned());
        self.0.condemned.cancel();
    }

    /// Returns when the child is asked to end in peace. Actors are stopped by their supervisor; a supervised task
    /// waits for this itself.
    pub async fn leaving(&self) {
        self.0.leaving.cancelled().await;
    }

    /// A sign of life. Actors give one by being polled, a supervised task as long as its thread moves.
    pub(super) fn beat(&self) {
        let age = u64::try_from(self.0.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.pulse.store(age, Ordering::Relaxed);
    }

    /// Time without a sign of life.
    pub(super) fn silence(&self) -> Duration {
        self.uptime().saturating_sub(Duration::from_millis(self.0.pulse.load(Ordering::Relaxed)))
    }

    pub(super) fn uptime(&self) -> Duration {
        self.0.born.elapsed()
    }

    pub(super) fn rise(&self) {
        self.beat();
        self.0.up.store(true, Ordering::Release);
    }

    pub(super) fn is_up(&self) -> bool {
        self.0.up.load(Ordering::Acquire)
    }

    pub(super) fn sentence(&self) -> Option<&str> {
        self.0.sentence.get().map(String::as_str)
    }

    pub(super) async fn condemned(&self) {
        self.0.condemned.cancelled().await;
    }

    pub(super) fn ask_to_leave(&self) {
        self.0.leaving.cancel();
    }

    pub(super) fn kill(&self) {
        self.0.killed.cancel();
    }

    pub(super) async fn killed(&self) {
        self.0.killed.cancelled().await;
    }

    pub(super) fn abandon(&self) {
        self.0.abandoned.cancel();
    }

    pub(in crate::actors) async fn abandoned(&self) {
        self.0.abandoned.cancelled().await;
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
