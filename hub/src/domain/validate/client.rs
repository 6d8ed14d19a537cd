//! A client as sent by a caller, made into a profile.
//!
//! The server's own members are skipped unread, so that what was read can be sent back.

use std::sync::Arc;

use chrono::NaiveDate;

use super::fields::{FieldError, Fields, Flaw};
use super::formats::{
    LONGEST_MEMBER, LONGEST_NAME, LONGEST_NUMBER, LONGEST_TAG, birth_date, country, email, industry, language, lei,
    one_of, past_date, phone, reason, text,
};
use super::tree::Tree;
use crate::domain::client::Status;
use crate::domain::profile::{Address, Contact, Corporate, Individual, Kind, Profile};

/// Tags of one client.
const MOST_TAGS: usize = 50;
/// Members that one client is assigned to.
const MOST_MEMBERS: usize = 50;
/// People to speak to at one client.
const MOST_CONTACTS: usize = 50;

const KNOWN: &[&str] = &[
    "kind",
    "name",
    "corporate",
    "individual",
    "email",
    "phone",
    "address",
    "segment",
    "language",
    "tags",
    "assignedTo",
    "externalReference",
    "status",
    "statusReason",
    // The server's own, skipped.
    "reference",
    "version",
    "starred",
    "kyc",
    "relationship",
    "sync",
    "createdAt",
    "createdBy",
    "updatedAt",
    "updatedBy",
];
const CORPORATE: &[&str] =
    &["legalName", "registrationNumber", "lei", "taxId", "industry", "incorporatedOn", "contacts"];
const CONTACT: &[&str] = &["name", "role", "email", "phone"];
const INDIVIDUAL: &[&str] = &["givenName", "familyName", "dateOfBirth", "nationality", "nationalId"];
const ADDRESS: &[&str] = &["line1", "line2", "city", "region", "postalCode", "country"];
const KINDS: &[(&str, Kind)] = &[("corporate", Kind::Corporate), ("individual", Kind::Individual)];
const STATUSES: &[(&str, Status)] = &[
    ("pending", Status::Pending),
    ("active", Status::Active),
    ("suspended", Status::Suspended),
    ("rejected", Status::Rejected),
    ("archived", Status::Archived),
    ("erased", Status::Erased),
];

/// For which operation a client was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// CL003: `status` and `statusReason` are the server's own.
    Create,
    /// CL004: `status` may be asked for.
    Edit,
}

/// A client that is well-formed in itself. Whether the state allows it is decided later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What callers may write.
    pub profile: Arc<Profile>,
    /// Whether `assignedTo` was sent and not null.
    pub assigns: bool,
    /// The caller's own reference. It can't be changed by an edit: the caller of this compares.
    pub external_reference: Option<String>,
    /// The status as asked for, on an edit.
    pub status: Option<Status>,
    /// Why the status is to change, on an edit.
    pub status_reason: Option<String>,
}

/// Reads a client.
///
/// # Errors
/// All that is wrong with it, in the order of the fields, `MOST_ERRORS` at most.
pub fn draft(json: &Tree<'_>, today: NaiveDate, mode: Mode) -> Result<Draft, Vec<FieldError>> {
    let mut errors = Vec::new();
    let read = read(&mut Fields::open(json, KNOWN, &mut errors), today, mode);
    match read {
        Some(draft) if errors.is_empty() => Ok(draft),
        _ => Err(errors),
    }
}

fn read(fields: &mut Fields<'_, '_>, today: NaiveDate, mode: Mode) -> Option<Draft> {
    let identity = identity(fields, today);
    let email = fields.optional("email", email);
    let phone = fields.optional("phone", phone);
    let address = fields.object("address", ADDRESS, address).filter(|address| *address != Address::default());
    let segment = fields.optional("segment", text(LONGEST_TAG));
    let language = fields.optional("language", language);
    let tags = once(fields.texts("tags", MOST_TAGS, text(LONGEST_TAG)));
    let assigned_to = once(fields.texts("assignedTo", MOST_MEMBERS, text(LONGEST_MEMBER)));
    let external_reference = fields.optional("externalReference", text(LONGEST_NUMBER));
    let (status, status_reason) = match mode {
        Mode::Create => (None, None),
        Mode::Edit => (fields.optional("status", one_of(STATUSES)), fields.optional("statusReason", reason).flatten()),
    };
    let Identity { kind, name, corporate, individual } = identity?;
    let profile = Arc::new(Profile {
        kind,
        name,
        corporate: corporate.map(Box::new),
        individual: individual.map(Box::new),
        email,
        phone,
        address: address.map(Box::new),
        segment,
        language,
        tags,
        assigned_to,
    });
    Some(Draft { profile, assigns: fields.has("assignedTo"), external_reference, status, status_reason })
}

