//! What is different between two records, as JSON Pointers with both values.

use serde::Serialize;
use serde_json::Value;

use super::event::Change;

/// The members that differ, in the order of the pointers. Arrays count as one value; an absent member is null.
#[must_use]
pub fn between<T: Serialize>(before: &T, after: &T) -> Vec<Change> {
    let (before, after) = (json(before), json(after));
    let mut changes = Vec::new();
    collect("", &before, &after, &mut changes);
    changes
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn collect(pointer: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let empty = serde_json::Map::new();
    let both = members(before, &empty).zip(members(after, &empty));
    let Some((old, new)) = both.filter(|(old, new)| !old.is_empty() || !new.is_empty()) else {
        changes.push(Change { pointer: pointer.to_owned(), from: before.clone(), to: after.clone() });
        return;
    };
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let (from, to) = (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
        collect(&format!("{pointer}/{escaped}"), from, to, changes);
    }
}

/// The members of an object; null stands for an object without members, so that a new address shows member by member.
fn members<'a>(
    value: &'a Value,
    empty: &'a serde_json::Map<String, Value>,
) -> Option<&'a serde_json::Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        Value::Null => Some(empty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_each_member_that_differs_and_nothing_else() {
        let before = json!({"name": "A", "address": null, "tags": ["x"], "email": "a@b"});
        let after = json!({"name": "B", "address": {"city": "Ulm"}, "tags": ["x", "y"], "email": "a@b"});
        let pointers: Vec<String> = between(&before, &after).into_iter().map(|change| change.pointer).collect();
        assert_eq!(pointers, ["/address/city", "/name", "/tags"]);
    }

    #[test]
    fn a_scalar_that_appears_is_a_change_from_null() {
        let changes = between(&json!({"email": null}), &json!({"email": "a@b"}));
        assert_eq!(changes, [Change { pointer: "/email".into(), from: Value::Null, to: json!("a@b") }]);
    }
}
