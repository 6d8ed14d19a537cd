//! The line of an entry, made: in two halves, so that little has to happen under the lock that orders entries.
//!
//! [`Prepared`] is made by the caller, on the caller's thread: everything that doesn't depend on the order
//! of entries (members, salt, hash of the data). [`Line::write`] adds the place and closes the chain.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::Rng;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::{Builder, Uuid};

use super::claims::ClaimsKey;
use super::entry::{Append, Claim, Digest, Entry, Hex, Mark, NewEntry, SCHEMA};
use super::error::AppendError;
use super::line::{ClaimMark, stream_mark};
use crate::domain::moment;

/// The longest append, all its lines together, in bytes: a request body of 1 MiB with room to spare.
pub(super) const MAX_APPEND: usize = 4 << 20;

/// Longer than what [`Line::write`] adds to a prepared entry, claims apart.
const PLACE: usize = 512;

/// One claim of an append costs at most this many bytes in a line.
const CLAIM: usize = 88;

/// `,"salt":"…"`.
const SALT: usize = 9 + 32 + 1;

/// `,"dataHash":"…"`.
const DATA_HASH: usize = 13 + 64 + 1;

/// An entry with its text made as far as the caller can make it.
pub(super) struct Prepared {
    new: NewEntry,
    data: Arc<RawValue>,
    salt: String,
    data_hash: Digest,
    pub stream: Mark,
    /// `,"org":…` up to `"version":`, then `,"kind":…` up to the key, then salt, hash of the data and data.
    text: Vec<u8>,
    scope_end: usize,
    members_end: usize,
}

/// A claim that is asked for: its text for the refusal, its digest for everything else.
pub(super) struct Wanted {
    pub text: String,
    pub mark: Mark,
    pub lasts: Option<Duration>,
}

/// An append as `gather` gets it.
pub(super) struct PreparedAppend {
    pub entries: Vec<Prepared>,
    pub expects: Vec<(Mark, String, u64)>,
    pub claims: Vec<Wanted>,
    pub releases: Vec<Mark>,
    /// An upper bound of the lines' length.
    pub bytes: usize,
}

impl PreparedAppend {
    /// Does all the work that needs no order: texts, salts, digests.
    pub fn new(append: Append, key: &ClaimsKey) -> Result<Self, AppendError> {
        if append.entries.is_empty() {
            return Err(AppendError::Invalid("it has no entries"));
        }
        let raw: usize = append.entries.iter().map(|entry| entry.data.get().len()).sum();
        let marks = append.claims.len() + append.releases.len();
        too_large(raw + marks * CLAIM)?;
        let entries: Vec<_> = append.entries.into_iter().map(Prepared::new).collect::<Result<_, _>>()?;
        let bytes = marks * CLAIM + entries.iter().map(|entry| entry.text.len() + PLACE).sum::<usize>();
        too_large(bytes)?;
        let expect = |(stream, version): (String, u64)| (stream_mark(&stream), stream, version);
        let want = |Claim { key: text, lasts }| Wanted { mark: key.mark(&text), text, lasts };
        Ok(Self {
            entries,
            expects: append.expects.into_iter().map(expect).collect(),
            claims: append.claims.into_iter().map(want).collect(),
            releases: append.releases.iter().map(|text| key.mark(text)).collect(),
            bytes,
        })
    }
}

fn too_large(bytes: usize) -> Result<(), AppendError> {
    if bytes > MAX_APPEND { Err(AppendError::TooLarge { bytes, limit: MAX_APPEND }) } else { Ok(()) }
}

impl Prepared {
    fn new(mut new: NewEntry) -> Result<Self, AppendError> {
        let data: Arc<RawValue> = Arc::from(one_line(std::mem::take(&mut new.data)));
        let mut salt = [0; 16];
        rand::rng().fill_bytes(&mut salt);
        let salt = Hex(salt).to_string();
        let data_hash = Digest::of(&[salt.as_bytes(), data.get().as_bytes()]);

        let mut text = Vec::with_capacity(data.get().len() + PLACE);
        put(&mut text, b",\"org\":", &new.org)?;
        put(&mut text, b",\"stream\":", &new.stream)?;
        text.extend_from_slice(b",\"version\":");
        let scope_end = text.len();
        put(&mut text, b",\"kind\":", &new.kind)?;
        put(&mut text, b",\"actor\":", &new.actor)?;
        if !new.action.is_empty() {
            put(&mut text, b",\"action\":", &new.action)?;
        }
        put(&mut text, b",\"requestId\":", &new.request_id)?;
        if let Some(trace) = &new.trace {
            put(&mut text, b",\"trace\":", trace)?;
        }
        if let Some(key) = &new.key {
            put(&mut text, b",\"key\":", key)?;
        }
        let members_end = text.len();
        text.extend_from_slice(b",\"salt\":\"");
        text.extend_from_slice(salt.as_bytes());
        text.extend_from_slice(b"\",\"dataHash\":\"");
        data_hash.push_to(&mut text);
        text.extend_from_slice(b"\",\"data\":");
        text.extend_from_slice(data.get().as_bytes());
        Ok(Self { stream: stream_mark(&new.stream), new, data, salt, data_hash, text, scope_end, members_end })
    }
}

