//! `PatchOp` (RFC 7644, 3.5.2): adding, replacing and removing attributes by their path.
//!
//! Paths: `active`, `name.familyName`, `emails[type eq "work"].value`, each with or without its schema's URN before it,
//! and none at all, where the value names the attributes. Attribute names compare without case.

use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::filter;
use super::{Resource, text};

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The schemas whose attributes stand at the top of a resource.
const CORE: [&str; 2] = [super::user::SCHEMA, super::device::SCHEMA];
const MAX_OPERATIONS: usize = 100;
/// What a client can't change.
const READ_ONLY: [&str; 3] = ["id", "schemas", "meta"];

/// Carries out all operations of a request on a copy, which replaces the resource only where all of them worked.
pub(super) fn apply(resource: &Resource, request: &Resource) -> Result<Resource, Refusal> {
    let schemas = request.get("schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|schemas| schemas.contains(&json!(SCHEMA))) {
        return Err(Refusal::bad("invalidSyntax", "The schemas attribute does not name PatchOp."));
    }
    let operations = request.get("Operations").and_then(Value::as_array);
    let Some(operations) = operations.filter(|list| !list.is_empty() && list.len() <= MAX_OPERATIONS) else {
        return Err(Refusal::bad("invalidSyntax", "Operations has to hold between 1 and 100 operations."));
    };
    let mut patched = resource.clone();
    for operation in operations {
        let operation =
            operation.as_object().ok_or_else(|| Refusal::bad("invalidSyntax", "An operation is an object."))?;
        one(&mut patched, operation)?;
    }
    Ok(patched)
}

fn one(resource: &mut Resource, operation: &Map<String, Value>) -> Result<(), Refusal> {
    let remove = match text(operation, "op").unwrap_or_default().to_lowercase().as_str() {
        "add" | "replace" => false,
        "remove" => true,
        _ => {
            return Err(Refusal::bad("invalidSyntax", "op is one of add, replace and remove."));
        }
    };
    let value = operation.get("value");
    match (text(operation, "path"), value) {
        (None, _) if remove => Err(Refusal::bad("noTarget", "A remove needs a path.")),
        (None, Some(Value::Object(attributes))) => {
            attributes.iter().try_for_each(|(path, value)| set(resource, path, Some(value)))
        }
        (None, _) => Err(Refusal::bad("invalidValue", "Without a path the value names the attributes.")),
        (Some(path), _) if remove => set(resource, path, None),
        (Some(path), Some(value)) => set(resource, path, Some(value)),
        (Some(_), None) => Err(Refusal::bad("invalidValue", "An add or replace needs a value.")),
    }
}

/// Sets what the path names, or removes it where there is no value: `null` and an empty list mean unassigned (RFC 7643,
/// section 2.5).
fn set(resource: &mut Resource, path: &str, value: Option<&Value>) -> Result<(), Refusal> {
    let value = value.filter(|value| !(value.is_null() || value.as_array().is_some_and(Vec::is_empty)));
    let core = CORE.iter().find_map(|schema| path.strip_prefix(schema)?.strip_prefix(':'));
    let path = core.unwrap_or(path);
    if path.starts_with("urn:") {
        return set_extension(resource, path, value);
    }
    if let Some((attribute, rest)) = path.split_once('[') {
        let (condition, rest) =
            rest.split_once(']').ok_or_else(|| Refusal::bad("invalidPath", "A bracket is not closed."))?;
        return set_element(resource, (attribute, condition, rest.trim_start_matches('.')), value);
    }
    match path.split_once('.') {
        None => {
            let name = name_of(resource, path)?;
            match value {
                Some(value) => resource.insert(name, value.clone()),
                None => resource.remove(&name),
            };
        }
        Some((parent, child)) => {
            let name = name_of(resource, parent)?;
            let inner = resource.entry(name).or_insert_with(|| json!({}));
            let inner = inner
                .as_object_mut()
                .ok_or_else(|| Refusal::bad("invalidPath", "The path leads into a simple value."))?;
            set(inner, child, value)?;
        }
    }
    Ok(())
}

/// Sets a whole extension, or an attribute of one that the resource names among its schemas.
fn set_extension(resource: &mut Resource, path: &str, value: Option<&Value>) -> Result<(), Refusal> {
    let schemas = resource.get("schemas").and_then(Value::as_array).into_iter().flatten();
    let attribute = schemas.filter_map(Value::as_str).find_map(|schema| {
        let attribute = path.strip_prefix(schema)?.strip_prefix(':')?;
        Some((schema.to_owned(), attribute))
    });
    if let Some((schema, attribute)) = attribute {
        let extension = resource.entry(schema).or_insert_with(|| json!({}));
        let extension = extension.as_object_mut();
        let extension = extension.ok_or_else(|| Refusal::bad("invalidPath", "The extension is no object."))?;
        return set(extension, attribute, value);
    }
    match value {
        None => {
            resource.remove(path);
        }
        Some(Value::Object(attributes)) => {
            resource.insert(path.to_owned(), json!(attributes));
            if let Some(Value::Array(schemas)) = resource.get_mut("schemas") {
                let schema = json!(path);
                if !schemas.contains(&schema) {
                    schemas.push(schema);
                }
            }
        }
        Some(_) => {
            return Err(Refusal::bad("invalidPath", "The resource has no such extension."));
        }
    }
    Ok(())
}

