//! Clients, documents and messages in the words of the contract for adapters, and back.
//!
//! Only shapes change here; nothing is decided.

use chrono::{DateTime, Utc};

use crate::adapters::wit::{crm, identity, kyc, messaging, types};
use crate::domain::client::{Client, Communication, Feedback, Relationship, Status};
use crate::domain::delivery::{Payload, Recipient, Template};
use crate::domain::device::{DeviceType, Enrolment};
use crate::domain::kyc::{Document, KycStatus, Verdict};
use crate::domain::moment;
use crate::domain::profile::{Address, Contact, Corporate, Individual, Kind};

/// The client as adapters see it.
#[must_use]
pub fn profile(client: &Client, external_id: Option<String>) -> types::Profile {
    let profile = &client.profile;
    types::Profile {
        reference: client.reference.clone(),
        external_reference: client.external_reference.clone(),
        organisation: client.org.clone(),
        version: client.version,
        kind: match profile.kind {
            Kind::Corporate => types::ClientKind::Corporate,
            Kind::Individual => types::ClientKind::Individual,
        },
        status: status(client.status),
        name: profile.name.clone(),
        details: details(client),
        email: profile.email.clone(),
        phone: profile.phone.clone(),
        address: profile.address.as_deref().map(address),
        segment: profile.segment.clone(),
        language: profile.language.clone(),
        tags: profile.tags.clone(),
        assigned_to: profile.assigned_to.clone(),
        external_id,
        created_at: moment::text(&client.created_at),
        updated_at: moment::text(&client.updated_at),
    }
}

const fn status(status: Status) -> types::ClientStatus {
    match status {
        Status::Pending => types::ClientStatus::Pending,
        Status::Active => types::ClientStatus::Active,
        Status::Suspended => types::ClientStatus::Suspended,
        Status::Rejected => types::ClientStatus::Rejected,
        Status::Archived | Status::Erased => types::ClientStatus::Archived,
    }
}

/// A client has the details of its kind: validation lets no other through. Were they missing, empty ones are sent and refused.
fn details(client: &Client) -> types::Details {
    let profile = &client.profile;
    match (profile.kind, &profile.corporate, &profile.individual) {
        (Kind::Individual, _, Some(person)) => types::Details::Individual(individual(person)),
        (_, Some(company), _) => types::Details::Corporate(corporate(company)),
        (_, None, _) => types::Details::Corporate(types::Corporate {
            legal_name: profile.name.clone(),
            registration_number: String::new(),
            lei: None,
            tax_id: None,
            industry: None,
            incorporated_on: None,
            contacts: Vec::new(),
        }),
    }
}

fn corporate(company: &Corporate) -> types::Corporate {
    types::Corporate {
        legal_name: company.legal_name.clone(),
        registration_number: company.registration_number.clone(),
        lei: company.lei.clone(),
        tax_id: company.tax_id.clone(),
        industry: company.industry.clone(),
        incorporated_on: company.incorporated_on.map(|date| date.to_string()),
        contacts: company.contacts.iter().map(contact).collect(),
    }
}

fn contact(contact: &Contact) -> types::Contact {
    types::Contact {
        name: contact.name.clone(),
        role: contact.role.clone(),
        email: contact.email.clone(),
        phone: contact.phone.clone(),
    }
}

fn individual(person: &Individual) -> types::Individual {
    types::Individual {
        given_name: person.given_name.clone(),
        family_name: person.family_name.clone(),
        date_of_birth: person.date_of_birth.to_string(),
        nationality: person.nationality.clone(),
        national_id: person.national_id.clone(),
    }
}

fn address(address: &Address) -> types::Address {
    types::Address {
        line1: address.line1.clone(),
        line2: address.line2.clone(),
        city: address.city.clone(),
        region: address.region.clone(),
        postal_code: address.postal_code.clone(),
        country: address.country.clone(),
    }
}

/// A document without its content.
#[must_use]
pub fn document(document: &Document) -> kyc::Document {
    kyc::Document {
        id: document.id.clone(),
        document_type: document.document_type.clone(),
        media_type: document.media_type.clone(),
        digest: document.digest.clone(),
        size: document.size,
        submitted_at: moment::text(&document.submitted_at),
    }
}

