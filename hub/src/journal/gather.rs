//! Where appends get their order: they are judged, given their place and written into the group that is being
//! gathered, under one lock, on the threads of those who append.
//!
//! Whenever the flusher is free it takes that group, so all that arrives during one flush shares the next.
//! Nothing here touches a file. What it knows is a guess until the flusher says that a group is durable: when
//! a flush fails, the guess is thrown away, and everything that was built on it is refused.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::compose::{Clock, Line, Prepared, PreparedAppend};
use super::entry::{Committed, Entry, Head, Mark};
use super::error::AppendError;
use super::ledger::{Holder, Overlay, end_of};
use super::line::ClaimMark;
use super::reserve::Room;
use super::shared::Shared;

/// A group is full at so many bytes; one append more than that makes a group of its own.
pub(super) const MAX_GROUP: usize = 1 << 20;

/// A group is full at so many appends.
const MAX_APPENDS: usize = 4096;

const FULL: AppendError = AppendError::StorageUnavailable("too little free space");
pub(super) const FAILED: AppendError = AppendError::StorageUnavailable("the disk failed");

pub(super) type Reply = oneshot::Sender<Result<Committed, AppendError>>;

/// An append that somebody waits for.
pub(super) struct Request {
    pub append: PreparedAppend,
    pub reply: Reply,
    /// Its share of what may wait, given back when it is answered.
    pub room: OwnedSemaphorePermit,
}

/// Somebody who is answered when the group is durable and folded.
pub(super) struct Waiter {
    pub reply: Reply,
    pub outcome: Outcome,
    _room: OwnedSemaphorePermit,
}

pub(super) enum Outcome {
    /// So many of the group's entries, from the first that nobody before has had.
    Committed(usize),
    /// A refusal that rests on what the group before, or this one, commits.
    Refused(AppendError),
}

/// What goes with one flush.
pub(super) struct Group {
    pub clock: Clock,
    /// `seq` of its first entry, also its name.
    pub first: u64,
    pub bytes: Vec<u8>,
    /// Of each line, with its newline.
    pub lengths: Vec<usize>,
    pub entries: Vec<Arc<Entry>>,
    pub waiters: Vec<Waiter>,
    pub overlay: Arc<Overlay>,
    pub head: Head,
}

impl Group {
    fn full(&self) -> bool {
        self.bytes.len() >= MAX_GROUP || self.waiters.len() >= MAX_APPENDS
    }

    /// Refuses everybody.
    pub fn refuse(self, refusal: &AppendError) {
        for waiter in self.waiters {
            answer(waiter.reply, Err(refusal.clone()));
        }
    }
}

/// The appends that are not durable yet.
pub(super) struct Gathering {
    state: Mutex<State>,
    /// For the flusher: there is a group, or there will be none.
    work: Condvar,
}

struct State {
    shared: Arc<Shared>,
    room: Room,
    /// The newest entry of all groups.
    end: Head,
    time: DateTime<Utc>,
    /// Bounded by the room that every append takes; all but the last are full.
    groups: VecDeque<Group>,
    /// Of the group that the flusher has.
    flushing: Option<Arc<Overlay>>,
    spare: Vec<u8>,
    /// What a new append is refused with.
    closed: Option<AppendError>,
}

impl Gathering {
    pub fn new(shared: Arc<Shared>, room: Room, time: DateTime<Utc>) -> Self {
        let end = shared.durable.read().head;
        let (groups, flushing, spare, closed) = (VecDeque::new(), None, Vec::new(), None);
        let state = State { shared, room, end, time, groups, flushing, spare, closed };
        Self { state: Mutex::new(state), work: Condvar::new() }
    }

    /// Takes an append in, or refuses it.
    pub fn accept(&self, request: Request) {
        let mut state = self.state.lock();
        state.accept(request);
        let idle = state.flushing.is_none() && !state.groups.is_empty();
        drop(state);
        if idle {
            self.work.notify_one();
        }
    }

    /// Whether there is more free space than the reserve.
    pub fn has_room(&self) -> bool {
        self.state.lock().room.admits(0)
    }

    /// The next group to flush. Waits for it; `None` when it is closed and nothing is left.
    pub fn next(&self) -> Option<Group> {
        let mut state = self.state.lock();
        while state.groups.is_empty() {
            if state.closed.is_some() {
                return None;
            }
            self.work.wait(&mut state);
        }
        let group = state.groups.pop_front()?;
        state.flushing = Some(group.overlay.clone());
        Some(group)
    }

    /// The group that was taken is durable; its buffer may be used again.
    pub fn durable(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut state = self.state.lock();
        state.flushing = None;
        state.spare = buffer;
    }

    /// The group that was taken is lost, and with it all that came after it: the journal ends at `head`.
    pub fn failed(&self, head: Head) {
        let mut state = self.state.lock();
        state.flushing = None;
        state.end = head;
        state.groups.drain(..).for_each(|group| group.refuse(&FAILED));
    }

    /// Takes nothing more in; what is there is still flushed.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed.get_or_insert(AppendError::Closed);
        self.work.notify_one();
    }

    /// Nothing will be flushed any more.
    pub fn give_up(&self) {
        let mut state = self.state.lock();
        state.closed.get_or_insert(FAILED);
        state.shared.queue_room.close();
        state.groups.drain(..).for_each(|group| group.refuse(&FAILED));
    }
}

