//! A client: its life cycle, and what may happen to it.
//!
//! `version` counts the profile and the status alone; screening, deliveries and favourites live in streams of their own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::changes;
use super::event::{Because, Created, Event, Reviewed, Updated};
use super::kyc::{Kyc, KycStatus, Verdict};
use super::profile::Profile;
use super::refusal::Refusal;

/// Where a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted; onboarding runs.
    Pending,
    /// Served.
    Active,
    /// Known, and not served for now.
    Suspended,
    /// Failed its screening.
    Rejected,
    /// Gone, and kept for the record.
    Archived,
    /// Gone, and its personal data too.
    Erased,
}

impl Status {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Rejected => "rejected",
            Self::Archived => "archived",
            Self::Erased => "erased",
        }
    }

    /// Archived or erased: it does not change any more.
    #[must_use]
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Archived | Self::Erased)
    }

    /// What a member may make of it by hand, as a phrase for an error.
    const fn allowed(self) -> &'static str {
        match self {
            Self::Pending => "onboarding alone moves it on",
            Self::Active => "only suspended is possible",
            Self::Suspended => "only active is possible",
            Self::Rejected => "nothing but archiving is possible",
            Self::Archived | Self::Erased => "nothing is possible",
        }
    }
}

/// What the CRM knows of the relationship.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Relationship {
    /// Who looks after the client in the CRM.
    pub owner: Option<String>,
    /// Cases that are open.
    pub open_cases: u32,
    /// The last contact, RFC 3339.
    pub last_contact_at: Option<String>,
    /// Newest first.
    pub communications: Vec<Communication>,
    /// Newest first.
    pub feedback: Vec<Feedback>,
    /// When the CRM was asked.
    #[serde(default, with = "super::moment::option")]
    pub as_of: Option<DateTime<Utc>>,
}

/// One entry of the CRM's communication log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Communication {
    /// RFC 3339.
    pub at: String,
    /// For example `call`.
    pub channel: String,
    /// What it was about.
    pub subject: String,
}

/// One answer of the client to a survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feedback {
    /// RFC 3339.
    pub at: String,
    /// 0 to 10.
    pub score: Option<u8>,
    /// In the client's words.
    pub text: Option<String>,
}

/// A client as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// `CL-…`.
    pub reference: String,
    /// The organisation that it belongs to.
    pub org: String,
    /// The caller's own reference, unique in the organisation.
    pub external_reference: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Why, where somebody said so.
    pub status_reason: Option<String>,
    /// Grows by one with each change of profile or status.
    pub version: u64,
    /// What callers may write.
    pub profile: Arc<Profile>,
    /// The screening.
    pub kyc: Kyc,
    /// Whether it came through onboarding; an imported portfolio did not.
    pub onboarding: bool,
    /// Whether it has ever been active: from then on the outside systems mirror it.
    pub mirrored: bool,
    /// The journal entry of the newest version.
    pub entry: Uuid,
    /// That entry's number.
    pub seq: u64,
    /// When it was accepted.
    #[serde(with = "super::moment")]
    pub created_at: DateTime<Utc>,
    /// By which member.
    pub created_by: String,
    /// When profile or status last changed.
    #[serde(with = "super::moment")]
    pub updated_at: DateTime<Utc>,
    /// By which member.
    pub updated_by: String,
}

/// Who did it, where in the journal.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    /// The entry.
    pub entry: Uuid,
    /// Its number.
    pub seq: u64,
    /// The version of the stream that it makes.
    pub version: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// By which member.
    pub member: &'a str,
}

/// A change of the profile as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The whole profile.
    pub profile: Arc<Profile>,
    /// Whether `assignedTo` was sent; left out it stays.
    pub assigns: bool,
    /// Whether the caller may change `assignedTo`.
    pub may_assign: bool,
    /// The caller's own reference, where it was sent back: it must be the same.
    pub external_reference: Option<String>,
    /// The status as asked for; left out it stays.
    pub status: Option<Status>,
    /// Why the status is to change.
    pub status_reason: Option<String>,
}

/// What may be done with a client that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCommand {
    /// CL004.
    Edit(Box<Edit>),
    /// CL005.
    Archive {
        /// Why.
        reason: Option<String>,
    },
    /// What a screening found.
    Screened {
        /// The verdict.
        verdict: Verdict,
        /// The digest of what would be screened now.
        current: String,
    },
    /// CX004.
    Review {
        /// Approve or reject.
        approve: bool,
        /// Why.
        reason: Option<String>,
        /// The digest of what would be screened now.
        current: String,
    },
}

impl Client {
    /// A client at its first version.
    #[must_use]
    pub fn created(reference: &str, org: &str, data: &Created, mark: Mark<'_>) -> Self {
        Self {
            reference: reference.to_owned(),
            org: org.to_owned(),
            external_reference: data.external_reference.clone(),
            status: data.status,
            status_reason: None,
            version: mark.version,
            profile: data.profile.clone(),
            kyc: Kyc::default(),
            onboarding: data.onboarding,
            mirrored: data.status == Status::Active,
            entry: mark.entry,
            seq: mark.seq,
            created_at: mark.at,
            created_by: mark.member.to_owned(),
            updated_at: mark.at,
            updated_by: mark.member.to_owned(),
        }
    }

