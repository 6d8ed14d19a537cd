//! The line of an entry, taken apart: layout, hashes, members.
//!
//! A line is read strictly as `compose` writes it: the same members in the same order without a space,
//! so that its bytes, and not a parser's reading of them, are what the chain protects.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::entry::{Actor, Digest, Entry, Mark, RequestKey, SCHEMA};
use super::error::Fault;

/// Longer than any line that is written, in bytes: the bound of a reader that has lost the newlines.
pub(super) const MAX_LINE: usize = 8 << 20;

/// `,"prev":"…","hash":"…"}`.
const TAIL: usize = 9 + 64 + 10 + 64 + 2;

/// The stretches of a line.
pub(super) struct Split<'a> {
    /// From `{` up to the salt's member, with the comma before that left out.
    pub head: &'a str,
    /// Hexadecimal digits, none when erased.
    pub salt: &'a str,
    pub data_hash: &'a str,
    pub data: &'a str,
    pub prev: &'a str,
    pub hash: &'a str,
}

impl<'a> Split<'a> {
    /// Takes a line, without its newline, apart.
    pub fn of(line: &'a [u8]) -> Result<Self, Fault> {
        let line = std::str::from_utf8(line).map_err(|_| Fault::Layout("UTF-8 text"))?;
        // Inside a JSON string a quote has a backslash before it, and no object before the salt has such a
        // member: the first match is the member itself.
        let (head, rest) = line.split_once(",\"salt\":\"").ok_or(Fault::Layout("the member salt"))?;
        let (salt, rest) = rest.split_once('"').ok_or(Fault::Layout("the end of salt"))?;
        let (data_hash, rest) = member(rest, ",\"dataHash\":\"").ok_or(Fault::Layout("the member dataHash"))?;
        let rest = rest.strip_prefix("\",\"data\":").ok_or(Fault::Layout("the member data"))?;
        let tail = rest.len().checked_sub(TAIL).and_then(|at| rest.split_at_checked(at));
        let (data, rest) = tail.ok_or(Fault::Layout("the members prev and hash"))?;
        let (prev, rest) = member(rest, ",\"prev\":\"").ok_or(Fault::Layout("the member prev"))?;
        let (hash, rest) = member(rest, "\",\"hash\":\"").ok_or(Fault::Layout("the member hash"))?;
        if rest != "\"}" {
            return Err(Fault::Layout("hash as the last member"));
        }
        Ok(Self { head, salt, data_hash, data, prev, hash })
    }

    /// Checks both digests, and returns the line's.
    pub fn verify(&self) -> Result<Digest, Fault> {
        let hash = Digest::of(&[
            self.head.as_bytes(),
            b",\"dataHash\":\"",
            self.data_hash.as_bytes(),
            b"\",\"prev\":\"",
            self.prev.as_bytes(),
            b"\"",
        ]);
        if !hash.is(self.hash) {
            return Err(Fault::Hash { expected: self.hash.to_owned(), found: hash });
        }
        if !self.erased() {
            let found = Digest::of(&[self.salt.as_bytes(), self.data.as_bytes()]);
            if !found.is(self.data_hash) {
                return Err(Fault::DataHash { expected: self.data_hash.to_owned(), found });
            }
        }
        Ok(hash)
    }

    /// Whether salt and data were blanked.
    pub fn erased(&self) -> bool {
        self.salt.is_empty() && self.data == "null"
    }

    /// The members before the salt as an object of their own, in `scratch`.
    fn members<'s, T: Deserialize<'s>>(&self, scratch: &'s mut String) -> Result<T, Fault> {
        scratch.clear();
        scratch.push_str(self.head);
        scratch.push('}');
        serde_json::from_str(scratch).map_err(|error| Fault::Members(error.column()))
    }
}

/// Strips `name`, then takes the 64 digits behind it.
fn member<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(name)?.split_at_checked(64)
}

/// A claim as it is written: never its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimMark {
    pub key: Mark,
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
}

