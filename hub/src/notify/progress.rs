//! How far announcements have come, in memory, in the journal and for all to see.

use tokio::sync::watch;

use super::source::{Source, SourceError};
use super::status::NotifyStatus;

/// Events between two `notify.published` entries.
const MARK_EVERY: u32 = 1000;

pub(super) struct Progress<'a, S> {
    source: &'a S,
    status: &'a watch::Sender<NotifyStatus>,
    position: u64,
    unmarked: u32,
}

impl<'a, S: Source> Progress<'a, S> {
    /// From where the journal knows that it got to.
    pub(super) async fn load(source: &'a S, status: &'a watch::Sender<NotifyStatus>) -> Result<Self, SourceError> {
        let position = source.published().await?;
        let progress = Self { source, status, position, unmarked: 0 };
        progress.show();
        Ok(progress)
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    pub(super) const fn source(&self) -> &'a S {
        self.source
    }

    /// The stream itself knows better.
    pub(super) fn found(&mut self, position: u64) {
        self.position = position;
        self.show();
    }

    /// Everything up to `seq` was looked at, and nothing of it waits to be acknowledged.
    pub(super) fn passed(&mut self, seq: u64) {
        self.position = self.position.max(seq);
        self.show();
    }

    /// The event of `seq` has been sent.
    pub(super) async fn published(&mut self, seq: u64) {
        self.position = seq;
        self.status.send_modify(|status| status.published = status.published.saturating_add(1));
        self.show();
        self.unmarked = self.unmarked.saturating_add(1);
        if self.unmarked.is_multiple_of(MARK_EVERY) {
            self.mark().await;
        }
    }

    /// Writes the position into the journal, where anything was sent since it was written last. A journal that refuses it, on
    /// a full disk, is asked again later: more may be sent twice then, and nothing is lost.
    pub(super) async fn mark(&mut self) {
        if self.unmarked == 0 {
            return;
        }
        if let Err(error) = self.source.mark_published(self.position).await {
            tracing::warn!(%error, position = self.position, "how far was announced can't be written down");
            return;
        }
        self.unmarked = 0;
    }

    fn show(&self) {
        let (position, head) = (self.position, self.source.head());
        self.status.send_modify(|status| (status.position, status.head) = (position, head));
    }
}
