//! The columns of a CSV file: the API's field names with dots, and how a row becomes JSON.
//!
//! `tags` and `assignedTo` hold several values with `;` between them. Contacts are numbered from 0:
//! `corporate.contacts.0.name`. An empty cell is left out.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;
use serde_json::{Map, Value};

const ACCEPTED: [&str; 30] = [
    "kind",
    "name",
    "corporate.legalName",
    "corporate.registrationNumber",
    "corporate.lei",
    "corporate.taxId",
    "corporate.industry",
    "corporate.incorporatedOn",
    "corporate.contacts.0.name",
    "corporate.contacts.0.role",
    "corporate.contacts.0.email",
    "corporate.contacts.0.phone",
    "individual.givenName",
    "individual.familyName",
    "individual.dateOfBirth",
    "individual.nationality",
    "individual.nationalId",
    "email",
    "phone",
    "address.line1",
    "address.line2",
    "address.city",
    "address.region",
    "address.postalCode",
    "address.country",
    "segment",
    "language",
    "tags",
    "assignedTo",
    "externalReference",
];
const LISTS: [&str; 2] = ["tags", "assignedTo"];
const SEPARATOR: char = ';';

/// Where each cell of a row belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<String>);

impl Columns {
    /// Reads a header.
    ///
    /// # Errors
    /// A column that is not known or there twice: its number, its name, and what is accepted.
    pub fn new<'a>(header: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut seen = BTreeSet::new();
        let mut names = Vec::new();
        for (place, name) in header.enumerate() {
            let (place, name) = (place + 1, name.trim_start_matches('\u{feff}').trim());
            if !is_accepted(name) {
                return Err(format!("column {place} `{name}` is not known; accepted: {}", ACCEPTED.join(", ")));
            }
            if !seen.insert(name) {
                return Err(format!("column {place} `{name}` is there twice"));
            }
            names.push(name.to_owned());
        }
        Ok(Self(names))
    }

    /// A row as the JSON that the API would be sent.
    ///
    /// # Errors
    /// It has another number of cells than the header.
    pub fn row(&self, cells: &StringRecord) -> Result<Value, String> {
        let (expected, found) = (self.0.len(), cells.len());
        if expected != found {
            return Err(format!("expected {expected} cells as in the header, found {found}"));
        }
        let mut root = Map::new();
        let mut contacts: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
        for (name, cell) in self.0.iter().zip(cells.iter()).filter(|(_, cell)| !cell.trim().is_empty()) {
            match contact(name) {
                Some((place, field)) => drop(contacts.entry(place).or_default().insert(field.to_owned(), cell.into())),
                None => insert(&mut root, name, value(name, cell)),
            }
        }
        if !contacts.is_empty() {
            insert(&mut root, "corporate.contacts", contacts.into_values().map(Value::Object).collect());
        }
        Ok(Value::Object(root))
    }
}

fn is_accepted(name: &str) -> bool {
    contact(name).map_or_else(
        || ACCEPTED.contains(&name),
        |(_, field)| ACCEPTED.contains(&format!("corporate.contacts.0.{field}").as_str()),
    )
}

/// The number and the field of a contact's column.
fn contact(name: &str) -> Option<(usize, &str)> {
    let (place, field) = name.strip_prefix("corporate.contacts.")?.split_once('.')?;
    Some((place.parse().ok()?, field))
}

fn value(name: &str, cell: &str) -> Value {
    if LISTS.contains(&name) {
        return cell.split(SEPARATOR).map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect();
    }
    Value::from(cell)
}

fn insert(root: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => drop(root.insert(name.to_owned(), value)),
        Some((object, field)) => {
            let members = root.entry(object).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(members) = members {
                members.insert(field.to_owned(), value);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(header: &str) -> Result<Columns, String> {
        Columns::new(header.split(','))
    }

    #[test]
    fn a_row_becomes_the_json_of_the_api() {
        let columns = columns("\u{feff}kind,name,corporate.legalName,address.city,tags,corporate.contacts.3.name,corporate.contacts.0.name").unwrap();
        let row = columns.row(&StringRecord::from(vec!["corporate", "A", "A Ltd", "", "x; y;", "Cy", "Al"])).unwrap();
        assert_eq!(
            row,
            json!({"kind": "corporate", "name": "A", "tags": ["x", "y"],
            "corporate": {"legalName": "A Ltd", "contacts": [{"name": "Al"}, {"name": "Cy"}]}})
        );
    }

    #[test]
    fn a_header_is_checked_before_any_row() {
        assert!(
            columns("kind,e-mail").unwrap_err().starts_with("column 2 `e-mail` is not known; accepted: kind, name")
        );
        assert!(columns("corporate.contacts.0.mobile").is_err());
        assert_eq!(columns("kind,name, kind").unwrap_err(), "column 3 `kind` is there twice");
        assert!(
            columns("kind,name").unwrap().row(&StringRecord::from(vec!["corporate"])).unwrap_err().contains("found 1")
        );
    }
}
