//! Commands on clients.

use std::sync::Arc;

use super::{Attempt, Change, Desk};
use crate::access::Denied;
use crate::actors::command::{Ask, CommandError, Done, Filing, not_kept};
use crate::domain::client::{ClientCommand, Edit, Status};
use crate::domain::device::DeviceCommand;
use crate::domain::due::screening_digest;
use crate::domain::event::{Created, Event, Starred};
use crate::domain::profile::Profile;
use crate::domain::refusal::Refusal;
use crate::domain::validate::Draft;
use crate::domain::validate::body::{Decision, ReviewBody};
use crate::journal::Claim;
use crate::state::ClientRecord;
use crate::sync::entries::{client_stream, device_stream, kyc_stream, stream_of};

/// The role that may change who a client is assigned to.
const ADMINISTRATOR: &str = "RP001";

impl Desk {
    pub(super) async fn create(&self, ask: &Ask, draft: &Draft) -> Result<Done, Attempt> {
        let (org, stream) = (ask.permit.org(), client_stream(&ask.lane));
        let mut claims: Vec<Claim> = draft.profile.claims(org).into_iter().map(Claim::lasting).collect();
        let external = draft.external_reference.as_ref();
        claims.extend(external.map(|external| Claim::lasting(format!("external/{org}/{external}"))));
        let created = Event::ClientCreated(Created {
            profile: draft.profile.clone(),
            external_reference: draft.external_reference.clone(),
            status: Status::Pending,
            onboarding: true,
        });
        let (events, expects) = (vec![(stream.clone(), created)], vec![(stream, 0)]);
        self.commit(ask, &ask.lane, Change { events, expects, claims, ..Change::default() }).await?;
        self.answered(ask)
    }

    pub(super) async fn edit(&self, ask: &Ask, if_match: Option<u64>, draft: &Draft) -> Result<Done, Attempt> {
        let record = self.client(ask, if_match)?;
        let client = &record.client;
        let may_assign = ask.permit.caller().roles().iter().any(|role| role == ADMINISTRATOR);
        let events = client.decide(&ClientCommand::Edit(Box::new(Edit {
            profile: draft.profile.clone(),
            assigns: draft.assigns,
            may_assign,
            external_reference: draft.external_reference.clone(),
            status: draft.status,
            status_reason: draft.status_reason.clone(),
        })));
        let events = events.map_err(|refusal| refused(ask, refusal))?;
        let mut change = self.change(&record, events);
        if let Some((_, Event::ClientUpdated(updated))) = change.events.first() {
            (change.claims, change.releases) = moved(&client.profile, &updated.profile, &client.org);
        }
        self.commit(ask, &ask.lane, change).await?;
        self.answered(ask)
    }

    pub(super) async fn archive(
        &self,
        ask: &Ask,
        if_match: Option<u64>,
        reason: Option<&str>,
    ) -> Result<Done, Attempt> {
        let record = self.client(ask, if_match)?;
        let reason = reason.map(str::to_owned);
        let events = record.client.decide(&ClientCommand::Archive { reason: reason.clone() })?;
        let mut change = self.change(&record, events);
        if !change.events.is_empty() {
            change.releases = record.client.profile.claims(&record.client.org);
            self.deactivate_devices(&record, reason.as_ref(), &mut change)?;
        }
        self.commit(ask, &ask.lane, change).await?;
        self.deactivate_late_comers(ask, &record, reason.as_ref()).await?;
        self.answered(ask)
    }

    /// A device that was enrolled between the look at the devices and the commit; after it none is enrolled any more.
    async fn deactivate_late_comers(
        &self,
        ask: &Ask,
        record: &ClientRecord,
        reason: Option<&String>,
    ) -> Result<(), Attempt> {
        let mut late = Change::default();
        self.deactivate_devices(record, reason, &mut late)?;
        if late.events.is_empty() {
            return Ok(());
        }
        self.commit(ask, &ask.lane, late).await.map(|_| ())
    }

    fn deactivate_devices(
        &self,
        record: &ClientRecord,
        reason: Option<&String>,
        change: &mut Change,
    ) -> Result<(), Attempt> {
        for device in self.state.devices_of(&record.client.org, &record.client.reference) {
            let command = DeviceCommand::Activate { active: false, reason: reason.cloned() };
            if let Some(event) = device.device.decide(&command)? {
                let stream = device_stream(&device.device.reference);
                change.expects.push((stream.clone(), device.device.version));
                change.events.push((stream, event));
            }
        }
        Ok(())
    }

