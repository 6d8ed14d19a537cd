//! One client's searchable attributes, packed into one piece of memory: there are as many rows as clients, and a
//! search runs over all of them.
//!
//! The texts stand one behind the other in a string, each behind a header of four ASCII characters: its attribute and,
//! in three digits to the base 128, its length in bytes. A contact begins with an empty field that is no attribute.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::client::{Client, Status};
use crate::domain::filter::{Attribute, Attributes, Value, fold};
use crate::domain::kyc::KycStatus;
use crate::domain::profile::{Address, Corporate, Individual, Kind, Profile};

/// The longest text that three digits can tell, bytes; far more than any attribute may have.
const LONGEST: usize = (1 << 21) - 1;
/// The digits of a length, the most significant first, by how far each is shifted.
const SHIFTS: [u32; 3] = [14, 7, 0];
/// What a digit holds.
const DIGIT: usize = 127;
/// More than most rows need, bytes.
const USUAL: usize = 1024;
/// Stands for an attribute where a contact begins.
const CONTACT: u8 = 127;

/// One client's searchable attributes.
#[derive(Debug)]
pub struct Row {
    /// The reference first, then the name as it is sorted and compared, then the others.
    texts: Box<str>,
    /// When the client was accepted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Of a company its incorporation, of a person the birth.
    date: Option<NaiveDate>,
    /// Where it stands.
    pub status: Status,
    kyc: KycStatus,
    kind: Kind,
}

impl Row {
    /// The row of a client as it is now.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let profile = &client.profile;
        let mut texts = Packer(String::with_capacity(USUAL));
        texts.add(Attribute::Reference, &client.reference);
        texts.add(Attribute::Name, &fold(&profile.name));
        texts.add_some(Attribute::ExternalReference, client.external_reference.as_ref());
        texts.profile(profile);
        let (company, person) = (profile.corporate.as_ref(), profile.individual.as_ref());
        let incorporated = company.and_then(|company| company.incorporated_on);
        Self {
            texts: texts.0.as_str().into(),
            created_at: client.created_at,
            updated_at: client.updated_at,
            date: incorporated.or(person.map(|person| person.date_of_birth)),
            status: client.status,
            kyc: client.kyc.status,
            kind: profile.kind,
        }
    }

    /// `CL-…`.
    #[must_use]
    pub fn reference(&self) -> &str {
        first(&self.texts, Attribute::Reference).unwrap_or_default()
    }

    /// The name as it is sorted and compared.
    #[must_use]
    pub fn name(&self) -> &str {
        first(&self.texts, Attribute::Name).unwrap_or_default()
    }

    fn date_where(&self, kind: Kind) -> Value<'_> {
        self.date.filter(|_| self.kind == kind).map_or(Value::Missing, Value::Date)
    }
}

impl Attributes<Attribute> for Row {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        match attribute {
            Attribute::Name => Value::Folded(self.name()),
            Attribute::Status => Value::Folded(self.status.as_str()),
            Attribute::KycStatus => Value::Folded(self.kyc.as_str()),
            Attribute::Kind => Value::Folded(match self.kind {
                Kind::Corporate => "corporate",
                Kind::Individual => "individual",
            }),
            Attribute::CreatedAt => Value::Instant(self.created_at),
            Attribute::UpdatedAt => Value::Instant(self.updated_at),
            Attribute::IncorporatedOn => self.date_where(Kind::Corporate),
            Attribute::DateOfBirth => self.date_where(Kind::Individual),
            other => first(&self.texts, other).map_or(Value::Missing, Value::Text),
        }
    }

    fn any(&self, attribute: Attribute, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        all(&self.texts, attribute).any(|text| test(Value::Text(text)))
    }

    fn any_element(&self, _of: Attribute, test: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        let mut fields = Fields(&self.texts);
        while let Some((tag, _)) = fields.next() {
            if tag == CONTACT && test(&Contact(fields.0)) {
                return true;
            }
        }
        false
    }
}

/// A contact, and all that stands behind it.
struct Contact<'a>(&'a str);