    /// What happens when `command` is given. No events: it is so already.
    ///
    /// # Errors
    /// The state does not allow it.
    pub fn decide(&self, command: &ClientCommand) -> Result<Vec<Event>, Refusal> {
        match command {
            ClientCommand::Edit(edit) => self.edit(edit),
            ClientCommand::Archive { reason } => Ok(self.archive(reason.clone())),
            ClientCommand::Screened { verdict, current } => Ok(self.screened(verdict, current)),
            ClientCommand::Review { approve, reason, current } => self.review(*approve, reason.as_ref(), current),
        }
    }

    fn edit(&self, edit: &Edit) -> Result<Vec<Event>, Refusal> {
        let mut profile = edit.profile.clone();
        if !edit.assigns && !edit.may_assign {
            Arc::make_mut(&mut profile).assigned_to.clone_from(&self.profile.assigned_to);
        }
        if profile.assigned_to != self.profile.assigned_to && !edit.may_assign {
            return Err(Refusal::AssignmentForbidden);
        }
        if profile.kind != self.profile.kind {
            return Err(Refusal::Immutable("/kind"));
        }
        if edit.external_reference.is_some() && edit.external_reference != self.external_reference {
            return Err(Refusal::Immutable("/externalReference"));
        }
        if self.status.is_gone() {
            return Err(Refusal::ClientArchived);
        }
        let status = edit.status.filter(|status| *status != self.status);
        if let Some(to) = status
            && !matches!((self.status, to), (Status::Active, Status::Suspended) | (Status::Suspended, Status::Active))
        {
            let (from, to) = (self.status.as_str(), to.as_str());
            return Err(Refusal::InvalidTransition { from, to, allowed: self.status.allowed() });
        }
        let mut changes = changes::between(&self.profile, &profile);
        if let Some(to) = status {
            changes.extend(changes::between(&StatusOnly { status: self.status }, &StatusOnly { status: to }));
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let status_reason = status.and_then(|_| edit.status_reason.clone());
        Ok(vec![Event::ClientUpdated(Updated { profile, status, status_reason, changes })])
    }

    fn archive(&self, reason: Option<String>) -> Vec<Event> {
        if self.status.is_gone() {
            return Vec::new();
        }
        vec![Event::ClientArchived(self.because(reason, Status::Archived))]
    }

    fn screened(&self, verdict: &Verdict, current: &str) -> Vec<Event> {
        let mut events = vec![Event::KycChecked(verdict.clone())];
        if self.status == Status::Pending && verdict.screened == *current {
            let reason = verdict.reasons.first().cloned();
            match verdict.status {
                KycStatus::Approved => events.push(Event::ClientActivated(self.because(None, Status::Active))),
                KycStatus::Rejected => events.push(Event::ClientRejected(self.because(reason, Status::Rejected))),
                _ => {}
            }
        }
        events
    }

    fn review(&self, approve: bool, reason: Option<&String>, current: &str) -> Result<Vec<Event>, Refusal> {
        if self.status.is_gone() {
            return Err(Refusal::ClientArchived);
        }
        if self.kyc.status != KycStatus::Review {
            return Err(Refusal::NotInReview(self.kyc.status.as_str()));
        }
        if self.kyc.screened.as_deref() != Some(current) {
            return Err(Refusal::ChangedSinceScreened);
        }
        let reason = reason.cloned();
        let reviewed = Reviewed { approved: approve, reason: reason.clone(), screened: current.to_owned() };
        let mut events = vec![Event::KycReviewed(reviewed)];
        if self.status == Status::Pending {
            events.push(if approve {
                Event::ClientActivated(self.because(reason, Status::Active))
            } else {
                Event::ClientRejected(self.because(reason, Status::Rejected))
            });
        }
        Ok(events)
    }

    fn because(&self, reason: Option<String>, to: Status) -> Because {
        let changes = changes::between(&StatusOnly { status: self.status }, &StatusOnly { status: to });
        Because { reason, changes }
    }

    /// The client after `event`.
    pub fn evolve(&mut self, event: &Event, mark: Mark<'_>) {
        match event {
            Event::ClientUpdated(data) => {
                self.profile = data.profile.clone();
                if let Some(status) = data.status {
                    self.move_to(status, data.status_reason.clone());
                }
            }
            Event::ClientActivated(data) => self.move_to(Status::Active, data.reason.clone()),
            Event::ClientRejected(data) => self.move_to(Status::Rejected, data.reason.clone()),
            Event::ClientArchived(data) => self.move_to(Status::Archived, data.reason.clone()),
            other => return self.kyc.evolve(other, mark),
        }
        (self.version, self.entry, self.seq) = (mark.version, mark.entry, mark.seq);
        self.updated_at = mark.at;
        mark.member.clone_into(&mut self.updated_by);
    }

    fn move_to(&mut self, status: Status, reason: Option<String>) {
        self.status = status;
        self.status_reason = reason;
        self.mirrored |= status == Status::Active;
    }
}

/// The one member that a change of status shows in history.
#[derive(Serialize)]
struct StatusOnly {
    status: Status,
}
