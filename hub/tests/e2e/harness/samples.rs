//! Clients as a caller would send them, all different.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that nobody else in this run has.
pub fn unique() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An organisation of one's own.
pub fn org(name: &str) -> String {
    format!("{name}-{}", unique())
}

/// A company that nobody else has.
pub fn company() -> Value {
    let number = unique();
    json!({
        "kind": "corporate",
        "name": format!("Meridian Freight {number} Ltd"),
        "corporate": {
            "legalName": format!("Meridian Freight {number} Ltd"),
            "registrationNumber": format!("{number:08}"),
            "taxId": "GB123456789",
            "industry": "4941",
            "incorporatedOn": "2012-04-03",
            "contacts": [{"name": "Asha Verne", "role": "signatory", "email": "asha@meridian.example", "phone": "+442079460001"}]
        },
        "email": format!("ops{number}@meridian.example"),
        "phone": format!("+44207946{number:04}"),
        "address": {"line1": "1 Quay", "city": "London", "postalCode": "EC1A 1BB", "country": "GB"},
        "segment": "sme",
        "language": "en",
        "tags": ["priority"]
    })
}

/// A person whom nobody else has.
pub fn person() -> Value {
    let number = unique();
    json!({
        "kind": "individual",
        "individual": {
            "givenName": "Ines", "familyName": format!("Okafor{}", letters(number)), "dateOfBirth": "1988-02-29",
            "nationality": "PT", "nationalId": format!("P{number:07}")
        },
        "email": format!("ines{number}@mail.example"),
        "phone": "+351912345678",
        "language": "pt"
    })
}

/// A person who stands on the sanctions list of the simulation.
pub fn listed_person() -> Value {
    let mut person = person();
    person["individual"]["givenName"] = "Drazen".into();
    person["individual"]["familyName"] = "Volkovar".into();
    person["individual"]["dateOfBirth"] = "1961-02-17".into();
    person["individual"]["nationality"] = "RS".into();
    person
}

fn letters(mut number: u64) -> String {
    let mut text = String::new();
    while number > 0 {
        text.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
    }
    text
}
