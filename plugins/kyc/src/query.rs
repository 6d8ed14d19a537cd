//! A client as an example to match: an entity of the FollowTheMoney model. Pure.

use adapter_kit::types::{Corporate, Details, Individual, Profile};
use serde_json::{Map, Value, json};

/// A property: its name and its values, of which those that are not there and repeats are left out.
type Property<'a> = (&'static str, Vec<Option<&'a str>>);

/// The example for a profile.
pub fn example(profile: &Profile) -> Value {
    match &profile.details {
        Details::Individual(person) => json!({"schema": "Person", "properties": of_person(profile, person)}),
        Details::Corporate(company) => json!({"schema": "Company", "properties": of_company(profile, company)}),
    }
}

fn of_person(profile: &Profile, person: &Individual) -> Value {
    let (nationality, country) = (person.nationality.to_lowercase(), country(profile));
    properties(vec![
        ("name", vec![Some(&profile.name)]),
        ("firstName", vec![Some(&person.given_name)]),
        ("lastName", vec![Some(&person.family_name)]),
        ("birthDate", vec![Some(&person.date_of_birth)]),
        ("nationality", vec![Some(&nationality)]),
        ("idNumber", vec![Some(&person.national_id)]),
        ("country", vec![country.as_deref()]),
    ])
}

fn of_company(profile: &Profile, company: &Corporate) -> Value {
    let country = country(profile);
    properties(vec![
        ("name", vec![Some(&profile.name), Some(&company.legal_name)]),
        ("registrationNumber", vec![Some(&company.registration_number)]),
        ("taxNumber", vec![company.tax_id.as_deref()]),
        ("leiCode", vec![company.lei.as_deref()]),
        ("incorporationDate", vec![company.incorporated_on.as_deref()]),
        ("jurisdiction", vec![country.as_deref()]),
    ])
}

/// The model writes country codes in lower case.
fn country(profile: &Profile) -> Option<String> {
    profile.address.as_ref()?.country.as_ref().map(|country| country.to_lowercase())
}

fn properties(properties: Vec<Property<'_>>) -> Value {
    let mut object = Map::new();
    for (name, values) in properties {
        let mut values: Vec<&str> = values.into_iter().flatten().filter(|value| !value.is_empty()).collect();
        values.dedup();
        if !values.is_empty() {
            object.insert(name.to_owned(), json!(values));
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use adapter_kit::testing::{corporate, individual};

    use super::*;

    #[test]
    fn a_person_is_described_by_what_tells_people_apart() {
        let expected = json!({"schema": "Person", "properties": {
            "name": ["Jane Doe"], "firstName": ["Jane"], "lastName": ["Doe"], "birthDate": ["1980-02-29"],
            "nationality": ["gb"], "idNumber": ["QQ123456C"], "country": ["gb"]}});
        assert_eq!(example(&individual()), expected);
    }

    #[test]
    fn a_company_goes_by_both_of_its_names() {
        let expected = json!({"schema": "Company", "properties": {
            "name": ["Meridian Freight Ltd", "Meridian Freight Limited"], "registrationNumber": ["08123456"],
            "taxNumber": ["GB123456789"], "incorporationDate": ["2012-04-03"], "jurisdiction": ["gb"]}});
        assert_eq!(example(&corporate()), expected);
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let example = example(&Profile { address: None, ..individual() });
        assert!(example["properties"].get("country").is_none());
    }
}