impl Attributes<Attribute> for Contact<'_> {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        let own = Fields(self.0).take_while(|(tag, _)| *tag != CONTACT);
        let mut values = own.filter(|(tag, _)| *tag == attribute as u8);
        values.next().map_or(Value::Missing, |(_, text)| Value::Text(text))
    }

    fn any(&self, _attribute: Attribute, _test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        false
    }

    fn any_element(&self, _of: Attribute, _test: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        false
    }
}

/// The fields of a packed text: the number of the attribute, and its value.
struct Fields<'a>(&'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = (u8, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let [tag, digits @ ..] = *self.0.as_bytes().first_chunk::<4>()?;
        let length = digits.iter().zip(SHIFTS).fold(0, |length, (digit, shift)| length | usize::from(*digit) << shift);
        let (text, rest) = self.0.get(4..)?.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, text))
    }
}

fn all(packed: &str, attribute: Attribute) -> impl Iterator<Item = &str> {
    Fields(packed).filter(move |(tag, _)| *tag == attribute as u8).map(|(_, text)| text)
}

fn first(packed: &str, attribute: Attribute) -> Option<&str> {
    all(packed, attribute).next()
}

struct Packer(String);

impl Packer {
    fn add(&mut self, attribute: Attribute, text: &str) {
        self.field(attribute as u8, text);
    }

    fn field(&mut self, tag: u8, text: &str) {
        let text = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default();
        let [high, middle, low] = SHIFTS.map(|shift| u8::try_from(text.len() >> shift & DIGIT).unwrap_or_default());
        // All of it is ASCII.
        self.0.push_str(std::str::from_utf8(&[tag, high, middle, low]).unwrap_or_default());
        self.0.push_str(text);
    }

    fn add_some(&mut self, attribute: Attribute, text: Option<&String>) {
        if let Some(text) = text {
            self.add(attribute, text);
        }
    }

    fn profile(&mut self, profile: &Profile) {
        profile.tags.iter().for_each(|tag| self.add(Attribute::Tags, tag));
        profile.assigned_to.iter().for_each(|member| self.add(Attribute::AssignedTo, member));
        self.add_some(Attribute::Email, profile.email.as_ref());
        self.add_some(Attribute::Phone, profile.phone.as_ref());
        self.add_some(Attribute::Segment, profile.segment.as_ref());
        self.add_some(Attribute::Language, profile.language.as_ref());
        profile.address.iter().for_each(|address| self.address(address));
        profile.individual.iter().for_each(|person| self.individual(person));
        profile.corporate.iter().for_each(|company| self.corporate(company));
    }

    fn address(&mut self, address: &Address) {
        self.add_some(Attribute::Line1, address.line1.as_ref());
        self.add_some(Attribute::Line2, address.line2.as_ref());
        self.add_some(Attribute::City, address.city.as_ref());
        self.add_some(Attribute::Region, address.region.as_ref());
        self.add_some(Attribute::PostalCode, address.postal_code.as_ref());
        self.add_some(Attribute::Country, address.country.as_ref());
    }

    fn individual(&mut self, person: &Individual) {
        self.add(Attribute::GivenName, &person.given_name);
        self.add(Attribute::FamilyName, &person.family_name);
        self.add(Attribute::Nationality, &person.nationality);
        self.add(Attribute::NationalId, &person.national_id);
    }

