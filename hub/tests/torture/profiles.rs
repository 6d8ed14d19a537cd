//! Clients as the members send them: each with a number, by which everything of it is found again.

use serde_json::{Value, json};

/// What is to be told of a client. The same wish is the same body.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Which client.
    pub number: u64,
    /// Which request: it stands in the segment, so that every edit is known by what it has left.
    pub marker: u64,
    /// Another name: the client is screened again.
    pub renamed: bool,
    /// Another e-mail address: the old one is told too.
    pub moved: bool,
}

/// Every fifth is a person, every twentieth one who stands on a list.
pub const fn is_listed(number: u64) -> bool {
    number % 20 == 19
}

/// The body of a POST or PUT.
pub fn body(wish: Wish) -> Value {
    let Wish { number, marker, .. } = wish;
    let email = if wish.moved { format!("c{number}.{marker}@a.example") } else { format!("c{number}@a.example") };
    let mut body = json!({
        "email": email, "phone": phone(number), "segment": segment(marker), "language": "en", "tags": ["torture"],
        "address": {"line1": "1 Quay", "city": "London", "postalCode": "EC1A 1BB", "country": "GB"},
    });
    let own = body.as_object_mut().unwrap();
    if number % 5 == 4 {
        let listed = ("Drazen", "Volkovar".to_owned(), "1961-02-17", "RS");
        let other =
            ("Ines", format!("Okafor{}{}", letters(number), if wish.renamed { "a" } else { "" }), "1988-02-29", "PT");
        let (given, family, born, nationality) = if is_listed(number) { listed } else { other };
        own.insert("kind".into(), "individual".into());
        own.insert(
            "individual".into(),
            json!({"givenName": given, "familyName": family, "dateOfBirth": born, "nationality": nationality,
                   "nationalId": format!("P{number:07}")}),
        );
    } else {
        let name = format!("Meridian {}{} Ltd", letters(number), if wish.renamed { " Freight" } else { "" });
        own.insert("kind".into(), "corporate".into());
        own.insert("name".into(), name.clone().into());
        own.insert("corporate".into(), json!({"legalName": name, "registrationNumber": format!("{number:08}")}));
    }
    body
}

/// What a request leaves behind.
pub fn segment(marker: u64) -> String {
    format!("s{marker}")
}

/// A number of its own for each client.
pub fn phone(number: u64) -> String {
    format!("+44207946{:04}", number % 10_000)
}

fn letters(mut number: u64) -> String {
    let mut text = String::from("x");
    while number > 0 {
        text.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
    }
    text
}
