//! The thread that writes decisions down: makes a line of each, and survives a file system that refuses.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::super::policy::Decision;
use super::super::record::{Answer, MOST_IDS, Record};
use super::segments::Segments;
use super::{Counts, Made};

/// Between two looks into the queue.
const LOOK: Duration = Duration::from_millis(25);
/// Between two complaints, and two attempts, while the files can't be written.
const COMPLAIN: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    waiting: Receiver<Made>,
    ended: Receiver<()>,
    segments: Segments,
    counts: Counts,
    line: Vec<u8>,
    refused: Option<Instant>,
}

impl Writer {
    pub(super) fn new(waiting: Receiver<Made>, ended: Receiver<()>, segments: Segments, counts: Counts) -> Self {
        Self { waiting, ended, segments, counts, line: Vec::new(), refused: None }
    }

    /// Writes until the log is dropped, and what waits then.
    pub(super) fn run(mut self) {
        while matches!(self.ended.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout)) {
            self.empty();
        }
        self.empty();
    }

    fn empty(&mut self) {
        let mut any = false;
        while let Ok(made) = self.waiting.try_recv() {
            any = true;
            self.write(&made);
        }
        if any && let Err(error) = self.segments.flush() {
            self.complain(&error);
        }
    }

    fn write(&mut self, made: &Made) {
        let allowed = made.decision.is_allowed();
        if self.refused.is_some_and(|since| since.elapsed() < COMPLAIN) {
            return self.counts.lose(allowed);
        }
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, &record(made)).map_err(std::io::Error::from);
        self.line.push(b'\n');
        match written.and_then(|()| self.segments.write(&self.line)) {
            Ok(()) => {
                self.refused = None;
                self.counts.written.inc();
            }
            Err(error) => {
                self.counts.lose(allowed);
                self.complain(&error);
            }
        }
    }

    fn complain(&mut self, error: &std::io::Error) {
        self.refused = Some(Instant::now());
        tracing::error!(%error, "the decision log can't be written: decisions are lost");
    }
}

/// The line of a decision.
fn record(made: &Made) -> Record<'_> {
    let Made { caller, target, policy, decision, .. } = made;
    let (file, line) = policy.deciding_line(decision, made.action);
    let few = caller.clients().len() <= MOST_IDS;
    let is_written = |client: &&String| few || target.as_deref() == Some(client.as_str());
    let clients: Cow<'_, [String]> = caller.clients().iter().filter(is_written).cloned().collect();
    let (answer, narrowed, denied_by) = match decision {
        Decision::Allowed { rows, .. } => (Answer::Allow, !rows.is_empty(), None),
        Decision::Denied { by } => (Answer::Deny, false, by.and_then(|place| policy.condition_id(place))),
    };
    Record {
        id: made.id.to_string().into(),
        at: made.at,
        member: caller.member().into(),
        org: caller.org().into(),
        roles: caller.roles().into(),
        apps: Cow::Borrowed(caller.apps()),
        clients_left_out: caller.clients().len() - clients.len(),
        clients,
        action: made.action.as_str().into(),
        answer,
        narrowed,
        policy: denied_by.map(Cow::Borrowed),
        by: (line > 0).then(|| format!("{file}:{line}")),
        digest: policy.digest().into(),
        us: (made.took.as_secs_f64() * 1e7).round() / 10.0,
        target: made.target.as_deref().map(Cow::Borrowed),
        client: made.facts.as_ref().map(Cow::Borrowed),
        conditions: made.outcomes.as_slice().into(),
    }
}