/// What the chain, the versions and the claims need to know of an entry: no allocation but for claims.
#[derive(Debug)]
pub(super) struct Facts {
    pub seq: u64,
    pub group: u64,
    pub more: u32,
    pub time: DateTime<Utc>,
    pub stream: Mark,
    pub version: u64,
    pub claims: Vec<ClaimMark>,
    pub releases: Vec<Mark>,
    pub erased: bool,
    pub prev: Digest,
    pub hash: Digest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Members<'a, A, K> {
    v: u8,
    seq: u64,
    id: Uuid,
    time: DateTime<Utc>,
    group: u64,
    #[serde(default)]
    more: u32,
    #[serde(borrow)]
    org: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    version: u64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    actor: A,
    #[serde(borrow, default)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    request_id: Cow<'a, str>,
    #[serde(borrow, default)]
    trace: Option<Cow<'a, str>>,
    key: Option<K>,
    #[serde(default)]
    claims: Vec<ClaimMark>,
    #[serde(default)]
    releases: Vec<Mark>,
}

/// Verifies a line by itself.
pub(super) fn check(line: &[u8], scratch: &mut String) -> Result<Facts, Fault> {
    let split = Split::of(line)?;
    let hash = split.verify()?;
    let members: Members<'_, IgnoredAny, IgnoredAny> = split.members(scratch)?;
    if members.v != SCHEMA {
        return Err(Fault::Schema { found: members.v });
    }
    Ok(Facts {
        seq: members.seq,
        group: members.group,
        more: members.more,
        time: members.time,
        stream: stream_mark(&members.stream),
        version: members.version,
        claims: members.claims,
        releases: members.releases,
        erased: split.erased(),
        prev: split.prev.parse().map_err(|_| Fault::Layout("a digest in prev"))?,
        hash,
    })
}

/// Verifies a line by itself and makes the entry of it.
pub(super) fn decode(line: &[u8]) -> Result<Entry, Fault> {
    let split = Split::of(line)?;
    let hash = split.verify()?;
    let mut scratch = String::with_capacity(split.head.len() + 1);
    let members: Members<'_, Actor, RequestKey> = split.members(&mut scratch)?;
    if members.v != SCHEMA {
        return Err(Fault::Schema { found: members.v });
    }
    let data = if split.erased() {
        None
    } else {
        let data = RawValue::from_string(split.data.to_owned());
        Some(Arc::from(data.map_err(|_| Fault::Layout("JSON in data"))?))
    };
    Ok(Entry {
        v: members.v,
        seq: members.seq,
        id: members.id,
        time: members.time,
        group: members.group,
        more: members.more,
        org: members.org.into_owned(),
        stream: members.stream.into_owned(),
        version: members.version,
        kind: Cow::Owned(members.kind.into_owned()),
        actor: members.actor,
        action: Cow::Owned(members.action.into_owned()),
        request_id: members.request_id.into_owned(),
        trace: members.trace.map(Cow::into_owned),
        key: members.key,
        salt: split.salt.to_owned(),
        data_hash: split.data_hash.parse().map_err(|_| Fault::Layout("a digest in dataHash"))?,
        data,
        prev: split.prev.parse().map_err(|_| Fault::Layout("a digest in prev"))?,
        hash,
        event: None,
    })
}

/// The group that a line claims to be of, however damaged the rest of it is.
///
/// Only ever used to refuse: a line of a later group behind a damaged one shows that the damaged one was
/// part of a flush that had ended.
pub(super) fn group_hint(line: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b",\"group\":";
    let start = line.get(..line.len().min(200))?;
    start.strip_prefix(b"{\"v\":")?;
    let at = start.windows(NAME.len()).position(|window| window == NAME)?;
    let digits = start.get(at + NAME.len()..)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

/// How a stream's name is remembered.
pub(super) fn stream_mark(name: &str) -> Mark {
    Digest::of(&[name.as_bytes()]).mark()
}