/// Sets an element of a multi-valued attribute, or a part of it; where none meets the condition one is added.
fn set_element(
    resource: &mut Resource,
    (attribute, condition, part): (&str, &str, &str),
    value: Option<&Value>,
) -> Result<(), Refusal> {
    let wanted = filter::read(condition)?;
    let name = name_of(resource, attribute)?;
    let elements = resource.entry(name).or_insert_with(|| json!([]));
    let elements =
        elements.as_array_mut().ok_or_else(|| Refusal::bad("invalidPath", "The path filters a simple value."))?;
    let meets = |element: &Value| {
        let found = element.as_object().and_then(|element| {
            element.iter().find(|(name, _)| name.eq_ignore_ascii_case(&wanted.attribute)).map(|(_, value)| value)
        });
        found.and_then(Value::as_str) == Some(wanted.value.as_str())
    };
    let Some(value) = value else {
        elements.retain(|element| !meets(element));
        return Ok(());
    };
    if !elements.iter().any(meets) {
        elements.push(json!({wanted.attribute.as_str(): wanted.value}));
    }
    for element in elements.iter_mut().filter(|element| meets(element)) {
        match (part, element.as_object_mut()) {
            ("", _) => *element = value.clone(),
            (part, Some(element)) => set(element, part, Some(value))?,
            _ => {}
        }
    }
    Ok(())
}

/// The name as the resource has it, where only case differs.
fn name_of(resource: &Resource, name: &str) -> Result<String, Refusal> {
    if READ_ONLY.iter().any(|read_only| read_only.eq_ignore_ascii_case(name)) {
        return Err(Refusal::bad("mutability", "The attribute is read-only."));
    }
    let known = resource.keys().find(|known| known.eq_ignore_ascii_case(name));
    Ok(known.cloned().unwrap_or_else(|| name.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn patched(resource: Value, operations: Value) -> Result<Value, Refusal> {
        let request = json!({"schemas": [SCHEMA], "Operations": operations});
        apply(resource.as_object().unwrap(), request.as_object().unwrap()).map(Value::Object)
    }

    #[test]
    fn paths_of_every_form() {
        let user =
            json!({"active": true, "name": {"familyName": "A"}, "emails": [{"type": "work", "value": "a@x.example"}]});
        let after = patched(
            user,
            json!([
                {"op": "Replace", "path": "ACTIVE", "value": false},
                {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", "value": "B"},
                {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@x.example"},
                {"op": "add", "value": {"displayName": "B", "locale": "en"}},
                {"op": "remove", "path": "locale"},
            ]),
        );
        let expected = json!({"active": false, "name": {"familyName": "B"}, "displayName": "B",
                              "emails": [{"type": "work", "value": "b@x.example"}]});
        assert_eq!(after.unwrap(), expected);
    }

    #[test]
    fn extensions_and_unassigned_attributes() {
        const CLIENT: &str = "urn:backoffice:params:scim:schemas:extension:2.0:Client";
        let user = json!({"schemas": [super::super::user::SCHEMA, CLIENT], "displayName": "A", "emails": [{"value": "a@x.example"}],
                          CLIENT: {"version": 1}});
        let whole = json!([{"op": "replace", "value": {CLIENT: {"version": 2}, "emails": [], "displayName": null}}]);
        let expected = json!({"schemas": [super::super::user::SCHEMA, CLIENT], CLIENT: {"version": 2}});
        assert_eq!(patched(user.clone(), whole).unwrap(), expected);
        let part = json!([{"op": "replace", "path": format!("{CLIENT}:version"), "value": 3}]);
        assert_eq!(patched(user, part).unwrap()[CLIENT]["version"], 3);
        let added = patched(json!({"schemas": []}), json!([{"op": "add", "value": {CLIENT: {"version": 1}}}])).unwrap();
        assert_eq!(added, json!({"schemas": [CLIENT], CLIENT: {"version": 1}}));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for operations in [
            json!([]),
            json!([{"op": "move", "path": "active", "value": true}]),
            json!([{"op": "remove"}]),
            json!([{"op": "replace", "path": "id", "value": "x"}]),
            json!([{"op": "replace", "path": "active.deep", "value": "x"}]),
            json!([{"op": "replace", "path": "active"}]),
        ] {
            assert!(patched(json!({"active": true}), operations.clone()).is_err(), "{operations}");
        }
    }
}
