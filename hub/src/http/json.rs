//! Well-formed JSON, read more strictly than by default: a member that comes twice is refused, since readers
//! disagree on which one counts. Depth is bounded by `serde_json` (128), text has to be UTF-8.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::problem::{Code, Problem};

/// Reads a body.
///
/// # Errors
/// It is not well-formed: 400, with line and column.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::new(Code::MalformedJson, "the body is empty; a JSON object was expected"));
    }
    serde_json::from_slice::<Strict>(bytes).map(|strict| strict.0).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let what =
            WHAT.iter().find(|(said, _)| text.contains(said)).map_or("the body stops being JSON", |(_, what)| what);
        Problem::new(Code::MalformedJson, format!("{what}, at line {line}, column {column}"))
    })
}

const DUPLICATE: &str = "duplicate member";
/// What the parser says of text that is JSON by its grammar, and what is told.
const WHAT: [(&str, &str); 4] = [
    (DUPLICATE, "a member comes twice in one object"),
    ("number out of range", "a number is out of the range of a double (RFC 8259, section 6)"),
    ("recursion limit exceeded", "the body is nested more than 128 deep"),
    ("surrogate", "a text has half of a surrogate pair (RFC 8259, section 8.2)"),
];

/// A value whose objects have each member once.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Strict(value) = members.next_value()?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_not_well_formed() {
        let deep = ["[".repeat(1000), "]".repeat(1000)].concat();
        let bodies: [&[u8]; 9] = [
            b"",
            b" \n",
            b"{",
            b"{\"a\":1,}",
            b"{\"a\":1} x",
            b"{\"a\":1,\"a\":2}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\\ud800\"}",
            deep.as_bytes(),
        ];
        for body in bodies {
            assert_eq!(parse(body).unwrap_err().code(), Code::MalformedJson, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_member_twice_at_any_depth_is_refused() {
        assert!(parse(br#"{"a":{"b":[{"c":1,"c":1}]}}"#).is_err());
        assert!(parse(br#"{"a":{"b":1},"b":1}"#).is_ok());
    }

    proptest! {
        #[test]
        fn reads_what_the_ordinary_reader_reads(text in r#"[\[\]{}",:0-9a-z ]{0,40}"#) {
            if let Ok(value) = parse(text.as_bytes()) {
                prop_assert_eq!(Some(value), serde_json::from_str::<Value>(&text).ok());
            }
        }
    }
}
