//! Clients into the journal of a stopped hub: what an import is fastest at, and the only way to take over a portfolio
//! that is not to be onboarded again.
//!
//! A client is written as the hub itself would write it, with the same claims, and the line's own besides: a line that
//! an earlier run has taken is recognised however long ago that was.

use uuid::Uuid;

use super::ImportArgs;
use super::sink::{Created, Sink, SinkError};
use crate::access::Action;
use crate::domain::client::Status;
use crate::domain::event::{self, Event};
use crate::domain::reference::{CLIENT, reference};
use crate::domain::validate::Draft;
use crate::journal::{Actor, Append, AppendError, Claim, Journal};
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
            action: Action::CL003.as_str().to_owned(),
            request_id: format!("import-{}", Uuid::now_v7()),
            key: None,
        };
        Self { data, by, status: args.status(), onboarding: !args.no_onboarding }
    }

    fn append(&self, reference: &str, draft: Draft, line: &str) -> Result<Append, AppendError> {
        let (org, stream) = (&self.by.org, client_stream(reference));
        let external = draft.external_reference.iter().map(|external| format!("external/{org}/{external}"));
        // The line's own claim comes first: where it is taken, so are the others.
        let keys = std::iter::once(line.to_owned()).chain(draft.profile.claims(org)).chain(external);
        let claims = keys.map(Claim::lasting).collect();
        let created = Event::ClientCreated(event::Created {
            profile: draft.profile,
            external_reference: draft.external_reference,
            status: self.status,
            onboarding: self.onboarding,
        });
        let entries = vec![self.by.entry(stream.clone(), &created)?];
        Ok(Append { entries, expects: vec![(stream, 0)], claims, releases: Vec::new() })
    }
}

impl Sink for IntoJournal {
    async fn create(&self, draft: Draft, _line: u64, claim: String) -> Result<Created, SinkError> {
        if self.data.journal.claimed(&claim).is_some() {
            return Ok(Created::AlreadyThere);
        }
        let reference = reference(CLIENT, Uuid::now_v7());
        let append = self.append(&reference, draft, &claim).map_err(|error| SinkError::Refused(error.to_string()))?;
        match self.data.journal.append(append).await {
            Ok(_) => Ok(Created::New(reference)),
            Err(AppendError::Claimed { claim: taken, .. }) if taken == claim => Ok(Created::AlreadyThere),
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
