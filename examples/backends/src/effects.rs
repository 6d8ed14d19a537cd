//! What has taken effect, in order: the log that a checker compares with what the hub believes.
//!
//! One entry for each change that a system made, whether or not its answer reached anybody. A refused request leaves
//! none. The log is kept whole; an entry is a few hundred bytes.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use crate::System;

/// One change.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Its place in the order, from 1, over all systems.
    pub seq: u64,
    /// When.
    #[serde(serialize_with = "milliseconds")]
    pub at: DateTime<Utc>,
    /// Who made it.
    pub system: System,
    /// What was done, for example `client.created`.
    pub kind: &'static str,
    /// The external reference that it belongs to: the hub's own id of the client, or a message's recipient.
    pub reference: String,
    /// The system's own id of what was changed.
    pub object: String,
    /// The idempotency key that came with the request, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The version that the payload said it was, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether anything differs from before; `false` for an update to what was so already.
    pub changed: bool,
}

impl Effect {
    /// An effect that is still to be numbered, without key and version, that changed something.
    #[must_use]
    pub fn new(system: System, kind: &'static str, reference: &str, object: &str) -> Self {
        Effect {
            seq: 0,
            at: DateTime::UNIX_EPOCH,
            system,
            kind,
            reference: reference.to_owned(),
            object: object.to_owned(),
            key: None,
            version: None,
            changed: true,
        }
    }

    /// The same with an idempotency key, where one was sent.
    #[must_use]
    pub fn key(mut self, key: Option<&str>) -> Self {
        self.key = key.map(str::to_owned);
        self
    }

    /// The same with the version that the payload named.
    #[must_use]
    pub fn version(mut self, version: Option<u64>) -> Self {
        self.version = version;
        self
    }

    /// The same, saying whether anything differs from before.
    #[must_use]
    pub fn changed(mut self, changed: bool) -> Self {
        self.changed = changed;
        self
    }
}

/// Times go out as the hub's own do: RFC 3339, UTC, milliseconds.
pub(crate) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn milliseconds<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

/// The log.
#[derive(Default)]
pub struct Effects {
    entries: Mutex<Vec<Effect>>,
    /// When what is carried out just now was written down, where it is; the same when it is carried out again.
    happened: Mutex<Option<DateTime<Utc>>>,
}

impl Effects {
    /// Numbers the effect and writes it down. Call it while the system's own state is locked, so that the order here is
    /// the order in which the changes were made.
    pub fn record(&self, mut effect: Effect) {
        let mut entries = self.entries.lock();
        effect.seq = entries.len() as u64 + 1;
        effect.at = self.happened.lock().unwrap_or_else(Utc::now);
        entries.push(effect);
    }

    /// The effects from now on happened then.
    pub(crate) fn happened(&self, at: DateTime<Utc>) {
        *self.happened.lock() = Some(at);
    }

    /// The effects after `after` that the filter lets through, oldest first, at most `limit`.
    #[must_use]
    pub fn select(&self, after: u64, limit: usize, wanted: impl Fn(&Effect) -> bool) -> Vec<Effect> {
        let entries = self.entries.lock();
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        entries.iter().skip(skipped).filter(|effect| wanted(effect)).take(limit).cloned().collect()
    }
}

/// For each external reference the numbers of its effects, in order.
pub(crate) fn by_reference(effects: &[Effect]) -> BTreeMap<&str, Vec<u64>> {
    let mut references: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for effect in effects {
        references.entry(&effect.reference).or_default().push(effect.seq);
    }
    references
}