/// A screening's outcome. `screened` is the digest of what was sent.
#[must_use]
pub fn verdict(verdict: kyc::Verdict, screened: String) -> Verdict {
    use kyc::Verdict as Wit;
    let of = |status, reasons| Verdict { status, reasons, expires_at: None, case: None, screened: screened.clone() };
    match verdict {
        Wit::Approved(approval) => {
            let expires_at = approval.expires_at.as_deref().and_then(parsed);
            Verdict { expires_at, ..of(KycStatus::Approved, Vec::new()) }
        }
        Wit::Rejected(reasons) => of(KycStatus::Rejected, reasons),
        Wit::NeedsDocuments(types) => of(KycStatus::NeedsDocuments, types),
        Wit::Pending(case) => Verdict { case: case.id, ..of(KycStatus::Review, case.reasons) },
    }
}

/// A device as the identity system lists it, owned by `client`.
#[must_use]
pub fn enrolment(device: identity::Device, client: &str) -> Enrolment {
    use identity::DeviceType as Wit;
    Enrolment {
        client: client.to_owned(),
        external_id: device.id,
        device_type: match device.device_type {
            Wit::Mobile => DeviceType::Mobile,
            Wit::Token => DeviceType::Token,
            Wit::CardReader => DeviceType::CardReader,
            Wit::Pos => DeviceType::Pos,
            Wit::Browser => DeviceType::Browser,
        },
        model: device.model,
        label: device.label,
        active: device.active,
        locked: device.locked,
        enrolled_at: device.enrolled_at.as_deref().and_then(parsed),
    }
}

/// The relationship as the CRM told it at `now`.
#[must_use]
pub fn relationship(told: crm::RelationshipSummary, now: DateTime<Utc>) -> Relationship {
    let communications = told.communications.into_iter();
    let feedback = told.feedback.into_iter();
    Relationship {
        owner: told.owner,
        open_cases: told.open_cases,
        last_contact_at: told.last_contact_at,
        communications: communications
            .map(|entry| Communication { at: entry.at, channel: entry.channel, subject: entry.subject })
            .collect(),
        feedback: feedback.map(|entry| Feedback { at: entry.at, score: entry.score, text: entry.text }).collect(),
        as_of: Some(now),
    }
}

/// A message to the client `reference`; `None` for a payload that is no message.
#[must_use]
pub fn message(payload: &Payload, reference: &str) -> Option<messaging::Message> {
    use messaging::{Channel, Message, Value, Variable};
    let Payload::Message { template, to, language, device, device_type, by_phone, at } = payload else { return None };
    let variable = |name: &str, value| Variable { name: name.to_owned(), value };
    let mut variables = vec![
        variable("name", Value::Name(to.name.clone())),
        variable("client", Value::Reference(reference.to_owned())),
        variable("at", Value::Moment(moment::text(at))),
    ];
    variables.extend(device.iter().map(|device| variable("device", Value::Reference(device.clone()))));
    variables.extend(device_type.iter().map(|kind| variable("deviceType", Value::DeviceType(kind.clone()))));
    let urgent = matches!(template, Template::PinReset | Template::DeviceLocked | Template::DeviceTransferred);
    let text_first = urgent || *by_phone;
    Some(Message {
        template: wit_template(*template),
        language: language.clone(),
        prefer: if text_first { Channel::Sms } else { Channel::Email },
        to: recipient(to),
        variables,
    })
}

fn recipient(to: &Recipient) -> messaging::Recipient {
    messaging::Recipient { name: to.name.clone(), email: to.email.clone(), phone: to.phone.clone() }
}

const fn wit_template(template: Template) -> messaging::Template {
    use messaging::Template as Wit;
    match template {
        Template::Welcome => Wit::Welcome,
        Template::ProfileUpdated => Wit::ProfileUpdated,
        Template::Deactivated => Wit::Deactivated,
        Template::DeviceLocked => Wit::DeviceLocked,
        Template::DeviceUnlocked => Wit::DeviceUnlocked,
        Template::DeviceActivated => Wit::DeviceActivated,
        Template::DeviceDeactivated => Wit::DeviceDeactivated,
        Template::DeviceTransferred => Wit::DeviceTransferred,
        Template::PinReset => Wit::PinReset,
    }
}

/// A moment that an outside system told; one that makes no sense is none.
fn parsed(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}
