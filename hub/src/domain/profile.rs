//! What is known of a client that callers may write: the profile, as it stands in the API.
//!
//! The types carry no rules; `validate` makes a `Profile` from untrusted JSON and only it should.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filter::fold;

/// A business or a person. Never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A business or organisation.
    Corporate,
    /// A person.
    Individual,
}

/// The editable part of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// A business or a person.
    pub kind: Kind,
    /// The display name; for an individual the given and family names joined with a space.
    pub name: String,
    /// There exactly where `kind` is `corporate`.
    #[serde(default)]
    pub corporate: Option<Box<Corporate>>,
    /// There exactly where `kind` is `individual`.
    #[serde(default)]
    pub individual: Option<Box<Individual>>,
    /// An e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// A phone number, E.164.
    #[serde(default)]
    pub phone: Option<String>,
    /// The postal address.
    #[serde(default)]
    pub address: Option<Box<Address>>,
    /// A free market segment, 1..40 characters.
    #[serde(default)]
    pub segment: Option<String>,
    /// The preferred language, BCP 47.
    #[serde(default)]
    pub language: Option<String>,
    /// Free labels, 1..40 characters each.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The members who look after the client.
    #[serde(default)]
    pub assigned_to: Vec<String>,
}

/// What only a corporate client has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Corporate {
    /// The registered name.
    pub legal_name: String,
    /// The number in the companies' register.
    pub registration_number: String,
    /// Legal Entity Identifier, ISO 17442.
    #[serde(default)]
    pub lei: Option<String>,
    /// Tax or VAT number.
    #[serde(default)]
    pub tax_id: Option<String>,
    /// ISIC/NACE digits.
    #[serde(default)]
    pub industry: Option<String>,
    /// ISO 8601 date.
    #[serde(default)]
    pub incorporated_on: Option<chrono::NaiveDate>,
    /// People to speak to.
    #[serde(default)]
    pub contacts: Vec<Contact>,
}

/// A person to speak to at a corporate client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// The person's name.
    pub name: String,
    /// For example `signatory`.
    #[serde(default)]
    pub role: Option<String>,
    /// An e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// A phone number, E.164.
    #[serde(default)]
    pub phone: Option<String>,
}

/// What only an individual client has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Individual {
    /// Given names.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// In the past, and not before 1900.
    pub date_of_birth: chrono::NaiveDate,
    /// ISO 3166-1 alpha-2.
    pub nationality: String,
    /// The number in the register of persons of `nationality`.
    pub national_id: String,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Street and number.
    #[serde(default)]
    pub line1: Option<String>,
    /// More of the same.
    #[serde(default)]
    pub line2: Option<String>,
    /// City or town.
    #[serde(default)]
    pub city: Option<String>,
    /// State, county or region.
    #[serde(default)]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default)]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default)]
    pub country: Option<String>,
}

impl Profile {
    /// The claims that make a client unique in an organisation: registration number and country, or national id and nationality.
    #[must_use]
    pub fn claims(&self, org: &str) -> Vec<String> {
        let country = self.address.as_ref().and_then(|address| address.country.as_deref()).unwrap_or("");
        let company = self
            .corporate
            .as_ref()
            .map(|corporate| format!("company/{org}/{country}/{}", folded(&corporate.registration_number)));
        let person = self
            .individual
            .as_ref()
            .map(|person| format!("person/{org}/{}/{}", person.nationality, folded(&person.national_id)));
        company.into_iter().chain(person).collect()
    }
}

/// Numbers in registers are compared without case, without spaces and by their normal form, as people write them either way.
fn folded(number: &str) -> String {
    fold(number).chars().filter(|c| !c.is_whitespace()).collect()
}
