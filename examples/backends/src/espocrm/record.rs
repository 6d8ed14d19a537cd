//! A record: an account or a contact with its attributes, as EspoCRM keeps and shows it.

use chrono::Utc;
use http::StatusCode;
use rand::RngExt;
use serde_json::{Map, Value, json};

use crate::chance;

use super::Refusal;

/// The people of the CRM, by id and name.
const USERS: [(&str, &str); 3] = [
    ("66user00000000001", "Ingrid Solheim"),
    ("66user00000000002", "Tomas Varga"),
    ("66user00000000003", "Leila Haddad"),
];

/// What the server keeps itself; a request can't set it.
const READ_ONLY: [&str; 7] =
    ["id", "createdAt", "modifiedAt", "createdById", "createdByName", "deleted", "modifiedById"];

/// What kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EntityType {
    Account,
    Contact,
}

impl EntityType {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "Account" => Some(EntityType::Account),
            "Contact" => Some(EntityType::Contact),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            EntityType::Account => "Account",
            EntityType::Contact => "Contact",
        }
    }

    fn required(self) -> &'static str {
        match self {
            EntityType::Account => "name",
            EntityType::Contact => "lastName",
        }
    }

    pub fn created(self) -> &'static str {
        match self {
            EntityType::Account => "account.created",
            EntityType::Contact => "contact.created",
        }
    }

    pub fn updated(self) -> &'static str {
        match self {
            EntityType::Account => "account.updated",
            EntityType::Contact => "contact.updated",
        }
    }
}

/// Whether an attribute is looked up without a walk over all records: e-mail addresses and custom fields, which EspoCRM
/// marks with a leading `c`.
pub(super) fn is_indexed(attribute: &str) -> bool {
    let custom = attribute.strip_prefix('c').and_then(|rest| rest.chars().next());
    attribute == "emailAddress" || custom.is_some_and(char::is_uppercase)
}

/// One record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub kind: EntityType,
    pub attributes: Map<String, Value>,
}

impl Record {
    /// A new record from what a request sent.
    pub fn new(kind: EntityType, id: String, body: Map<String, Value>, seed: u64) -> Result<Self, Refusal> {
        let now = timestamp();
        let mut record = Record { kind, attributes: Map::new() };
        record.merge(body)?;
        if !record.attributes.contains_key("assignedUserId") {
            let user = chance::about(seed, "espocrm.owner", record.reference_or(&id)).random_range(0..USERS.len());
            if let Some((user_id, name)) = USERS.get(user) {
                record.set("assignedUserId", json!(user_id));
                record.set("assignedUserName", json!(name));
            }
        }
        for (name, value) in [
            ("id", json!(id)),
            ("deleted", json!(false)),
            ("createdAt", json!(now)),
            ("modifiedAt", json!(now)),
            ("createdById", json!("66apiuser00000001")),
            ("createdByName", json!("clients-hub")),
        ] {
            record.set(name, value);
        }
        Ok(record)
    }

    /// Takes over the attributes that the request names; says whether anything differs now.
    pub fn update(&mut self, body: Map<String, Value>) -> Result<bool, Refusal> {
        let before = self.attributes.clone();
        self.merge(body)?;
        let changed = self.attributes != before;
        if changed {
            self.set("modifiedAt", json!(timestamp()));
        }
        Ok(changed)
    }

    fn merge(&mut self, body: Map<String, Value>) -> Result<(), Refusal> {
        self.attributes.extend(body.into_iter().filter(|(name, _)| !READ_ONLY.contains(&name.as_str())));
        let required = self.kind.required();
        if self.text(required).is_none_or(|text| text.trim().is_empty()) {
            return Err(invalid(self.kind, required, "required"));
        }
        if self.kind == EntityType::Contact {
            let names = [self.text("firstName"), self.text("lastName")].into_iter().flatten().collect::<Vec<_>>();
            let name = names.join(" ");
            self.set("name", json!(name));
        }
        if self.text("emailAddress").is_some_and(|address| !address.is_empty() && !address.contains('@')) {
            return Err(invalid(self.kind, "emailAddress", "emailAddress"));
        }
        let assigned = self.text("assignedUserId").map(str::to_owned);
        if let Some((_, name)) = USERS.iter().find(|(id, _)| Some(*id) == assigned.as_deref()) {
            self.set("assignedUserName", json!(name));
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Value) {
        self.attributes.insert(name.to_owned(), value);
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }

    pub fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// The external reference: the first custom field whose name says so, or else the record's own id.
    pub fn reference(&self) -> &str {
        self.reference_or(self.id())
    }

    fn reference_or<'a>(&'a self, id: &'a str) -> &'a str {
        self.reference_attribute().map_or(id, |(_, reference)| reference)
    }

    /// The custom field that holds the external reference, and its value.
    pub fn reference_attribute(&self) -> Option<(&str, &str)> {
        let named = |name: &str| is_indexed(name) && (name.contains("Reference") || name.contains("External"));
        self.attributes
            .iter()
            .filter(|(name, _)| named(name))
            .find_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// The version that a custom field whose name says so carries.
    pub fn version(&self) -> Option<u64> {
        let field = self.attributes.iter().find(|(name, _)| is_indexed(name) && name.ends_with("Version"));
        field.and_then(|(_, value)| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
    }
}

/// Times as EspoCRM writes them, in UTC.
pub(super) const TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

fn timestamp() -> String {
    Utc::now().format(TIME_FORMAT).to_string()
}

fn invalid(kind: EntityType, field: &str, rule: &str) -> Refusal {
    let reason = format!("Field validation failure; entityType: {}, field: {field}, type: {rule}.", kind.name());
    let body = json!({"messageTranslation": {"label": "validationFailure", "scope": null,
                                             "data": {"field": field, "type": rule}}});
    Refusal(StatusCode::BAD_REQUEST, reason, Some(body))
}
