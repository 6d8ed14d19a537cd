//! Clients as banks have them: the usual ones, and those that are odd and legal.

use crate::adapters::wit::types::{
    Address, ClientKind, ClientStatus, Contact, Corporate, Details, Individual, Profile,
};

/// The longest name that the hub takes, in characters.
const LONGEST_NAME: usize = 200;

/// A person.
#[must_use]
pub fn person(reference: &str) -> Profile {
    named(reference, "Ada", "Moss")
}

fn named(reference: &str, given: &str, family: &str) -> Profile {
    Profile {
        reference: reference.to_owned(),
        external_reference: Some(format!("ext-{reference}")),
        organisation: "conformance".to_owned(),
        version: 1,
        kind: ClientKind::Individual,
        status: ClientStatus::Active,
        name: format!("{given} {family}"),
        details: Details::Individual(Individual {
            given_name: given.to_owned(),
            family_name: family.to_owned(),
            date_of_birth: "1985-03-02".to_owned(),
            nationality: "GB".to_owned(),
            national_id: format!("ID-{reference}"),
        }),
        email: Some("ada@moss.example".to_owned()),
        phone: Some("+442079460001".to_owned()),
        address: Some(Address {
            line1: Some("1 Mill Lane".to_owned()),
            line2: None,
            city: Some("London".to_owned()),
            region: None,
            postal_code: Some("EC1A 1BB".to_owned()),
            country: Some("GB".to_owned()),
        }),
        segment: Some("retail".to_owned()),
        language: Some("en".to_owned()),
        tags: vec!["priority".to_owned()],
        assigned_to: vec!["m-204".to_owned()],
        external_id: None,
        created_at: "2026-03-01T10:00:00.000Z".to_owned(),
        updated_at: "2026-03-02T10:00:00.000Z".to_owned(),
    }
}

fn company(reference: &str) -> Profile {
    let name = "Ölmühle & Söhne \"Süd\" <GmbH>".to_owned();
    let contact = Contact {
        name: "Zoë O'Neil".to_owned(),
        role: Some("signatory".to_owned()),
        email: None,
        phone: Some("+442079460002".to_owned()),
    };
    Profile {
        kind: ClientKind::Corporate,
        details: Details::Corporate(Corporate {
            legal_name: name.clone(),
            registration_number: format!("R-{reference}"),
            lei: Some("5493001KJTIIGC8Y1R12".to_owned()),
            tax_id: Some("GB123456789".to_owned()),
            industry: Some("4941".to_owned()),
            incorporated_on: Some("2012-04-03".to_owned()),
            contacts: vec![contact],
        }),
        name,
        ..person(reference)
    }
}

/// Nothing but what is required.
fn bare(reference: &str) -> Profile {
    Profile {
        external_reference: None,
        email: None,
        phone: None,
        address: None,
        segment: None,
        language: None,
        tags: Vec::new(),
        assigned_to: Vec::new(),
        ..person(reference)
    }
}

/// A company with nothing but what is required.
fn bare_company(reference: &str) -> Profile {
    let corporate = Corporate {
        legal_name: "Bare Ltd".to_owned(),
        registration_number: format!("R-{reference}"),
        lei: None,
        tax_id: None,
        industry: None,
        incorporated_on: None,
        contacts: Vec::new(),
    };
    Profile {
        kind: ClientKind::Corporate,
        name: "Bare Ltd".to_owned(),
        details: Details::Corporate(corporate),
        ..bare(reference)
    }
}

/// An odd client: what is odd about it, and how it is made for a reference.
pub type Odd = (&'static str, fn(&str) -> Profile);

/// Those that are odd and legal.
pub const ODD: [Odd; 10] = [
    ("a name in Greek and Cyrillic", |reference| named(reference, "Ἀλέξανδρος", "Щербаков")),
    ("a name that runs from right to left", |reference| named(reference, "عائشة", "בן־דוד")),
    ("a name in Han and Hangul", |reference| named(reference, "王小明", "김")),
    ("a name with combining marks and an emoji", |reference| named(reference, "Ame\u{301}lie", "N\u{303}🦊")),
    ("a name with quotes, backslashes and braces", |reference| named(reference, r#"Jo "Mc\n" {x}"#, r"O'Brien\")),
    ("a name that looks like markup, a path and a query", |reference| {
        named(reference, "<b>&amp;../%2e%2e/?a=b&c", "x;--$(id)#")
    }),
    ("names of 200 characters", |reference| {
        named(reference, &"Å".repeat(LONGEST_NAME / 2), &"z".repeat(LONGEST_NAME / 2 - 1))
    }),
    ("a person with nothing but what is required", bare),
    ("a company with everything", company),
    ("a company with nothing but what is required", bare_company),
];