impl State {
    fn accept(&mut self, request: Request) {
        let Request { append, reply, room } = request;
        if let Some(refusal) = &self.closed {
            return answer(reply, Err(refusal.clone()));
        }
        if !self.room.admits(append.bytes) {
            return answer(reply, Err(FULL));
        }
        let mut group = match self.groups.pop_back_if(|group| !group.full()) {
            Some(group) => group,
            None => self.begin(),
        };
        let sure = self.flushing.is_none() && self.groups.is_empty() && group.entries.is_empty();
        let outcome = match self.judge(&append, &group) {
            Ok(()) => {
                let count = append.entries.len();
                self.write(append, &mut group);
                Outcome::Committed(count)
            }
            Err(refusal) => Outcome::Refused(refusal),
        };
        match outcome {
            Outcome::Refused(refusal) if sure => answer(reply, Err(refusal)),
            outcome => group.waiters.push(Waiter { reply, outcome, _room: room }),
        }
        if !group.waiters.is_empty() {
            self.groups.push_back(group);
        }
    }

    fn begin(&mut self) -> Group {
        Group {
            clock: Clock::after(self.time),
            first: self.end.seq + 1,
            bytes: std::mem::take(&mut self.spare),
            lengths: Vec::new(),
            entries: Vec::new(),
            waiters: Vec::new(),
            overlay: Arc::default(),
            head: self.end,
        }
    }

    fn judge(&self, append: &PreparedAppend, group: &Group) -> Result<(), AppendError> {
        for claim in &append.claims {
            let holder = self.holder(claim.mark, group).filter(|_| !append.releases.contains(&claim.mark));
            if let Some(holder) = holder.filter(|holder| holder.holds(group.clock.time)) {
                return Err(AppendError::Claimed { claim: claim.text.clone(), by: holder.seq });
            }
        }
        for (mark, stream, expected) in &append.expects {
            let actual = self.version(*mark, group);
            if actual != *expected {
                return Err(AppendError::Conflict { stream: stream.clone(), expected: *expected, actual });
            }
        }
        Ok(())
    }

    fn version(&self, stream: Mark, group: &Group) -> u64 {
        let pending = self.pending(group).find_map(|overlay| overlay.versions.get(&stream));
        pending.copied().unwrap_or_else(|| self.shared.durable.read().ledger.version(stream))
    }

    fn holder(&self, claim: Mark, group: &Group) -> Option<Holder> {
        let pending = self.pending(group).find_map(|overlay| overlay.claims.get(&claim));
        pending.copied().unwrap_or_else(|| self.shared.durable.read().ledger.holder(claim))
    }

    /// What isn't durable yet, the newest first.
    fn pending<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a Overlay> {
        let full = self.groups.iter().rev().map(|group| &*group.overlay);
        std::iter::once(&*group.overlay).chain(full).chain(self.flushing.as_deref())
    }

    fn write(&mut self, append: PreparedAppend, group: &mut Group) {
        self.time = group.clock.time;
        let first = self.end.seq + 1;
        let claims = self.take_claims(&append, group, first);
        let mut more = u32::try_from(append.entries.len()).unwrap_or(u32::MAX);
        for prepared in append.entries {
            more -= 1;
            let once = self.end.seq + 1 == first;
            let claims = if once { claims.as_slice() } else { &[] };
            let releases = if once { append.releases.as_slice() } else { &[] };
            self.write_line(prepared, group, more, (claims, releases));
        }
    }

    fn write_line(
        &mut self,
        prepared: Prepared,
        group: &mut Group,
        more: u32,
        (claims, releases): (&[ClaimMark], &[Mark]),
    ) {
        let stream = prepared.stream;
        let version = self.version(stream, group) + 1;
        let (seq, prev) = (self.end.seq + 1, self.end.hash);
        let line = Line { clock: &group.clock, seq, group: group.first, more, version, prev, claims, releases };
        let from = group.bytes.len();
        let entry = line.write(prepared, &mut group.bytes);
        group.lengths.push(group.bytes.len() - from);
        self.end = Head { seq, hash: entry.hash };
        group.head = self.end;
        group.entries.push(Arc::new(entry));
        if let Some(overlay) = Arc::get_mut(&mut group.overlay) {
            overlay.versions.insert(stream, version);
        }
    }

    fn take_claims(&self, append: &PreparedAppend, group: &mut Group, seq: u64) -> Vec<ClaimMark> {
        let now = group.clock.time;
        let end = |lasts| end_of(now, lasts);
        let dated = append.claims.iter().map(|claim| (claim.mark, claim.lasts.and_then(end)));
        let claims: Vec<_> = dated.map(|(key, until)| ClaimMark { key, until }).collect();
        if let Some(overlay) = Arc::get_mut(&mut group.overlay) {
            overlay.claims.extend(append.releases.iter().map(|mark| (*mark, None)));
            let held = claims.iter().map(|claim| (claim.key, Some(Holder::new(seq, claim.until))));
            overlay.claims.extend(held);
        }
        claims
    }
}

/// Answers somebody who may have stopped waiting.
pub(super) fn answer(reply: Reply, answer: Result<Committed, AppendError>) {
    // What is not received was not waited for.
    drop(reply.send(answer));
}
