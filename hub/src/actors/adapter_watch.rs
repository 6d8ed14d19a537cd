//! Components whose files change while the hub runs: taken over by themselves where they may do no more than before.
//!
//! As with policies, a file has to look the same twice before it is read, so that one that is still being written is not
//! judged, and contents are compared and not times. What was refused, waits to be confirmed or was given up is not
//! tried again before the file changes. It also writes down which components have given up their place.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::adapters::{AdapterDesk, ReloadOrder, SwapError};
use crate::adapters::{Contents, Stamp};
use crate::domain::delivery::Adapter;
use crate::domain::settled::Settled;
use crate::sync::entries::By;

/// How often the files are looked at.
const POLL_MILLISECONDS: u64 = 250;

/// Watches for ever.
pub async fn watch(desk: AdapterDesk) {
    let names = desk.adapters().names().into_iter();
    let mut watched: Vec<Watched> = names.filter_map(|name| Watched::new(&desk, name)).collect();
    let mut ticks = interval(Duration::from_millis(POLL_MILLISECONDS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        desk.note_given_up().await;
        let paths: Vec<PathBuf> = watched.iter().map(|one| one.path.clone()).collect();
        let looked = spawn_blocking(move || paths.iter().map(|path| Stamp::of(path)).collect::<Vec<_>>()).await;
        for (one, stamp) in watched.iter_mut().zip(looked.unwrap_or_default()) {
            one.look(&desk, stamp).await;
        }
    }
}

/// One component's file.
struct Watched {
    name: Adapter,
    path: PathBuf,
    stamp: Settled<Stamp>,
    judged: Option<Contents>,
}

impl Watched {
    fn new(desk: &AdapterDesk, name: Adapter) -> Option<Self> {
        let path = desk.adapters().watched(name)?.to_owned();
        Some(Self { name, path, stamp: Settled::default(), judged: None })
    }

    async fn look(&mut self, desk: &AdapterDesk, stamp: Stamp) {
        if self.stamp.look(stamp).is_none() {
            return;
        }
        let path = self.path.clone();
        let Ok(Some(contents)) = spawn_blocking(move || Contents::of(&path)).await else {
            tracing::warn!(adapter = %self.name, "the component's file can't be read: what is loaded goes on");
            return;
        };
        if self.judged.as_ref() == Some(&contents) {
            return;
        }
        let before = self.judged.replace(contents.clone());
        let adapters = desk.adapters();
        // What the start has refused was judged then.
        let refused_at_start = before.is_none() && adapters.digest(self.name).is_none();
        if refused_at_start || adapters.has_seen(self.name, contents.component) {
            return;
        }
        let by = By::hub("", "watch");
        if let Err(SwapError::Command(error)) = desk.load(&by, self.name, ReloadOrder::default()).await {
            tracing::warn!(adapter = %self.name, %error, "a changed component could not be taken over now; it is tried again");
            (self.judged, self.stamp) = (before, Settled::default());
        }
    }
}
