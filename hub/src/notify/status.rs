//! How the notifier is, for readiness and metrics.

use serde::Serialize;

/// How far announcements have come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotifyStatus {
    /// Whether there is a server.
    pub connected: bool,
    /// Whether events go into a stream, not only to whoever listens.
    pub jetstream: bool,
    /// The journal's `seq` up to which everything has been sent.
    pub position: u64,
    /// The newest `seq` of the journal when the position last moved or the connection changed.
    pub head: u64,
    /// Events sent since the hub started.
    pub published: u64,
    /// Device hints handed on since the hub started.
    pub hints: u64,
    /// Device events dropped because they were malformed.
    pub hints_malformed: u64,
    /// Device events dropped because too many waited; the scheduled listing makes up for them.
    pub hints_dropped: u64,
    /// Why the last connection ended, or could not be made.
    pub last_failure: Option<String>,
}

impl NotifyStatus {
    /// Entries of the journal not yet looked at.
    #[must_use]
    pub const fn lag(&self) -> u64 {
        self.head.saturating_sub(self.position)
    }
}
