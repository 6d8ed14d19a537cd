//! Components that take the place of others while the hub runs, and the record of it.
//!
//! An entry comes before the swap that it tells of, so that nothing runs that is not on the record; a component that gives
//! up its place by itself can't wait for that, and is written down right after. Each order is carried out whole, even
//! if whoever gave it goes away. `adapters.lock` follows what is loaded; it is no truth of its own.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::spawn_blocking;

use super::command::{CommandError, Meta};
use super::desk::by_caller;
use crate::access::Permit;
use crate::adapters::{Adapters, Candidate, Difference, Digest, LoadError, LoadedInfo, lock};
use crate::domain::delivery::Adapter;
use crate::domain::event::{Event, Loaded, Refused, RolledBack, Shadowed};
use crate::journal::{Append, AppendError, Journal, NewEntry};
use crate::sync::entries::By;

/// The longest text of a refusal that is kept.
const LONGEST_REASON: usize = 300;

/// What an operator asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReloadOrder {
    /// The component that may do more than the one that is loaded.
    pub confirm: Option<Digest>,
    /// It is only asked beside the one that is loaded, so many times.
    pub shadow: Option<u32>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Swapped {
    /// The component.
    pub info: LoadedInfo,
    /// The one before.
    pub previous: Option<Digest>,
    /// What it may do beyond that one.
    pub difference: Difference,
}

/// Why a component did not take over.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// There is no such adapter.
    #[error("the adapter is not configured")]
    NotConfigured,
    /// The component did not pass its checks.
    #[error("{0}")]
    Refused(LoadError),
    /// It may do more, or is not the one that was confirmed.
    #[error("the component was not confirmed")]
    Unconfirmed(Box<Swapped>),
    /// Nothing was loaded before.
    #[error("there is no component before")]
    NothingBefore,
    /// The journal takes no entries.
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl From<AppendError> for SwapError {
    fn from(error: AppendError) -> Self {
        Self::Command(error.into())
    }
}

impl From<LoadError> for SwapError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::NotConfigured(_) => Self::NotConfigured,
            LoadError::Busy => Self::Command(CommandError::Overloaded),
            why => Self::Refused(why),
        }
    }
}

/// Swaps components. Cheap to clone.
#[derive(Clone)]
pub struct AdapterDesk(Arc<Parts>);

struct Parts {
    adapters: Adapters,
    journal: Arc<dyn Journal>,
    file: PathBuf,
    lock: Mutex<lock::Lock>,
}

impl AdapterDesk {
    /// For these adapters; `file` is the lock file.
    pub fn new(adapters: Adapters, journal: Arc<dyn Journal>, file: PathBuf) -> Self {
        Self(Arc::new(Parts { adapters, journal, file, lock: Mutex::default() }))
    }

    /// The adapters.
    #[must_use]
    pub fn adapters(&self) -> &Adapters {
        &self.0.adapters
    }

    /// What the start has loaded, for the journal. Warns of what is not what ran before, and brings the lock file into step.
    ///
    /// # Errors
    /// An entry can't be made, which none of ours is.
    pub async fn started(&self) -> Result<Vec<NewEntry>, AppendError> {
        let file = self.0.file.clone();
        let read = spawn_blocking(move || lock::read(&file)).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        let before = read.unwrap_or_else(|error| {
            tracing::warn!(file = %self.0.file.display(), %error, "the lock file can't be read and is made anew");
            lock::Lock::new()
        });
        let mut entries = Vec::new();
        for report in self.0.adapters.report() {
            let Some(info) = report.loaded else { continue };
            let locked = before.get(&report.name).map(|locked| locked.digest).filter(|digest| *digest != info.digest);
            if let Some(locked) = locked {
                tracing::warn!(
                    adapter = %report.name, loaded = %info.digest, %locked,
                    "the component is not the one that was loaded last (adapters.lock)"
                );
            }
            let event = loaded(report.name, &info, locked, &Difference::default());
            entries.push(entry(report.name, &By::hub("", "start"), event)?);
        }
        *self.0.lock.lock() = before;
        self.keep().await;
        Ok(entries)
    }

    /// CX022: loads the component that is configured now, and lets it take over.
    ///
    /// # Errors
    /// See [`SwapError`]; then what is loaded stays.
    pub async fn reload(
        &self,
        (permit, meta): (&Permit, &Meta),
        adapter: Adapter,
        order: ReloadOrder,
    ) -> Result<Swapped, SwapError> {
        let (desk, by) = (self.clone(), by_caller(permit, meta));
        whole(async move { desk.load(&by, adapter, order).await }).await
    }

    /// CX022: brings the component before back.
    ///
    /// # Errors
    /// See [`SwapError`]; then what is loaded stays.
    pub async fn roll_back(&self, (permit, meta): (&Permit, &Meta), adapter: Adapter) -> Result<Swapped, SwapError> {
        let (desk, by) = (self.clone(), by_caller(permit, meta));
        whole(async move { desk.restore(&by, adapter).await }).await
    }

