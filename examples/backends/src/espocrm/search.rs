//! Search parameters of a list: `where[0][type]=equals&where[0][attribute]=…&where[0][value]=…`, `orderBy`, `order`,
//! `offset`, `maxSize`, `select`.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::call::Call;

use super::Refusal;

const DEFAULT_SIZE: usize = 20;
const MAX_SIZE: usize = 200;
const MAX_CONDITIONS: usize = 16;

/// One condition of a `where`.
#[derive(Debug, Default)]
struct Condition {
    kind: String,
    attribute: String,
    values: Vec<String>,
}

impl Condition {
    fn holds(&self, attributes: &Map<String, Value>) -> bool {
        let text = match attributes.get(&self.attribute) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let among = self.values.contains(&text);
        match self.kind.as_str() {
            "equals" | "in" => among,
            "notEquals" | "notIn" => !among,
            "isTrue" => text == "true",
            "isFalse" => text != "true",
            "isNull" => text.is_empty(),
            _ => !text.is_empty(),
        }
    }
}

const KINDS: [&str; 8] = ["equals", "in", "notEquals", "notIn", "isTrue", "isFalse", "isNull", "isNotNull"];

/// What a list is asked for.
#[derive(Debug)]
pub(super) struct Search {
    conditions: Vec<Condition>,
    order_by: Option<String>,
    descending: bool,
    offset: usize,
    size: usize,
    select: Option<Vec<String>>,
}

impl Search {
    pub fn read(call: &Call) -> Result<Self, Refusal> {
        let size = call.number("maxSize", DEFAULT_SIZE);
        if size > MAX_SIZE {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "Max size should should not exceed 200. Use offset and limit.",
            ));
        }
        let mut conditions: Vec<Condition> = Vec::new();
        for (name, value) in &call.query {
            let Some((at, part)) = place(name) else {
                continue;
            };
            if at >= MAX_CONDITIONS {
                return Err(Refusal::new(StatusCode::BAD_REQUEST, "Too many where items."));
            }
            if conditions.len() <= at {
                conditions.resize_with(at + 1, Condition::default);
            }
            let Some(condition) = conditions.get_mut(at) else {
                continue;
            };
            match part {
                "type" => condition.kind.clone_from(value),
                "attribute" | "field" => condition.attribute.clone_from(value),
                _ => condition.values.push(value.clone()),
            }
        }
        if let Some(unknown) = conditions.iter().find(|condition| !KINDS.contains(&condition.kind.as_str())) {
            let reason = format!("Not supported where type '{}'.", unknown.kind);
            return Err(Refusal::new(StatusCode::BAD_REQUEST, &reason));
        }
        Ok(Search {
            conditions,
            order_by: call.param("orderBy").map(str::to_owned),
            descending: call.param("order").is_some_and(|order| order.eq_ignore_ascii_case("desc")),
            offset: call.number("offset", 0),
            size,
            select: call.param("select").map(|select| select.split(',').map(str::to_owned).collect()),
        })
    }

    /// The attributes and values that have to be equal, for an index.
    pub fn equals(&self) -> impl Iterator<Item = (&str, &str)> {
        let equals = self.conditions.iter().filter(|condition| condition.kind == "equals");
        equals.filter_map(|condition| Some((condition.attribute.as_str(), condition.values.first()?.as_str())))
    }

    /// The page of those that meet every condition, as a list answers it.
    pub fn page(&self, records: impl Iterator<Item = Map<String, Value>>) -> Value {
        let mut found: Vec<Map<String, Value>> =
            records.filter(|record| self.conditions.iter().all(|condition| condition.holds(record))).collect();
        if let Some(by) = &self.order_by {
            found.sort_by_key(|record| record.get(by).map(Value::to_string));
            if self.descending {
                found.reverse();
            }
        }
        let total = found.len();
        let page = found.into_iter().skip(self.offset).take(self.size);
        json!({"total": total, "list": page.map(|record| self.selected(record)).collect::<Vec<_>>()})
    }

    fn selected(&self, mut record: Map<String, Value>) -> Value {
        if let Some(select) = &self.select {
            record.retain(|name, _| name == "id" || select.contains(name));
        }
        Value::Object(record)
    }
}

/// The number and the part of `where[0][type]`, also under its alias `whereGroup`.
fn place(name: &str) -> Option<(usize, &str)> {
    let rest = name.strip_prefix("whereGroup[").or_else(|| name.strip_prefix("where["))?;
    let (number, rest) = rest.split_once("][")?;
    let part = rest.split(']').next()?;
    Some((number.parse().ok()?, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_items_are_taken_apart() {
        assert_eq!(place("where[0][type]"), Some((0, "type")));
        assert_eq!(place("whereGroup[2][value][]"), Some((2, "value")));
        assert_eq!(place("maxSize"), None);
        assert_eq!(place("where[x][type]"), None);
    }
}
