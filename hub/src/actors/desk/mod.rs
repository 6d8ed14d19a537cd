//! Where commands are carried out: look the request up, decide, append, answer. Runs inside the shards; creates
//! run beside them.
//!
//! * Nothing is answered before it is durable and folded.
//! * A conflict means that somebody else was faster: it is decided anew from what is so now, a bounded number of times.
//! * An idempotent request is settled by its claim in the journal and nowhere else.

mod client;
mod decision;
mod device;
mod replay;

use std::sync::Arc;

use super::command::{Answer, Ask, CommandError, Done, Meta, Order};
use crate::access::{Access, Permit, Target};
use crate::domain::client::Client;
use crate::domain::event::{Answered, Event};
use crate::domain::refusal::Refusal;
use crate::journal::{Actor, Append, AppendError, Claim, Committed, Journal, conflict};
use crate::state::State;
use crate::sync::entries::By;

/// How often a command is decided anew after a conflict.
const CONFLICTS: u32 = 8;

/// What commands are carried out with.
pub(super) struct Desk {
    pub journal: Arc<dyn Journal>,
    pub state: State,
    pub access: Arc<Access>,
}

/// What a command wants to be written.
#[derive(Default)]
struct Change {
    /// Whose business it is, where that is another organisation than the caller's.
    org: Option<String>,
    /// Streams and events, in order.
    events: Vec<(String, Event)>,
    /// What was read.
    expects: Vec<(String, u64)>,
    claims: Vec<Claim>,
    releases: Vec<String>,
}

type Outcome = Result<Answer<Done>, CommandError>;

impl Desk {
    /// Carries a command out.
    pub async fn carry_out(self: &Arc<Self>, ask: &Ask) -> Outcome {
        if let Some(seq) = request_claim(ask).and_then(|claim| self.journal.claimed(&claim)) {
            return self.replay(ask, seq).await;
        }
        for round in 0..CONFLICTS {
            match self.attempt(ask).await {
                Err(Attempt::Again) => conflict::pause(round).await,
                Err(Attempt::Replay(seq)) => return self.replay(ask, seq).await,
                Err(Attempt::Refused(error)) => return Err(error),
                Ok(done) => return Ok(Answer::new(self.first_answer(ask, done).await)),
            }
        }
        Err(CommandError::Overloaded)
    }

    async fn attempt(&self, ask: &Ask) -> Result<Done, Attempt> {
        match &ask.order {
            Order::Create(draft) => self.create(ask, draft).await,
            Order::Edit { if_match, draft } => self.edit(ask, *if_match, draft).await,
            Order::Archive { if_match, reason } => self.archive(ask, *if_match, reason.as_deref()).await,
            Order::Review(body) => self.review(ask, body).await,
            Order::Document(filing) => self.document(ask, filing).await,
            Order::Star(starred) => self.star(ask, *starred).await,
            Order::Lock(_) | Order::Activate(_) => self.simple(ask).await,
            Order::Transfer(body) => self.transfer(ask, body).await,
            Order::ResetPin(body) => self.reset_pin(ask, body).await,
            Order::Decide(ruling) => self.decide(ask, ruling).await,
            Order::Job(job) => self.start_job(ask, job).await,
        }
    }

    /// A permit that rests on the client as it was is asked for again where the client has moved.
    fn still_permitted(&self, ask: &Ask, client: &Client) -> Result<(), Attempt> {
        let permit = &ask.permit;
        if permit.conditional_on_client().is_none_or(|version| version == client.version) {
            return Ok(());
        }
        let target = Target { reference: &client.reference, client: Some(client) };
        let again = self.access.permit(permit.caller(), permit.action(), Some(target));
        again.map(|_| ()).map_err(|denied| CommandError::Denied(Box::new(denied)).into())
    }

    /// Appends a change. Where there is nothing to write, only an idempotent request leaves a trace.
    async fn commit(&self, ask: &Ask, about: &str, change: Change) -> Result<Committed, Attempt> {
        let (mut by, mut change) = (by_caller(&ask.permit, &ask.meta), change);
        by.org = change.org.take().unwrap_or(by.org);
        if change.events.is_empty() {
            let Some(key) = &ask.meta.key else { return Ok(Committed { entries: Vec::new() }) };
            let answered = Event::RequestAnswered(Answered { reference: about.to_owned() });
            change.events.push((format!("request/{}", key.key), answered));
        }
        let key = ask.meta.key.as_ref();
        change.claims.extend(key.map(|key| key.claim(ask.permit.org(), ask.permit.member())));
        let by = std::iter::repeat_n(by, change.events.len());
        let entries = by.zip(change.events).map(|(by, (stream, event))| by.into_entry(stream, event));
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(CommandError::from)?;
        let append = Append { entries, expects: change.expects, claims: change.claims, releases: change.releases };
        self.journal.append(append).await.map_err(Attempt::from)
    }
}

/// How an attempt at a command may end without being done.
enum Attempt {
    /// Somebody else was faster.
    Again,
    /// The same request was answered by the append at this entry.
    Replay(u64),
    /// For good.
    Refused(CommandError),
}

impl From<AppendError> for Attempt {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { .. } => Self::Again,
            AppendError::Claimed { claim, by } if claim.starts_with("request/") => Self::Replay(by),
            AppendError::Claimed { claim, .. } if claim.starts_with("external/") => {
                Self::Refused(CommandError::DuplicateReference)
            }
            AppendError::Claimed { .. } => Self::Refused(CommandError::DuplicateClient),
            other => Self::Refused(other.into()),
        }
    }
}

impl From<CommandError> for Attempt {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}

impl From<Refusal> for Attempt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

/// The claim that settles which of two equal requests is the first.
fn request_claim(ask: &Ask) -> Option<String> {
    claim_of(&ask.permit, &ask.meta)
}

/// The same, before there is a command.
pub(super) fn claim_of(permit: &Permit, meta: &Meta) -> Option<String> {
    Some(meta.key.as_ref()?.claimed(permit.org(), permit.member()))
}

/// Who does it, through what.
pub(super) fn by_caller(permit: &Permit, meta: &Meta) -> By {
    let caller = permit.caller();
    By {
        org: caller.org().to_owned(),
        actor: Actor {
            member: caller.member().to_owned(),
            roles: caller.roles().to_vec(),
            address: meta.address.clone(),
        },
        action: permit.action().as_str().into(),
        request_id: meta.request_id.clone(),
        key: meta.key.clone(),
    }
}
