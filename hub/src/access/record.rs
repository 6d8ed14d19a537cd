//! A decision as it is written down: who asked, for what, the answer and the line that gave it, and what the conditions
//! looked at, so that it can be made again under other files.
//!
//! No personal data beyond ids: of a client the kind, the status, the screening's status and the members whom it is
//! assigned to. Of conditions that look at anything else, the text and whether it held.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::client::Client;
use crate::domain::filter::{Attribute, Attributes as _, Value};

/// Lists of ids are written whole up to so many.
pub(super) const MOST_IDS: usize = 32;

/// Allowed or denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It may be done.
    Allow,
    /// It may not.
    Deny,
}

/// One line of the decision log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// The decision, as a denial's problem names it.
    pub id: Cow<'a, str>,
    /// When it was made.
    #[serde(with = "crate::domain::moment")]
    pub at: DateTime<Utc>,
    /// Who asked.
    pub member: Cow<'a, str>,
    /// The member's organisation.
    pub org: Cow<'a, str>,
    /// The role codes, as the token had them.
    pub roles: Cow<'a, [String]>,
    /// How the organisation's subscriptions stood.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub apps: Cow<'a, BTreeMap<String, String>>,
    /// The references that the token assigned to the member: all, or the target alone where there were many.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub clients: Cow<'a, [String]>,
    /// How many of them are not written here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clients_left_out: usize,
    /// What was asked for.
    pub action: Cow<'a, str>,
    /// The client that it was about, as the caller named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Cow<'a, str>>,
    /// What was known of that client; none where the organisation has no such client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Cow<'a, Facts>>,
    /// The conditions that looked at anything else.
    #[serde(default, skip_serializing_if = "<[Outcome]>::is_empty")]
    pub conditions: Cow<'a, [Outcome]>,
    /// The answer.
    pub answer: Answer,
    /// Whether a listing was narrowed to the rows that a condition allows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub narrowed: bool,
    /// The policy that denied it, as the caller was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Cow<'a, str>>,
    /// The line that decided, as `file:line`; none where nothing grants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// SHA-256 over the files that were in force.
    pub digest: Cow<'a, str>,
    /// How long it took, microseconds.
    pub us: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What is written of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// `kind`
    pub kind: Cow<'static, str>,
    /// `status`
    pub status: Cow<'static, str>,
    /// `kyc.status`
    pub kyc: Cow<'static, str>,
    /// `assignedTo`, up to a bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assigned_to: Vec<String>,
    /// Whether that is not all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_assigned: bool,
}

impl Facts {
    /// The attributes that they hold; the reference is the target's.
    pub(super) const ATTRIBUTES: [Attribute; 5] =
        [Attribute::Reference, Attribute::Kind, Attribute::Status, Attribute::KycStatus, Attribute::AssignedTo];

    /// Of a client.
    pub(super) fn of(client: &Client) -> Self {
        let kind = match client.get(Attribute::Kind) {
            Value::Text("individual") => "individual",
            _ => "corporate",
        };
        let assigned = &client.profile.assigned_to;
        Self {
            kind: kind.into(),
            status: client.status.as_str().into(),
            kyc: client.kyc.status.as_str().into(),
            assigned_to: assigned.iter().take(MOST_IDS).cloned().collect(),
            more_assigned: assigned.len() > MOST_IDS,
        }
    }
}

/// How a condition came out for one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The role that it was asked for.
    pub role: String,
    /// As it stands in the file.
    pub condition: String,
    /// Whether it held.
    pub holds: bool,
}
