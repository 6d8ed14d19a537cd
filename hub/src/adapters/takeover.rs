//! How a component takes the place of another, and how it loses it again.
//!
//! A component is swapped under a lock that is held for a pointer's time. One that fails its first calls by its own fault
//! is given up for the one before, which is still there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit};

use super::AdapterName;
use super::adapter::{Adapter, Current};
use super::config::Digest;
use super::difference::Difference;
use super::loading::{self, LoadError, Loaded, Refused, Services};
use super::outcome::{Blame, Fault};
use super::quarantine::Strikes;
use super::shadow::Shadow;
use super::swap::{Candidate, Pending, Refusal};

/// How long one swap waits for another; a large component takes half a minute to compile.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Adapter {
    /// Loads the component that the file has now and checks everything; nothing is swapped yet.
    ///
    /// # Errors
    /// The first check that failed; then what is loaded stays.
    pub async fn prepare(&self, services: &Services) -> Result<Candidate, Refused> {
        let turn = self.turn().await?;
        match loading::load(services, self.name, &self.config, self.store.clone()).await {
            Ok(loaded) => Ok(self.candidate(Arc::new(loaded), false, turn)),
            Err(refused) => {
                tracing::warn!(adapter = %self.name, reason = %refused, "component refused");
                let mut current = self.current.write();
                if matches!(*current, Current::Down { .. }) {
                    *current = Current::down(&refused.why);
                }
                drop(current);
                let (digest, reason) = (refused.digest, refused.why.told());
                self.swaps.lock().refusal = Some(Refusal { digest, reason, at: chrono::Utc::now() });
                Err(refused)
            }
        }
    }

    /// The component before the one that is loaded, ready to take over; nothing where there is none.
    ///
    /// # Errors
    /// Another component has been on its way in for too long.
    pub async fn restore(&self) -> Result<Option<Candidate>, LoadError> {
        let turn = self.turn().await?;
        let before = self.swaps.lock().previous.clone();
        Ok(before.map(|before| self.candidate(Arc::new(before.again()), true, turn)))
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<()>, LoadError> {
        let turn = Arc::clone(&self.turn).lock_owned();
        tokio::time::timeout(LONGEST_WAIT, turn).await.map_err(|_| LoadError::Busy)
    }

    fn candidate(&self, loaded: Arc<Loaded>, restores: bool, turn: OwnedMutexGuard<()>) -> Candidate {
        let old = self.loaded();
        let difference = Difference::between(old.as_ref().map(|old| &old.info), &loaded.info);
        let previous = old.map(|old| old.info.digest);
        Candidate { name: self.name, loaded, restores, previous, difference, _turn: turn }
    }

    /// Lets a component take over: new calls go to it, calls in flight finish on the one that they began with.
    pub fn take_over(&self, candidate: Candidate) {
        let Candidate { loaded, restores, _turn, .. } = candidate;
        announce(self.name, &loaded);
        let old = std::mem::replace(&mut *self.current.write(), Current::Up(Arc::clone(&loaded)));
        let old = match old {
            Current::Up(old) => Some(old),
            Current::Down { .. } => None,
        };
        self.swaps.lock().swapped(old, &loaded, restores);
        *self.strikes.lock() = Strikes::default();
    }

    /// Remembers that a component waits to be confirmed.
    pub fn hold(&self, candidate: &Candidate) {
        let difference = candidate.difference.clone();
        let pending = Pending { digest: candidate.info().digest, difference, since: chrono::Utc::now() };
        self.swaps.lock().pending = Some(pending);
    }

    /// What was shown of a component that waits to be confirmed.
    pub fn shown(&self, component: Digest) -> Option<Difference> {
        let swaps = self.swaps.lock();
        let pending = swaps.pending.as_ref().filter(|pending| pending.digest == component)?;
        Some(pending.difference.clone())
    }

    /// Asks a component beside the one that is loaded, for so many calls.
    pub fn shadow(&self, candidate: Candidate, calls: u32) {
        let shadow = Shadow::new(candidate.loaded, calls, self.config.deadline());
        self.swaps.lock().shadow = Some(Arc::new(shadow));
    }

    /// The component that is asked beside, where it is its turn.
    pub fn beside(&self) -> Option<(Arc<Shadow>, OwnedSemaphorePermit)> {
        let shadow = self.swaps.lock().shadow.clone()?;
        let turn = shadow.turn()?;
        Some((shadow, turn))
    }

    /// Whether this component, which the file has now, is loaded or was given up. Another one does not wait any more.
    pub fn has_seen(&self, component: Digest) -> bool {
        let mut swaps = self.swaps.lock();
        swaps.pending.take_if(|pending| pending.digest != component);
        let loaded = self.loaded().is_some_and(|loaded| loaded.info.digest == component);
        loaded || swaps.given_up() == Some(component)
    }

    /// What a call's end says of the component that it ran on. One that is not in use any more is not judged.
    pub(super) fn ended(&self, ran: &Arc<Loaded>, fault: Option<&Fault>) {
        fault.inspect(|fault| self.note(fault));
        if !self.loaded().is_some_and(|now| Arc::ptr_eq(&now, ran)) {
            return;
        }
        let own = fault.filter(|fault| fault.blame == Blame::Guest);
        if self.give_up(ran, own) {
            return;
        }
        match (fault, own) {
            (None, _) => self.strikes.lock().answered(),
            (Some(fault), Some(_)) if self.strikes.lock().failed(Instant::now()) => {
                tracing::error!(%fault, "adapter is quarantined");
            }
            _ => {}
        }
    }

    /// Counts a call towards the probation of a component, and brings the one before back where that is spent. While
    /// another one is on its way in it is left to that.
    fn give_up(&self, ran: &Loaded, fault: Option<&Fault>) -> bool {
        let mut swaps = self.swaps.lock();
        if !swaps.tried(self.config.probation, fault.is_some()) {
            return false;
        }
        let (Some(fault), Ok(_turn)) = (fault, self.turn.try_lock()) else { return false };
        let Some(before) = swaps.give_up(ran, fault.to_string()) else { return false };
        tracing::warn!(
            from = %ran.info.digest, to = %before.info.digest, %fault,
            "a component failed its first calls: the one before is back"
        );
        *self.current.write() = Current::Up(before);
        *self.strikes.lock() = Strikes::default();
        true
    }
}

/// Says what is loaded.
pub fn announce(name: AdapterName, loaded: &Loaded) {
    let info = &loaded.info;
    tracing::info!(
        adapter = %name,
        digest = %info.digest,
        contract = %info.contract,
        product = %info.description.product,
        version = %info.description.version,
        "adapter loaded"
    );
    for warning in &info.warnings {
        tracing::warn!(adapter = %name, warning, "adapter configuration");
    }
}