    pub(super) async fn review(&self, ask: &Ask, body: &ReviewBody) -> Result<Done, Attempt> {
        let record = self.client(ask, None)?;
        let events = record.client.decide(&ClientCommand::Review {
            approve: body.decision == Decision::Approve,
            reason: body.reason.clone(),
            current: screening_digest(&record.client),
        })?;
        let mut change = self.change(&record, events);
        // Two reviews at once speak of one screening: the second one must see the first.
        change.expects.push((kyc_stream(&ask.lane), record.client.kyc.version));
        self.commit(ask, &ask.lane, change).await?;
        self.answered(ask)
    }

    /// The content has its name before the entry that names it.
    pub(super) async fn document(&self, ask: &Ask, filing: &Filing) -> Result<Done, Attempt> {
        let record = self.client(ask, None)?;
        if record.client.status.is_gone() {
            return Err(Refusal::ClientArchived.into());
        }
        filing.content.keep().await.map_err(|error| not_kept(&error))?;
        let document = &filing.document;
        let change = self.change(&record, vec![Event::DocumentReceived(document.clone())]);
        self.commit(ask, &ask.lane, change).await?;
        Ok(Done::Document(document.clone()))
    }

    pub(super) async fn star(&self, ask: &Ask, starred: Option<bool>) -> Result<Done, Attempt> {
        let (org, member) = (ask.permit.org(), ask.permit.member());
        let stream = format!("star/{member}");
        let version = self.journal.version(&stream);
        self.state.client(org, &ask.lane).ok_or(Refusal::ClientNotFound)?;
        let is = self.state.is_starred(org, member, &ask.lane);
        let wanted = starred.unwrap_or(!is);
        let mut change = Change { expects: vec![(stream.clone(), version)], ..Change::default() };
        if wanted != is {
            let data = Starred { reference: ask.lane.clone() };
            let event = if wanted { Event::ClientStarred(data) } else { Event::ClientUnstarred(data) };
            change.events.push((stream, event));
        }
        self.commit(ask, &ask.lane, change).await?;
        Ok(Done::Starred(wanted))
    }

    /// The client that a command is about, as it is now.
    fn client(&self, ask: &Ask, if_match: Option<u64>) -> Result<Arc<ClientRecord>, Attempt> {
        let record = self.state.client(ask.permit.org(), &ask.lane).ok_or(Refusal::ClientNotFound)?;
        self.still_permitted(ask, &record.client)?;
        let actual = record.client.version;
        match if_match {
            Some(expected) if expected != actual => Err(Refusal::VersionMismatch { expected, actual }.into()),
            _ => Ok(record),
        }
    }

    /// Events on a client that was read at its version.
    fn change(&self, record: &ClientRecord, events: Vec<Event>) -> Change {
        let reference = &record.client.reference;
        let events = events.into_iter().map(|event| (stream_of(&event, reference), event)).collect();
        let expects = vec![(client_stream(reference), record.client.version)];
        Change { events, expects, ..Change::default() }
    }

    /// The client as the commit has left it; the fold has seen the entries before the journal answers.
    fn answered(&self, ask: &Ask) -> Result<Done, Attempt> {
        let record = self.state.client(ask.permit.org(), &ask.lane);
        Ok(Done::Client(record.ok_or(Refusal::ClientNotFound)?))
    }
}

/// What only an administrator may do is a matter of rights, and is refused like one.
fn refused(ask: &Ask, refusal: Refusal) -> Attempt {
    if refusal != Refusal::AssignmentForbidden {
        return refusal.into();
    }
    let permit = &ask.permit;
    let denied =
        Denied { action: permit.action(), decision_id: permit.decision_id(), policy: None, field: Some("assignedTo") };
    CommandError::Denied(Box::new(denied)).into()
}

/// The claims that a changed profile takes and gives back.
fn moved(before: &Profile, after: &Profile, org: &str) -> (Vec<Claim>, Vec<String>) {
    let (before, after) = (before.claims(org), after.claims(org));
    let taken = after.iter().filter(|claim| !before.contains(claim)).cloned().map(Claim::lasting).collect();
    let given_back = before.iter().filter(|claim| !after.contains(claim)).cloned().collect();
    (taken, given_back)
}