    pub(super) async fn load(&self, by: &By, adapter: Adapter, order: ReloadOrder) -> Result<Swapped, SwapError> {
        let candidate = match self.0.adapters.prepare(adapter).await {
            Ok(candidate) => candidate,
            Err(refused) => {
                let error = SwapError::from(refused.why);
                if let SwapError::Refused(why) = &error {
                    self.refused(by, adapter, (refused.digest, why.told(), Vec::new())).await?;
                }
                return Err(error);
            }
        };
        let swapped = swapped(&candidate);
        if !confirmed(&candidate, order.confirm, self.0.adapters.shown(&candidate)) {
            self.0.adapters.hold(&candidate);
            drop(candidate);
            self.waits(by, adapter, &swapped).await?;
            return Err(SwapError::Unconfirmed(Box::new(swapped)));
        }
        if let Some(calls) = order.shadow {
            let digest = swapped.info.digest.to_string();
            self.append(adapter, by, Event::AdapterShadowed(Shadowed { adapter, digest, calls })).await?;
            self.0.adapters.shadow(candidate, calls);
        } else {
            self.append(adapter, by, loaded(adapter, &swapped.info, swapped.previous, &swapped.difference)).await?;
            self.0.adapters.take_over(candidate);
            self.keep().await;
        }
        Ok(swapped)
    }

    async fn restore(&self, by: &By, adapter: Adapter) -> Result<Swapped, SwapError> {
        let candidate = self.0.adapters.restore(adapter).await?.ok_or(SwapError::NothingBefore)?;
        let swapped = swapped(&candidate);
        let from = swapped.previous.map(|digest| digest.to_string()).unwrap_or_default();
        let back = RolledBack { adapter, from, to: swapped.info.digest.to_string(), reason: None };
        self.append(adapter, by, Event::AdapterRolledBack(back)).await?;
        self.0.adapters.take_over(candidate);
        self.keep().await;
        Ok(swapped)
    }

    /// Writes down which components have given up their place by themselves.
    pub(super) async fn note_given_up(&self) {
        for (adapter, back) in self.0.adapters.take_given_up() {
            let (from, to) = (back.from.to_string(), back.to.to_string());
            let event = Event::AdapterRolledBack(RolledBack { adapter, from, to, reason: back.reason.map(cut) });
            if let Err(error) = self.append(adapter, &By::hub("", "probation"), event).await {
                tracing::error!(%adapter, %error, "a component has given up its place, and it is not in the journal");
            }
            self.keep().await;
        }
    }

    async fn waits(&self, by: &By, adapter: Adapter, swapped: &Swapped) -> Result<(), AppendError> {
        let (digest, gains) = (swapped.info.digest, swapped.difference.gains.clone());
        tracing::warn!(%adapter, %digest, gains = gains.join(", "), "a component waits to be confirmed");
        self.refused(by, adapter, (Some(digest), "it waits to be confirmed".to_owned(), gains)).await
    }

    async fn refused(
        &self,
        by: &By,
        adapter: Adapter,
        (digest, reason, gains): (Option<Digest>, String, Vec<String>),
    ) -> Result<(), AppendError> {
        let previous = self.0.adapters.digest(adapter).map(|digest| digest.to_string());
        let digest = digest.map(|digest| digest.to_string());
        let refused = Refused { adapter, digest, previous, reason: cut(reason), gains };
        self.append(adapter, by, Event::AdapterRefused(refused)).await
    }

    async fn append(&self, adapter: Adapter, by: &By, event: Event) -> Result<(), AppendError> {
        let entry = entry(adapter, by, event)?;
        self.0.journal.append(Append { entries: vec![entry], ..Append::default() }).await.map(|_| ())
    }

    /// Brings the lock file into step with what is loaded.
    async fn keep(&self) {
        let parts = Arc::clone(&self.0);
        let written = spawn_blocking(move || {
            // Held while it is written, so that the newest comes last.
            let mut kept = parts.lock.lock();
            let now = lock::of(parts.adapters.report(), &kept);
            lock::write(&parts.file, &now)?;
            *kept = now;
            Ok(())
        });
        if let Err(error) = written.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
            tracing::error!(file = %self.0.file.display(), %error, "the lock file can't be written");
        }
    }
}

/// Carries an order out to its end, whoever waits for it.
async fn whole(order: impl Future<Output = Result<Swapped, SwapError>> + Send + 'static) -> Result<Swapped, SwapError> {
    tokio::spawn(order).await.unwrap_or(Err(SwapError::Command(CommandError::Restarting)))
}

/// A component that may do more has to be confirmed; one that was confirmed has to be that one, and to describe itself
/// as when it was shown.
fn confirmed(candidate: &Candidate, confirm: Option<Digest>, shown: Option<Difference>) -> bool {
    let as_shown = |gain| shown.as_ref().is_none_or(|shown| shown.gains.contains(gain));
    match confirm {
        Some(digest) => digest == candidate.info().digest && candidate.difference.gains.iter().all(as_shown),
        None => !candidate.difference.grows(),
    }
}

fn swapped(candidate: &Candidate) -> Swapped {
    let (info, difference) = (candidate.info().clone(), candidate.difference.clone());
    Swapped { info, previous: candidate.previous, difference }
}

fn entry(adapter: Adapter, by: &By, event: Event) -> Result<NewEntry, AppendError> {
    by.entry(format!("adapter/{adapter}"), event)
}

fn loaded(adapter: Adapter, info: &LoadedInfo, previous: Option<Digest>, difference: &Difference) -> Event {
    Event::AdapterLoaded(Loaded {
        adapter,
        digest: info.digest.to_string(),
        version: info.description.version.clone(),
        contract: info.contract.clone(),
        previous: previous.map(|digest| digest.to_string()),
        signed_by: info.signed_by.clone(),
        gains: difference.gains.clone(),
    })
}

fn cut(text: String) -> String {
    text.chars().take(LONGEST_REASON).collect()
}
