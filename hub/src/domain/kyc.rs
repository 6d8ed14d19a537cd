//! Know your customer: screening verdicts, reviews and documents, as facts about a client.
//!
//! A verdict speaks of what was screened, not of the client as it is now: it carries the digest of the screened names and dates.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::client::Mark;
use super::profile::Profile;

/// How the screening of a client stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KycStatus {
    /// Not screened yet.
    #[default]
    Pending,
    /// Passed.
    Approved,
    /// A possible match; a member decides (CX004).
    Review,
    /// Documents are missing.
    NeedsDocuments,
    /// Refused, by the outside system or by a member.
    Rejected,
    /// It was approved, and that is too long ago.
    Expired,
}

impl KycStatus {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Review => "review",
            Self::NeedsDocuments => "needs-documents",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

/// What is known of a client's screening.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kyc {
    /// How it stands.
    pub status: KycStatus,
    /// When it was last screened or decided.
    #[serde(default)]
    pub checked_at: Option<DateTime<Utc>>,
    /// When it has to be screened again.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it is in review, refused, or lacks documents.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What was handed in.
    #[serde(default)]
    pub documents: Vec<Document>,
    /// The digest of what the newest verdict speaks of.
    #[serde(default)]
    #[schema(ignore)]
    pub screened: Option<String>,
    /// The version of the screening's own stream, which grows with each verdict, review and document.
    #[serde(default)]
    #[schema(ignore)]
    pub version: u64,
}

/// A document that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// `DC-…`.
    pub id: String,
    /// For example `passport`.
    #[serde(rename = "type")]
    pub document_type: String,
    /// How its check stands.
    pub status: DocumentStatus,
    /// Why it was refused.
    #[serde(default)]
    pub reason: Option<String>,
    /// `application/pdf`, `image/jpeg` or `image/png`.
    pub media_type: String,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// When it was handed in.
    #[serde(with = "super::moment")]
    pub submitted_at: DateTime<Utc>,
    /// When it was verified or refused.
    #[serde(default, with = "super::moment::option")]
    pub checked_at: Option<DateTime<Utc>>,
}

/// How the check of a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DocumentStatus {
    /// Not decided yet.
    Pending,
    /// Accepted.
    Verified,
    /// Not accepted; `reason` says why.
    Refused,
}

/// What came out of a screening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Approved, review, needs-documents or rejected.
    pub status: KycStatus,
    /// Why.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// When the client has to be screened again.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// The outside system's case, where it has one.
    #[serde(default)]
    pub case: Option<String>,
    /// The digest of what was screened: `screening_subject`.
    pub screened: String,
}

/// What a screening looks at, as one text to be digested: name, birth date and nationality (registration and country for a business).
#[must_use]
pub fn screening_subject(profile: &Profile) -> String {
    let details = profile.individual.as_ref().map_or_else(
        || {
            let company = profile.corporate.as_ref();
            let number = company.map_or("", |corporate| corporate.registration_number.as_str());
            let legal = company.map_or("", |corporate| corporate.legal_name.as_str());
            let country = profile.address.as_ref().and_then(|a| a.country.as_deref()).unwrap_or("");
            format!("{legal}\u{1f}{number}\u{1f}{country}")
        },
        |person| format!("{}\u{1f}{}", person.date_of_birth, person.nationality),
    );
    format!("{}\u{1f}{details}", profile.name)
}

impl Kyc {
    /// The screening after `event`; other events leave it alone.
    pub fn evolve(&mut self, event: &super::event::Event, mark: Mark<'_>) {
        use super::event::Event;
        let at = mark.at;
        match event {
            Event::KycChecked(verdict) => {
                self.status = verdict.status;
                self.reasons.clone_from(&verdict.reasons);
                self.expires_at = verdict.expires_at;
                self.screened = Some(verdict.screened.clone());
                self.checked_at = Some(at);
            }
            Event::KycReviewed(review) => {
                self.status = if review.approved { KycStatus::Approved } else { KycStatus::Rejected };
                self.screened = Some(review.screened.clone());
                self.checked_at = Some(at);
            }
            Event::DocumentReceived(document) => self.documents.push(document.clone()),
            Event::DocumentChecked(check) => {
                if let Some(document) = self.documents.iter_mut().find(|document| document.id == check.id) {
                    document.status = check.status;
                    document.reason.clone_from(&check.reason);
                    document.checked_at = Some(at);
                }
            }
            _ => return,
        }
        self.version = mark.version;
    }
}
