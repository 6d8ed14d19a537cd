//! A client as a row. Whether it is starred depends on who asks, so that is not known here.

use super::evaluate::{Attributes, Value};
use super::schema::Attribute;
use crate::domain::client::Client;
use crate::domain::profile::{Contact, Kind, Profile};

fn text(value: Option<&String>) -> Value<'_> {
    value.map_or(Value::Missing, |text| Value::Text(text))
}

impl Attributes<Attribute> for Client {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        match attribute {
            Attribute::Reference => Value::Text(&self.reference),
            Attribute::Status => Value::Text(self.status.as_str()),
            Attribute::ExternalReference => text(self.external_reference.as_ref()),
            Attribute::KycStatus => Value::Text(self.kyc.status.as_str()),
            Attribute::CreatedAt => Value::Instant(self.created_at),
            Attribute::UpdatedAt => Value::Instant(self.updated_at),
            other => self.profile.get(other),
        }
    }

    fn any(&self, attribute: Attribute, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        self.profile.any(attribute, test)
    }

    fn any_element(&self, attribute: Attribute, test: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        self.profile.any_element(attribute, test)
    }
}

impl Attributes<Attribute> for Profile {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        match attribute {
            Attribute::Name => Value::Text(&self.name),
            Attribute::Kind => Value::Text(match self.kind {
                Kind::Corporate => "corporate",
                Kind::Individual => "individual",
            }),
            Attribute::Email => text(self.email.as_ref()),
            Attribute::Phone => text(self.phone.as_ref()),
            Attribute::Segment => text(self.segment.as_ref()),
            Attribute::Language => text(self.language.as_ref()),
            other => address(self, other),
        }
    }

    fn any(&self, attribute: Attribute, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        match attribute {
            Attribute::Tags => self.tags.iter().any(|tag| test(Value::Text(tag))),
            Attribute::AssignedTo => self.assigned_to.iter().any(|member| test(Value::Text(member))),
            _ => self.any_element(attribute, &mut |contact| match contact.get(attribute) {
                Value::Missing => false,
                value => test(value),
            }),
        }
    }

    fn any_element(&self, _of: Attribute, test: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        self.corporate.as_ref().is_some_and(|corporate| corporate.contacts.iter().any(|contact| test(contact)))
    }
}

fn address(profile: &Profile, attribute: Attribute) -> Value<'_> {
    let address = profile.address.as_ref();
    match attribute {
        Attribute::Line1 => text(address.and_then(|address| address.line1.as_ref())),
        Attribute::Line2 => text(address.and_then(|address| address.line2.as_ref())),
        Attribute::City => text(address.and_then(|address| address.city.as_ref())),
        Attribute::Region => text(address.and_then(|address| address.region.as_ref())),
        Attribute::PostalCode => text(address.and_then(|address| address.postal_code.as_ref())),
        Attribute::Country => text(address.and_then(|address| address.country.as_ref())),
        other => corporate(profile, other),
    }
}

fn corporate(profile: &Profile, attribute: Attribute) -> Value<'_> {
    let Some(corporate) = profile.corporate.as_ref() else { return individual(profile, attribute) };
    match attribute {
        Attribute::LegalName => Value::Text(&corporate.legal_name),
        Attribute::RegistrationNumber => Value::Text(&corporate.registration_number),
        Attribute::Lei => text(corporate.lei.as_ref()),
        Attribute::TaxId => text(corporate.tax_id.as_ref()),
        Attribute::Industry => text(corporate.industry.as_ref()),
        Attribute::IncorporatedOn => corporate.incorporated_on.map_or(Value::Missing, Value::Date),
        _ => Value::Missing,
    }
}

fn individual(profile: &Profile, attribute: Attribute) -> Value<'_> {
    let Some(person) = profile.individual.as_ref() else { return Value::Missing };
    match attribute {
        Attribute::GivenName => Value::Text(&person.given_name),
        Attribute::FamilyName => Value::Text(&person.family_name),
        Attribute::DateOfBirth => Value::Date(person.date_of_birth),
        Attribute::Nationality => Value::Text(&person.nationality),
        Attribute::NationalId => Value::Text(&person.national_id),
        _ => Value::Missing,
    }
}

impl Attributes<Attribute> for Contact {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        match attribute {
            Attribute::ContactName => Value::Text(&self.name),
            Attribute::ContactRole => text(self.role.as_ref()),
            Attribute::ContactEmail => text(self.email.as_ref()),
            Attribute::ContactPhone => text(self.phone.as_ref()),
            _ => Value::Missing,
        }
    }

    fn any(&self, _attribute: Attribute, _test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        false
    }

    fn any_element(&self, _of: Attribute, _test: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        false
    }
}
