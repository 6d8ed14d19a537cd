//! The writer: the one thread that gives appends their order.
//!
//! It judges each append, gives it its place and writes its lines into the group that is being gathered;
//! whenever the flusher is free it gets that group, so that all that arrives during one flush shares the
//! next. It touches no file. Its own state is a guess until the flusher says that a group is durable: when a
//! flush fails, the guess is thrown away, and everything that was built on it is refused.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use crossbeam_channel::{Receiver, RecvError, Sender, select};
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

/// What comes through the queue.
pub(super) enum Message {
    Append(Box<Request>),
    Close,
}

/// An append that somebody waits for.
pub(super) struct Request {
    pub append: PreparedAppend,
    pub reply: Reply,
    /// Its share of the queue, given back when it is answered.
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

/// What the flusher says of the group that it was given.
pub(super) enum Flushed {
    /// Durable, or empty; its buffer may be used again.
    Durable(Vec<u8>),
    /// Refused; the journal ends at `Head`, as before.
    Failed(Head),
}

pub(super) struct Writer {
    queue: Receiver<Message>,
    groups: Sender<Group>,
    flushed: Receiver<Flushed>,
    shared: Arc<Shared>,
    room: Room,
    end: Head,
    time: DateTime<Utc>,
    gathering: Option<Group>,
    /// Of the group that is being flushed.
    flushing: Option<Arc<Overlay>>,
    spare: Vec<u8>,
}

/// The ends of the writer's channels.
pub(super) struct Wires {
    pub queue: Receiver<Message>,
    pub groups: Sender<Group>,
    pub flushed: Receiver<Flushed>,
}

impl Writer {
    pub fn new(wires: Wires, shared: Arc<Shared>, room: Room, time: DateTime<Utc>) -> Self {
        let end = shared.durable.read().head;
        let Wires { queue, groups, flushed } = wires;
        let (gathering, flushing, spare) = (None, None, Vec::new());
        Self { queue, groups, flushed, shared, room, end, time, gathering, flushing, spare }
    }

    /// Runs until it is told to close, or the flusher has given up.
    pub fn run(mut self) {
        let mut open = true;
        while open || self.flushing.is_some() || self.gathering.is_some() {
            let handed = self.hand_over();
            let alive = handed && if open && !self.full() { self.next(&mut open) } else { self.wait() };
            if !alive {
                break;
            }
        }
        self.shared.queue_room.close();
        let refusal = if open { FAILED } else { AppendError::Closed };
        self.drop_gathering(&refusal);
        while let Ok(Message::Append(request)) = self.queue.try_recv() {
            answer(request.reply, Err(refusal.clone()));
        }
    }

    /// Waits for an append, and takes all that have come, or for the flusher.
    fn next(&mut self, open: &mut bool) -> bool {
        let (queue, flushed) = (self.queue.clone(), self.flushed.clone());
        select! {
            recv(queue) -> message => *open = self.take_all(message),
            recv(flushed) -> flushed => return self.settle(flushed),
        }
        true
    }

    fn take_all(&mut self, message: Result<Message, RecvError>) -> bool {
        let mut message = message.ok();
        loop {
            match message {
                Some(Message::Append(request)) => self.accept(*request),
                Some(Message::Close) => return false,
                None => return true,
            }
            message = if self.full() { None } else { self.queue.try_recv().ok() };
        }
    }

    fn wait(&mut self) -> bool {
        let flushed = self.flushed.recv();
        self.settle(flushed)
    }

    /// `false` when the flusher has given up.
    fn settle(&mut self, flushed: Result<Flushed, RecvError>) -> bool {
        self.flushing = None;
        match flushed {
            Ok(Flushed::Durable(mut spare)) => {
                spare.clear();
                self.spare = spare;
                true
            }
            Ok(Flushed::Failed(head)) => {
                self.end = head;
                self.drop_gathering(&FAILED);
                true
            }
            Err(RecvError) => false,
        }
    }

    fn full(&self) -> bool {
        self.gathering
            .as_ref()
            .is_some_and(|group| group.bytes.len() >= MAX_GROUP || group.waiters.len() >= MAX_APPENDS)
    }

    fn hand_over(&mut self) -> bool {
        if self.flushing.is_some() {
            return true;
        }
        let Some(group) = self.gathering.take() else { return true };
        self.flushing = Some(group.overlay.clone());
        self.groups.send(group).is_ok()
    }

    fn drop_gathering(&mut self, refusal: &AppendError) {
        for waiter in self.gathering.take().into_iter().flat_map(|group| group.waiters) {
            answer(waiter.reply, Err(refusal.clone()));
        }
    }

    fn accept(&mut self, request: Request) {
        let Request { append, reply, room } = request;
        if !self.room.admits(append.bytes) {
            return answer(reply, Err(FULL));
        }
        let mut group = match self.gathering.take() {
            Some(group) => group,
            None => self.begin(),
        };
        let outcome = match self.judge(&append, &group) {
            Ok(()) => {
                let count = append.entries.len();
                self.write(append, &mut group);
                Outcome::Committed(count)
            }
            Err(refusal) => Outcome::Refused(refusal),
        };
        let sure = self.flushing.is_none() && group.entries.is_empty();
        match outcome {
            Outcome::Refused(refusal) if sure => answer(reply, Err(refusal)),
            outcome => group.waiters.push(Waiter { reply, outcome, _room: room }),
        }
        self.gathering = (!group.waiters.is_empty()).then_some(group);
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
        let pending = [Some(&group.overlay), self.flushing.as_ref()];
        let pending = pending.into_iter().flatten().find_map(|overlay| overlay.versions.get(&stream));
        pending.copied().unwrap_or_else(|| self.shared.durable.read().ledger.version(stream))
    }

    fn holder(&self, claim: Mark, group: &Group) -> Option<Holder> {
        let pending = [Some(&group.overlay), self.flushing.as_ref()];
        let pending = pending.into_iter().flatten().find_map(|overlay| overlay.claims.get(&claim));
        pending.copied().unwrap_or_else(|| self.shared.durable.read().ledger.holder(claim))
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
