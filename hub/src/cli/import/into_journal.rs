//! Clients into the journal of a stopped hub: what an import is fastest at, and the only way to take over a portfolio
//! that is not to be onboarded again.
//!
//! A client is written as the hub itself would write it, with the same claims, that of the request which a running hub
//! would be sent for the line among them: for a day a line that was taken is recognised by either, and after it by the
//! line's own claim, however long ago that was.

use http::Method;
use uuid::Uuid;

use super::sink::{Created, Sink, SinkError};
use super::{ImportArgs, over_http};
use crate::access::Action;
use crate::domain::client::Status;
use crate::domain::event::{self, Event};
use crate::domain::reference::{CLIENT, reference};
use crate::domain::validate::Draft;
use crate::http::idempotency;
use crate::journal::{Actor, Append, AppendError, Claim, Journal, RequestKey};
use crate::startup::data::Data;
use crate::sync::entries::{By, client_stream};

/// The journal of a stopped hub.
pub struct IntoJournal {
    data: Data,
    by: By,
    status: Status,
    onboarding: bool,
}

impl IntoJournal {
    /// Whatever is created is done by the member whom the operator names.
    pub fn new(args: &ImportArgs, data: Data) -> Self {
        let by = By {
            org: args.org.clone(),
            actor: Actor { member: args.member.clone(), roles: Vec::new(), address: None },
            action: Action::CL003.as_str().into(),
            request_id: format!("import-{}", Uuid::now_v7()),
            key: None,
        };
        Self { data, by, status: args.status(), onboarding: !args.no_onboarding }
    }

    /// The key that the line has when it is sent to a running hub.
    fn key(&self, draft: &Draft, line: &str) -> serde_json::Result<RequestKey> {
        let body = serde_json::to_vec(&over_http::body(draft)?)?;
        let asked: &[&[u8]] = &[Method::POST.as_str().as_bytes(), over_http::ROUTE.as_bytes(), &body];
        Ok(idempotency::request_key((&self.by.org, &self.by.actor.member), &over_http::key_of(line), asked))
    }

    fn append(&self, reference: &str, draft: Draft, (line, key): (&str, RequestKey)) -> Result<Append, AppendError> {
        let (org, stream) = (&self.by.org, client_stream(reference));
        let external = draft.external_reference.iter().map(|external| format!("external/{org}/{external}"));
        // The line's own claim comes first: where it is taken, so are the others.
        let keys = std::iter::once(line.to_owned()).chain(draft.profile.claims(org)).chain(external);
        let claims = keys.map(Claim::lasting).chain([key.claim(org, &self.by.actor.member)]).collect();
        let created = Event::ClientCreated(event::Created {
            profile: draft.profile,
            external_reference: draft.external_reference,
            status: self.status,
            onboarding: self.onboarding,
        });
        let by = By { key: Some(key), ..self.by.clone() };
        let entries = vec![by.entry(stream.clone(), created)?];
        Ok(Append { entries, expects: vec![(stream, 0)], claims, releases: Vec::new() })
    }
}

impl Sink for IntoJournal {
    async fn create(&self, draft: Draft, _line: u64, claim: String) -> Result<Created, SinkError> {
        let refused = |error: String| SinkError::Refused(error);
        let key = self.key(&draft, &claim).map_err(|error| refused(error.to_string()))?;
        let sent = key.claimed(&self.by.org, &self.by.actor.member);
        if [&claim, &sent].into_iter().any(|claim| self.data.journal.claimed(claim).is_some()) {
            return Ok(Created::AlreadyThere);
        }
        let reference = reference(CLIENT, Uuid::now_v7());
        let append = self.append(&reference, draft, (&claim, key)).map_err(|error| refused(error.to_string()))?;
        match self.data.journal.append(append).await {
            Ok(_) => Ok(Created::New(reference)),
            Err(AppendError::Claimed { claim: taken, .. }) if taken == claim || taken == sent => {
                Ok(Created::AlreadyThere)
            }
            Err(error) => Err(refusal(error)),
        }
    }
}

fn refusal(error: AppendError) -> SinkError {
    match error {
        AppendError::Claimed { claim, .. } if claim.starts_with("external/") => {
            SinkError::Refused("duplicate-reference: another client has this externalReference".to_owned())
        }
        AppendError::Claimed { claim, .. } if claim.starts_with("company/") => SinkError::Refused(
            "duplicate-client: another client has this registration number in this country".to_owned(),
        ),
        AppendError::Claimed { .. } => {
            SinkError::Refused("duplicate-client: another client has this national id and nationality".to_owned())
        }
        AppendError::TooLarge { .. } | AppendError::Conflict { .. } | AppendError::Invalid(_) => {
            SinkError::Refused(error.to_string())
        }
        AppendError::StorageUnavailable(_) | AppendError::Closed | AppendError::Unknown => {
            SinkError::Stopped(error.to_string())
        }
    }
}
