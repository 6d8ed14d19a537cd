//! What a caller appends and what the journal makes of it.
//!
//! Plain data: nothing here reads a file or a clock. An [`Entry`] is shared as `Arc<Entry>` by everyone
//! who reads it and never changes after it was committed; only erasure, on disk, blanks its data.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::domain::event::Event;
use crate::domain::moment;

/// The newest version of an entry's line; a reader refuses any other.
pub const SCHEMA: u8 = 1;

/// `N` bytes that are read and written as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex<const N: usize>(pub(super) [u8; N]);

/// A SHA-256.
pub type Digest = Hex<32>;

/// The first half of a SHA-256: enough to tell names apart, half the memory.
pub(super) type Mark = Hex<16>;

impl<const N: usize> Hex<N> {
    /// What stands in for a digest where there is none: the `prev` of the first entry.
    pub const ZERO: Self = Self([0; N]);

    /// Appends the hexadecimal text to `out`.
    pub(super) fn push_to(&self, out: &mut Vec<u8>) {
        let from = out.len();
        out.resize(from + 2 * N, b'0');
        if let Some(room) = out.get_mut(from..) {
            // The room is exactly as long as the text, the only thing this can refuse.
            hex::encode_to_slice(self.0, room).unwrap_or_default();
        }
    }

    /// Whether `text` is this value's hexadecimal text.
    pub(super) fn is(&self, text: &str) -> bool {
        text.parse() == Ok(*self)
    }
}

impl Digest {
    /// SHA-256 over the parts, one behind the other.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    pub(super) fn mark(&self) -> Mark {
        let mut mark = [0; 16];
        mark.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        Hex(mark)
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        let room = digits.get_mut(..2 * N).unwrap_or_default();
        hex::encode_to_slice(self.0, room).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(room).map_err(|_| fmt::Error)?)
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that isn't the hexadecimal form of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: expected {0} lower-case hexadecimal digits")]
pub struct NotHex(usize);

impl<const N: usize> FromStr for Hex<N> {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        let mut bytes = [0; N];
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(NotHex(2 * N));
        }
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotHex(2 * N))?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Who caused an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Actor {
    /// The member (`sub` of the token), or the part of the hub that acted by itself.
    pub member: String,
    /// The role codes that the member brought.
    pub roles: Vec<String>,
    /// The network address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// How long an idempotent request is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// What makes an idempotent request recognisable without telling what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestKey {
    /// Digest of organisation, member and `Idempotency-Key`, in hexadecimal.
    pub key: String,
    /// Digest of route and body, in hexadecimal.
    pub body: String,
}

impl RequestKey {
    /// The claim that settles which of two equal requests is the first.
    #[must_use]
    pub fn claim(&self, org: &str, member: &str) -> Claim {
        Claim::expiring(self.claimed(org, member), REMEMBERED)
    }

    /// The text of that claim.
    #[must_use]
    pub fn claimed(&self, org: &str, member: &str) -> String {
        format!("request/{org}/{member}/{}", self.key)
    }
}

/// One entry as the caller knows it; the journal adds its place, time, salt and hashes.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The organisation that the change belongs to.
    pub org: String,
    /// The stream whose version it moves, such as `client/CL-…`. Streams are told apart by this name alone.
    pub stream: String,
    /// What happened, such as `client.created`.
    pub kind: Cow<'static, str>,
    /// Who did it.
    pub actor: Actor,
    /// The action's code, such as `CL004`; empty where the hub acted by itself.
    pub action: Cow<'static, str>,
    /// The `X-Request-Id` of the request.
    pub request_id: String,
    /// The W3C `traceparent` of the work that it came from.
    pub trace: Option<String>,
    /// Set for an idempotent request.
    pub key: Option<RequestKey>,
    /// The event itself; the only place for personal data, and what erasure blanks.
    pub data: Box<RawValue>,
    /// What `data` says, where it need not be read again: exactly what a reader would find.
    pub event: Option<Arc<Event>>,
}

/// A unique key that an append takes, such as `company/<org>/<country>/<number>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The key's text. Only a keyed digest of it is ever written.
    pub key: String,
    /// How long it holds from the entry's time on; `None` until it is released.
    pub lasts: Option<Duration>,
}

impl Claim {
    /// A claim that holds until it is released.
    pub fn lasting(key: impl Into<String>) -> Self {
        Self { key: key.into(), lasts: None }
    }

    /// A claim that lapses by itself.
    pub fn expiring(key: impl Into<String>, lasts: Duration) -> Self {
        Self { key: key.into(), lasts: Some(lasts) }
    }
}

/// Entries that become durable together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Append {
    /// At least one entry; several may be of several streams.
    pub entries: Vec<NewEntry>,
    /// Every stream that was read to decide this, with the version that was read (0: it doesn't exist).
    pub expects: Vec<(String, u64)>,
    /// Unique keys to take.
    pub claims: Vec<Claim>,
    /// Unique keys to give back, before `claims` are taken. One that nobody holds is passed over.
    pub releases: Vec<String>,
}

/// What [`Journal::append`](super::Journal::append) answers once it is durable and folded.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The entries in the order in which they were given.
    pub entries: Vec<Arc<Entry>>,
}

/// A committed entry.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The schema of its line.
    pub v: u8,
    /// Its place: 1, 2, 3, … without a gap; the only order.
    pub seq: u64,
    /// `UUIDv7`, in step with `time`.
    pub id: Uuid,
    /// When its group was begun, in milliseconds; never before the previous entry's.
    #[serde(with = "moment")]
    pub time: DateTime<Utc>,
    /// The flush that it went with, named by the `seq` of that flush's first entry.
    pub group: u64,
    /// How many entries of the same append follow.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: u32,
    /// The organisation.
    pub org: String,
    /// The stream.
    pub stream: String,
    /// The version that the stream reached with this entry: 1, 2, 3, …
    pub version: u64,
    /// What happened.
    pub kind: Cow<'static, str>,
    /// Who did it.
    pub actor: Actor,
    /// The action's code, empty where there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub action: Cow<'static, str>,
    /// The request's id.
    pub request_id: String,
    /// The W3C `traceparent` of the work that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The idempotent request's digests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<RequestKey>,
    /// Random hexadecimal digits in front of the data under `data_hash`; empty when erased.
    pub salt: String,
    /// SHA-256 over salt and data; stays when they are erased.
    pub data_hash: Digest,
    /// The event; `None` when erased.
    pub data: Option<Arc<RawValue>>,
    /// The previous entry's `hash`.
    pub prev: Digest,
    /// SHA-256 as `journal`'s header defines it.
    pub hash: Digest,
    /// What `data` says, where the entry was not read from a file.
    #[serde(skip)]
    pub(super) event: Option<Arc<Event>>,
}

impl Entry {
    /// What happened; `None` where it was erased, or is of a kind that the domain does not know.
    ///
    /// # Errors
    /// The data do not have the shape of their kind.
    pub fn event(&self) -> Result<Option<Arc<Event>>, serde_json::Error> {
        match (&self.event, self.data.as_deref()) {
            (Some(event), Some(_)) => Ok(Some(event.clone())),
            (None, Some(data)) => Ok(Event::from_entry(&self.kind, data)?.map(Arc::new)),
            (_, None) => Ok(None),
        }
    }
}

/// The end of the journal: the newest entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its `seq`, 0 in an empty journal.
    pub seq: u64,
    /// Its `hash`, zeros in an empty journal.
    pub hash: Digest,
}

impl Head {
    pub(super) const EMPTY: Self = Self { seq: 0, hash: Digest::ZERO };
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