/// Appends `name` and the JSON of `value`.
fn put<T: Serialize>(out: &mut Vec<u8>, name: &[u8], value: &T) -> Result<(), AppendError> {
    out.extend_from_slice(name);
    serde_json::to_writer(out, value).map_err(|_| AppendError::Invalid("a member is no JSON"))
}

/// The same JSON without line breaks, which can only stand between its tokens.
fn one_line(data: Box<RawValue>) -> Box<RawValue> {
    if memchr::memchr2(b'\n', b'\r', data.get().as_bytes()).is_none() {
        return data;
    }
    let text = data.get().replace(['\n', '\r'], " ");
    RawValue::from_string(text).unwrap_or(data)
}

/// The time of a group, and its text.
pub(super) struct Clock {
    pub time: DateTime<Utc>,
    text: String,
}

impl Clock {
    /// Now in milliseconds, or `last` where the clock has been set back.
    pub fn after(last: DateTime<Utc>) -> Self {
        let now = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap_or(last);
        let time = now.max(last);
        Self { time, text: moment::text(&time) }
    }

    fn id(&self) -> Uuid {
        let mut random = [0; 10];
        rand::rng().fill_bytes(&mut random);
        let since_1970 = u64::try_from(self.time.timestamp_millis()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(since_1970, &random).into_uuid()
    }
}

/// The place of one line: everything that depends on the order.
pub(super) struct Line<'a> {
    pub clock: &'a Clock,
    pub seq: u64,
    pub group: u64,
    pub more: u32,
    pub version: u64,
    pub prev: Digest,
    /// Of the whole append; given to its first line.
    pub claims: &'a [ClaimMark],
    pub releases: &'a [Mark],
}

impl Line<'_> {
    /// Appends the line to `out` and makes the entry.
    pub fn write(&self, prepared: Prepared, out: &mut Vec<u8>) -> Entry {
        let id = self.clock.id();
        let from = out.len();
        self.write_head(&prepared, id, out);
        let head_end = out.len();
        out.extend_from_slice(prepared.text.get(prepared.members_end..).unwrap_or_default());
        let prev_from = out.len();
        out.extend_from_slice(b",\"prev\":\"");
        self.prev.push_to(out);
        out.push(b'"');
        let data_hash_from = head_end + SALT;
        let hash = Digest::of(&[
            out.get(from..head_end).unwrap_or_default(),
            out.get(data_hash_from..data_hash_from + DATA_HASH).unwrap_or_default(),
            out.get(prev_from..).unwrap_or_default(),
        ]);
        out.extend_from_slice(b",\"hash\":\"");
        hash.push_to(out);
        out.extend_from_slice(b"\"}\n");
        self.entry(prepared, id, hash)
    }

    fn write_head(&self, prepared: &Prepared, id: Uuid, out: &mut Vec<u8>) {
        let (scope, rest) = prepared.text.split_at_checked(prepared.scope_end).unwrap_or_default();
        let members = rest.get(..prepared.members_end - prepared.scope_end).unwrap_or_default();
        out.extend_from_slice(b"{\"v\":");
        number(u64::from(SCHEMA), out);
        out.extend_from_slice(b",\"seq\":");
        number(self.seq, out);
        out.extend_from_slice(b",\"id\":\"");
        out.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        out.extend_from_slice(b"\",\"time\":\"");
        out.extend_from_slice(self.clock.text.as_bytes());
        out.extend_from_slice(b"\",\"group\":");
        number(self.group, out);
        if self.more > 0 {
            out.extend_from_slice(b",\"more\":");
            number(u64::from(self.more), out);
        }
        out.extend_from_slice(scope);
        number(self.version, out);
        out.extend_from_slice(members);
        self.write_claims(out);
    }

    fn write_claims(&self, out: &mut Vec<u8>) {
        list(out, b",\"claims\":[", self.claims, |claim, out| {
            out.extend_from_slice(b"{\"key\":\"");
            claim.key.push_to(out);
            out.push(b'"');
            if let Some(until) = &claim.until {
                out.extend_from_slice(b",\"until\":\"");
                out.extend_from_slice(moment::text(until).as_bytes());
                out.push(b'"');
            }
            out.push(b'}');
        });
        list(out, b",\"releases\":[", self.releases, |mark, out| {
            out.push(b'"');
            mark.push_to(out);
            out.push(b'"');
        });
    }

    fn entry(&self, prepared: Prepared, id: Uuid, hash: Digest) -> Entry {
        let Prepared { new, data, salt, data_hash, .. } = prepared;
        Entry {
            v: SCHEMA,
            seq: self.seq,
            id,
            time: self.clock.time,
            group: self.group,
            more: self.more,
            org: new.org,
            stream: new.stream,
            version: self.version,
            kind: new.kind,
            actor: new.actor,
            action: new.action,
            request_id: new.request_id,
            trace: new.trace,
            key: new.key,
            salt,
            data_hash,
            data: Some(data),
            prev: self.prev,
            hash,
            event: new.event,
        }
    }
}

/// A member that is left out when it would be empty.
fn list<T>(out: &mut Vec<u8>, name: &[u8], items: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
    for (at, item) in items.iter().enumerate() {
        out.extend_from_slice(if at == 0 { name } else { b"," });
        write(item, out);
    }
    if !items.is_empty() {
        out.push(b']');
    }
}

fn number(value: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut rest = value;
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}
