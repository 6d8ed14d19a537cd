//! What surrounds a swap of one adapter's component: who waits, who was there before, who is on probation.
//!
//! One swap at a time for each adapter: a [`Candidate`] holds the turn from the first look at the file until it has
//! taken over or was dropped. The component before stays loaded, so that the way back needs no file and no time.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::OwnedMutexGuard;
use utoipa::ToSchema;

use super::config::{Digest, Probation};
use super::difference::Difference;
use super::loading::Loaded;
use super::report::LoadedInfo;
use super::shadow::{Shadow, ShadowReport};
use crate::domain::delivery::Adapter as AdapterName;

/// A component that has passed every check and has not taken over.
pub struct Candidate {
    pub(super) name: AdapterName,
    pub(super) loaded: Arc<Loaded>,
    pub(super) restores: bool,
    /// The one that it would take over from; nothing where none is loaded.
    pub previous: Option<Digest>,
    /// What it may do beyond that one.
    pub difference: Difference,
    pub(super) _turn: OwnedMutexGuard<()>,
}

impl Candidate {
    /// What is shown of it.
    #[must_use]
    pub fn info(&self) -> &LoadedInfo {
        &self.loaded.info
    }
}

/// What is kept of swaps.
#[derive(Default)]
pub struct Swaps {
    pub(super) previous: Option<Arc<Loaded>>,
    pub(super) shadow: Option<Arc<Shadow>>,
    pub(super) pending: Option<Pending>,
    pub(super) refusal: Option<Refusal>,
    rolled_back: Option<RolledBack>,
    unrecorded: Option<RolledBack>,
    trial: Option<Trial>,
}

/// The first calls of a component.
#[derive(Clone, Copy, Debug, Default)]
struct Trial {
    ended: u32,
    faults: u32,
}

/// A component that waits to be confirmed, since it may do more.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PendingComponent)]
pub struct Pending {
    /// SHA-256 of the component.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// What it may do beyond the one that is loaded.
    pub difference: Difference,
    /// Since when.
    #[serde(serialize_with = "super::report::moment")]
    pub since: DateTime<Utc>,
}

/// A component that was not taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RefusedComponent)]
pub struct Refusal {
    /// SHA-256 of the file, where it could be read.
    #[schema(value_type = Option<String>)]
    pub digest: Option<Digest>,
    /// Why, without a path of this machine.
    pub reason: String,
    /// When.
    #[serde(serialize_with = "super::report::moment")]
    pub at: DateTime<Utc>,
}

/// A way back to the component before.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RolledBackComponent)]
pub struct RolledBack {
    /// SHA-256 of the one that was given up.
    #[schema(value_type = String)]
    pub from: Digest,
    /// SHA-256 of the one that is back.
    #[schema(value_type = String)]
    pub to: Digest,
    /// Why; nothing where an operator asked for it.
    pub reason: Option<String>,
    /// When.
    #[serde(serialize_with = "super::report::moment")]
    pub at: DateTime<Utc>,
}

/// What is shown of an adapter's swaps.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AdapterSwaps)]
pub struct SwapReport {
    /// Whether a change of its file is taken over by itself.
    pub watch: bool,
    /// The one that a rollback would bring back.
    #[schema(value_type = Option<String>)]
    pub previous: Option<Digest>,
    /// The one that waits to be confirmed.
    pub pending: Option<Pending>,
    /// The one that is asked beside.
    pub shadow: Option<ShadowReport>,
    /// The newest that was not taken.
    pub refusal: Option<Refusal>,
    /// The newest way back.
    pub rolled_back: Option<RolledBack>,
}

impl Swaps {
    /// `new` has taken over from `old`.
    pub fn swapped(&mut self, old: Option<Arc<Loaded>>, new: &Loaded, restored: bool) {
        (self.pending, self.shadow, self.refusal) = (None, None, None);
        let Some(old) = old else { return };
        if old.info.digest == new.info.digest {
            self.previous = self.previous.take().map(|before| Arc::new(before.given_as(new)));
            return;
        }
        if restored {
            (self.previous, self.trial) = (None, None);
            self.went_back(old.info.digest, new.info.digest, None);
        } else {
            let old = Arc::new(old.given_as(new));
            (self.previous, self.trial, self.rolled_back) = (Some(old), Some(Trial::default()), None);
        }
    }

    fn went_back(&mut self, from: Digest, to: Digest, reason: Option<String>) {
        self.rolled_back = Some(RolledBack { from, to, reason, at: Utc::now() });
    }

    /// A call of the component on trial has ended; answers whether it has failed its trial.
    pub fn tried(&mut self, terms: Probation, failed: bool) -> bool {
        let Some(trial) = &mut self.trial else { return false };
        trial.ended = trial.ended.saturating_add(1);
        trial.faults = trial.faults.saturating_add(u32::from(failed));
        let spent = trial.faults >= terms.faults.get();
        if !spent && trial.ended >= terms.calls.get() {
            self.trial = None;
        }
        spent && terms.calls.get() > 0
    }

    /// The component before takes the place of the one that failed its trial.
    pub fn give_up(&mut self, failed: &Loaded, why: String) -> Option<Arc<Loaded>> {
        let before = Arc::new(self.previous.take()?.again());
        (self.trial, self.shadow, self.pending) = (None, None, None);
        self.went_back(failed.info.digest, before.info.digest, Some(why));
        self.unrecorded = self.rolled_back.clone();
        Some(before)
    }

    /// The way back that nobody has written down yet.
    pub fn take_unrecorded(&mut self) -> Option<RolledBack> {
        self.unrecorded.take()
    }

    /// The one that was given up: not to be taken again but by an operator.
    pub fn given_up(&self) -> Option<Digest> {
        self.rolled_back.as_ref().map(|back| back.from)
    }

    /// What is shown.
    pub fn report(&self, watch: bool) -> SwapReport {
        SwapReport {
            watch,
            previous: self.previous.as_ref().map(|before| before.info.digest),
            pending: self.pending.clone(),
            shadow: self.shadow.as_ref().map(|shadow| shadow.report()),
            refusal: self.refusal.clone(),
            rolled_back: self.rolled_back.clone(),
        }
    }
}
