//! Policy files that change while the hub runs come into force by themselves, or leave what is in force alone.
//!
//! Contents are compared and not times, so that an editor that replaces a file and a symbolic link that is switched
//! count as changes, and touching a file does not. A change has to look the same twice: files that are still being
//! written are not judged.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::decisions::Access;
use super::policy::{Finding, Policy, Source};
use crate::domain::settled::Settled;

/// How often the files are looked at. Twice this, and the time of a check, is how soon a change is in force.
const POLL_MILLISECONDS: u64 = 250;

/// The files on disk changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChange {
    /// The digest that was in force before.
    pub old: String,
    /// The digest of the files; none where they can't be read.
    pub new: Option<String>,
    /// Why they are not in force; empty where they are.
    pub findings: Vec<Finding>,
}

impl PolicyChange {
    /// Whether the files are in force now.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.findings.is_empty()
    }
}

type Read = Result<Source, Vec<Finding>>;

/// Watches `folder` until `shutdown` is ready, puts what passes its checks in force, and tells `on_change` of either.
pub async fn watch(
    access: Arc<Access>,
    folder: PathBuf,
    shutdown: impl Future<Output = ()> + Send,
    on_change: impl FnMut(PolicyChange) + Send,
) {
    tokio::select! {
        () = follow(access, folder, on_change) => {}
        () = shutdown => {}
    }
}

async fn follow(access: Arc<Access>, folder: PathBuf, mut on_change: impl FnMut(PolicyChange) + Send) {
    let mut ticks = interval(Duration::from_millis(POLL_MILLISECONDS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut settled = Settled::<Read>::default();
    loop {
        ticks.tick().await;
        let folder = folder.clone();
        let Ok(read) = spawn_blocking(move || Source::read(&folder)).await else { continue };
        if settled.is_new() && read.as_ref().is_ok_and(|source| source.digest() == access.digest()) {
            settled.know(read.clone());
        }
        if let Some(read) = settled.look(read) {
            on_change(judge(&access, read).await);
        }
    }
}

/// Puts the files in force, or remembers why not.
async fn judge(access: &Arc<Access>, read: Read) -> PolicyChange {
    let old = access.digest();
    let (new, built) = match read {
        Ok(source) => {
            let new = source.digest();
            let built = spawn_blocking(move || Policy::build(source)).await;
            (Some(new), built.unwrap_or_else(|error| Err(vec![failed(&error)])))
        }
        Err(findings) => (None, Err(findings)),
    };
    match built {
        Ok(policy) => {
            access.swap(policy);
            tracing::info!(old, new, "policy in force");
            PolicyChange { old, new, findings: Vec::new() }
        }
        Err(findings) => {
            for finding in &findings {
                tracing::warn!(%finding, "policy refused: the last good one stays in force");
            }
            access.refuse(findings.clone());
            PolicyChange { old, new, findings }
        }
    }
}

fn failed(error: &tokio::task::JoinError) -> Finding {
    Finding {
        file: "policies".to_owned(),
        line: 0,
        column: 0,
        message: format!("the check failed: {error}"),
        expected: String::new(),
    }
}
