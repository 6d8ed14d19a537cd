//! The list that is screened against. All names are invented.

use serde_json::{Value, json};

/// One entry.
#[derive(Debug)]
pub(super) struct Entity {
    pub id: &'static str,
    pub schema: &'static str,
    pub name: &'static str,
    pub alias: Option<&'static str>,
    /// ISO 8601, for a person.
    pub birth_date: Option<&'static str>,
    /// ISO 3166-1 alpha-2, lower case: nationality of a person, jurisdiction of a company.
    pub country: &'static str,
    pub topic: &'static str,
    pub dataset: &'static str,
}

pub(super) const ENTITIES: [Entity; 6] = [
    Entity {
        id: "NK-inv-0001",
        schema: "Person",
        name: "Drazen Volkovar",
        alias: Some("Dražen Wolkowar"),
        birth_date: Some("1961-02-17"),
        country: "rs",
        topic: "sanction",
        dataset: "sanctions",
    },
    Entity {
        id: "NK-inv-0002",
        schema: "Person",
        name: "Mireille Okonjo-Tardieu",
        alias: None,
        birth_date: Some("1974-11-30"),
        country: "ga",
        topic: "role.pep",
        dataset: "peps",
    },
    Entity {
        id: "NK-inv-0003",
        schema: "Person",
        name: "Anselm Kruithof",
        alias: Some("Anselmus Kruithoff"),
        birth_date: Some("1958-06-05"),
        country: "sr",
        topic: "sanction",
        dataset: "sanctions",
    },
    Entity {
        id: "NK-inv-0004",
        schema: "Company",
        name: "Quillon Straits Shipping FZE",
        alias: Some("Quillon Shipping"),
        birth_date: None,
        country: "ae",
        topic: "sanction",
        dataset: "sanctions",
    },
    Entity {
        id: "NK-inv-0005",
        schema: "Company",
        name: "Tarsk Petrochem Holding",
        alias: None,
        birth_date: None,
        country: "cy",
        topic: "sanction",
        dataset: "sanctions",
    },
    Entity {
        id: "NK-inv-0006",
        schema: "Company",
        name: "Ember Lantern Trading Ltd",
        alias: None,
        birth_date: None,
        country: "gb",
        topic: "sanction",
        dataset: "sanctions",
    },
];

impl Entity {
    /// As yente shows an entity.
    pub fn json(&self) -> Value {
        let mut properties = json!({"name": [self.name], "topics": [self.topic]});
        let country = if self.schema == "Person" { "nationality" } else { "jurisdiction" };
        if let Some(properties) = properties.as_object_mut() {
            properties.insert(country.to_owned(), json!([self.country]));
            properties.extend(self.alias.map(|alias| ("alias".to_owned(), json!([alias]))));
            properties.extend(self.birth_date.map(|date| ("birthDate".to_owned(), json!([date]))));
        }
        json!({"id": self.id, "caption": self.name, "schema": self.schema, "properties": properties,
               "datasets": [self.dataset], "referents": [], "target": true, "first_seen": "2023-01-10T00:00:00",
               "last_seen": "2025-01-10T00:00:00", "last_change": "2024-05-02T00:00:00"})
    }
}
