//! Well-formed JSON: no member comes twice, depth is bounded by `serde_json` (128), text has to be UTF-8.

use super::problem::{Code, Problem};
use crate::domain::validate::tree::{DUPLICATE, Tree};

/// Reads a body.
///
/// # Errors
/// It is not well-formed: 400, with line and column.
pub fn parse(bytes: &[u8]) -> Result<Tree<'_>, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::new(Code::MalformedJson, "the body is empty; a JSON object was expected"));
    }
    // All of it at once is checked faster than text by text; where it is wrong, the parser says where.
    let read = std::str::from_utf8(bytes).map_or_else(|_| serde_json::from_slice(bytes), serde_json::from_str);
    read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let what =
            WHAT.iter().find(|(said, _)| text.contains(said)).map_or("the body stops being JSON", |(_, what)| what);
        Problem::new(Code::MalformedJson, format!("{what}, at line {line}, column {column}"))
    })
}

/// Reads a body that may be left out.
///
/// # Errors
/// As `parse`.
pub fn parse_optional(bytes: &[u8]) -> Result<Option<Tree<'_>>, Problem> {
    if bytes.is_empty() { Ok(None) } else { parse(bytes).map(Some) }
}

/// What the parser says of text that is JSON by its grammar, and what is told.
const WHAT: [(&str, &str); 4] = [
    (DUPLICATE, "a member comes twice in one object"),
    ("number out of range", "a number is out of the range of a double (RFC 8259, section 6)"),
    ("recursion limit exceeded", "the body is nested more than 128 deep"),
    ("surrogate", "a text has half of a surrogate pair (RFC 8259, section 8.2)"),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn value(tree: &Tree<'_>) -> Value {
        match tree {
            Tree::Null => Value::Null,
            Tree::Bool(flag) => Value::Bool(*flag),
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::Text(text) => Value::String(text.to_string()),
            Tree::Array(items) => items.iter().map(value).collect(),
            Tree::Object(members) => {
                let member = |name: &str| Some((name.to_owned(), value(members.get(name)?)));
                Value::Object(members.names().filter_map(member).collect())
            }
        }
    }

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
        let many = |last: usize| {
            let members: Vec<_> = (0..1000).chain([last]).map(|number| format!("\"m{number}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(parse(many(1000).as_bytes()).is_ok());
        assert!([0, 31, 32, 33, 999].into_iter().all(|twice| parse(many(twice).as_bytes()).is_err()));
    }

    proptest! {
        #[test]
        fn reads_what_the_ordinary_reader_reads(text in r#"[\[\]{}",:0-9a-zäλ \\]{0,40}"#) {
            if let Ok(tree) = parse(text.as_bytes()) {
                prop_assert_eq!(Some(value(&tree)), serde_json::from_str::<Value>(&text).ok());
            }
        }
    }
}