    fn corporate(&mut self, company: &Corporate) {
        self.add(Attribute::LegalName, &company.legal_name);
        self.add(Attribute::RegistrationNumber, &company.registration_number);
        self.add_some(Attribute::Lei, company.lei.as_ref());
        self.add_some(Attribute::TaxId, company.tax_id.as_ref());
        self.add_some(Attribute::Industry, company.industry.as_ref());
        for contact in &company.contacts {
            self.field(CONTACT, "");
            self.add(Attribute::ContactName, &contact.name);
            self.add_some(Attribute::ContactRole, contact.role.as_ref());
            self.add_some(Attribute::ContactEmail, contact.email.as_ref());
            self.add_some(Attribute::ContactPhone, contact.phone.as_ref());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::client::Mark;
    use crate::domain::event::Created;
    use crate::domain::filter::Filter;

    const LISTED: [Attribute; 6] = [
        Attribute::Tags,
        Attribute::AssignedTo,
        Attribute::ContactName,
        Attribute::ContactRole,
        Attribute::ContactEmail,
        Attribute::ContactPhone,
    ];

    fn client(profile: serde_json::Value) -> Client {
        let profile = serde_json::from_value(profile).unwrap();
        let external_reference = Some("X-1".to_owned());
        let created = Created { profile, external_reference, status: Status::Active, onboarding: false };
        let mark = Mark { entry: Uuid::from_u128(7), seq: 1, version: 1, at: Utc::now(), member: "m-1" };
        Client::created("CL-1", "o", &created, mark)
    }

    fn company(texts: &[String]) -> Client {
        let text = |at: usize| texts.get(at).cloned().unwrap_or_default();
        client(json!({
            "kind": "corporate", "name": text(0), "email": text(1), "segment": text(2), "tags": [text(3), text(4)],
            "assignedTo": [text(5)], "address": { "city": text(6), "country": "DE" },
            "corporate": {
                "legalName": text(7), "registrationNumber": text(8), "incorporatedOn": "2001-02-03",
                "contacts": [
                    { "name": text(9), "role": "cfo" },
                    { "name": text(10), "email": text(11) },
                ],
            },
        }))
    }

    fn values(row: &dyn Attributes<Attribute>, attribute: Attribute) -> Vec<String> {
        let mut values = Vec::new();
        row.any(attribute, &mut |value| {
            values.push(format!("{value:?}"));
            false
        });
        values
    }

    fn folded(value: Value<'_>) -> String {
        match value {
            Value::Text(text) | Value::Folded(text) => fold(text).into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_person_has_a_birth_and_no_incorporation() {
        let row = Row::of(&client(json!({
            "kind": "individual", "name": "Ada Lovelace",
            "individual": {
                "givenName": "Ada", "familyName": "Lovelace", "dateOfBirth": "1915-12-10", "nationality": "GB",
                "nationalId": "AL-1",
            },
        })));
        assert_eq!((row.reference(), row.name()), ("CL-1", "ada lovelace"));
        assert_eq!(row.get(Attribute::IncorporatedOn), Value::Missing);
        assert!(matches!(row.get(Attribute::DateOfBirth), Value::Date(_)));
        assert_eq!(row.get(Attribute::NationalId), Value::Text("AL-1"));
        assert_eq!(row.get(Attribute::Email), Value::Missing);
    }

    #[test]
    fn a_contact_is_matched_by_its_own_attributes() {
        let texts: Vec<String> = (0..12).map(|at| format!("t{at}")).collect();
        let row = Row::of(&company(&texts));
        let matches = |filter: &str| Filter::parse(filter).unwrap().matches(&row);
        assert!(matches("corporate.contacts[name eq \"t9\" and role eq \"CFO\"]"));
        assert!(matches("corporate.contacts[name eq \"t10\" and email eq \"t11\"]"));
        assert!(!matches("corporate.contacts[name eq \"t10\" and role eq \"cfo\"]"));
        assert!(!matches("corporate.contacts[name eq \"t9\" and email eq \"t11\"]"));
        assert!(matches("kind eq \"corporate\" and corporate.incorporatedOn lt \"2001-02-04T00:00:00Z\""));
    }

    proptest! {
        #[test]
        fn a_row_says_what_its_client_says(texts in prop::collection::vec("\\PC{0,200}", 12)) {
            let client = company(&texts);
            let row = Row::of(&client);
            for attribute in Attribute::ALL.iter().copied().filter(|attribute| *attribute != Attribute::Starred) {
                if LISTED.contains(&attribute) {
                    prop_assert_eq!(values(&row, attribute), values(&client, attribute));
                } else {
                    prop_assert_eq!(folded(row.get(attribute)), folded(client.get(attribute)), "{}", attribute.path());
                }
            }
        }
    }
}