/// Each once, where it came first.
fn once(texts: Vec<String>) -> Vec<String> {
    let mut kept = Vec::with_capacity(texts.len());
    for text in texts {
        // There are 50 at most.
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

/// Who the client is: what differs between the two kinds.
struct Identity {
    kind: Kind,
    name: String,
    corporate: Option<Corporate>,
    individual: Option<Individual>,
}

fn identity(fields: &mut Fields<'_, '_>, today: NaiveDate) -> Option<Identity> {
    let person = |fields: &mut Fields<'_, '_>| individual(fields, today);
    let business = |fields: &mut Fields<'_, '_>| corporate(fields, today);
    match fields.required("kind", one_of(KINDS)) {
        Some(kind @ Kind::Corporate) => {
            refuse_other(fields, "individual", "a corporate client has no individual");
            let name = fields.required("name", text(LONGEST_NAME));
            let corporate = fields.required_object("corporate", CORPORATE, business)?;
            Some(Identity { kind, name: name?, corporate: Some(corporate), individual: None })
        }
        Some(kind @ Kind::Individual) => {
            refuse_other(fields, "corporate", "an individual client has no corporate");
            let individual = fields.required_object("individual", INDIVIDUAL, person);
            let joined = individual.as_ref().map(|person| format!("{} {}", person.given_name, person.family_name));
            fields.optional("name", |sent| same_name(sent, joined.as_deref()));
            Some(Identity { kind, name: joined?, corporate: None, individual })
        }
        None => {
            // Nothing can come of it, but what else is wrong is said at once.
            fields.optional(
                "name",
                |sent| if sent.trim().is_empty() { text(LONGEST_NAME)(sent) } else { Ok(sent.into()) },
            );
            fields.object("corporate", CORPORATE, business);
            fields.object("individual", INDIVIDUAL, person);
            None
        }
    }
}

fn refuse_other(fields: &mut Fields<'_, '_>, name: &str, detail: &str) {
    if fields.has(name) {
        fields.refuse(name, Flaw::new("unexpected", detail));
    }
}

/// An individual's name may be sent back; where the two names are wrong themselves it can't be compared.
fn same_name(sent: &str, joined: Option<&str>) -> Result<(), Flaw> {
    if joined.is_none_or(|joined| joined == sent.trim()) {
        return Ok(());
    }
    Err(Flaw::new(
        "mismatch",
        "an individual's name is individual.givenName and individual.familyName joined by a space",
    ))
}

fn corporate(fields: &mut Fields<'_, '_>, today: NaiveDate) -> Option<Corporate> {
    let legal_name = fields.required("legalName", text(LONGEST_NAME));
    let registration_number = fields.required("registrationNumber", text(LONGEST_NUMBER));
    let lei = fields.optional("lei", lei);
    let tax_id = fields.optional("taxId", text(LONGEST_NUMBER));
    let industry = fields.optional("industry", industry);
    let incorporated_on = fields.optional("incorporatedOn", past_date(today));
    let contacts = fields.objects("contacts", MOST_CONTACTS, CONTACT, contact);
    let (legal_name, registration_number) = (legal_name?, registration_number?);
    Some(Corporate { legal_name, registration_number, lei, tax_id, industry, incorporated_on, contacts })
}

fn contact(fields: &mut Fields<'_, '_>) -> Option<Contact> {
    let name = fields.required("name", text(LONGEST_NAME));
    let role = fields.optional("role", text(LONGEST_NUMBER));
    let email = fields.optional("email", email);
    let phone = fields.optional("phone", phone);
    Some(Contact { name: name?, role, email, phone })
}

fn individual(fields: &mut Fields<'_, '_>, today: NaiveDate) -> Option<Individual> {
    let given_name = fields.required("givenName", text(LONGEST_NAME));
    let family_name = fields.required("familyName", text(LONGEST_NAME));
    let date_of_birth = fields.required("dateOfBirth", birth_date(today));
    let nationality = fields.required("nationality", country);
    let national_id = fields.required("nationalId", text(LONGEST_NUMBER));
    Some(Individual {
        given_name: given_name?,
        family_name: family_name?,
        date_of_birth: date_of_birth?,
        nationality: nationality?,
        national_id: national_id?,
    })
}

#[allow(clippy::unnecessary_wraps, reason = "the signature of its siblings")]
fn address(fields: &mut Fields<'_, '_>) -> Option<Address> {
    Some(Address {
        line1: fields.optional("line1", text(LONGEST_NAME)),
        line2: fields.optional("line2", text(LONGEST_NAME)),
        city: fields.optional("city", text(LONGEST_NAME)),
        region: fields.optional("region", text(LONGEST_NAME)),
        postal_code: fields.optional("postalCode", text(LONGEST_TAG)),
        country: fields.optional("country", country),
    })
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
