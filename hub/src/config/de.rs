//! Reads any serde type out of the tree, with errors that know where they were made.
//!
//! The types need no spans of their own: an error takes the key and the origin of the innermost value around it.

use std::fmt::{self, Display};

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::error::Origin;
use super::tree::{Node, Tree};

/// What went wrong while a value was read.
#[derive(Debug)]
pub struct Fault {
    /// The keys on the way to it, from the outside.
    pub path: Vec<String>,
    /// Who said it; `None` until a value around it is known.
    pub origin: Option<Origin>,
    /// What was expected.
    pub message: String,
    /// The key that is missing at `path`, where that is the fault.
    pub missing: Option<&'static str>,
}

impl Fault {
    fn says(message: String) -> Self {
        Self { path: Vec::new(), origin: None, message, missing: None }
    }

    fn within(mut self, key: &str, origin: &Origin) -> Self {
        self.path.insert(0, key.to_owned());
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::says(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::says(format!("expected {}, found {}", plain(&expected.to_string()), kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            Unexpected::Signed(number) => number.to_string(),
            Unexpected::Unsigned(number) => number.to_string(),
            other => kind(other).to_owned(),
        };
        Self::says(format!("expected {}, found {found}", plain(&expected.to_string())))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::says(format!("`{variant}` is not known; accepted: {}", expected.join(", ")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::says(format!("there is no such key; accepted: {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(field), ..Self::says(format!("`{field}` is missing")) }
    }
}

/// What a value is, without the value.
fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Signed(_) | Unexpected::Unsigned(_) => "a whole number",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Str(_) | Unexpected::Char(_) => "text",
        Unexpected::Seq => "an array",
        Unexpected::Map => "a table",
        _ => "something else",
    }
}

/// serde's words for types, in an operator's.
fn plain(expected: &str) -> String {
    let numbers = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize"];
    match expected {
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "a table".to_owned(),
        "a string" | "path string" | "socket address" => "text".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        word if numbers.contains(&word) => "a whole number, not negative".to_owned(),
        word if word.starts_with("a nonzero ") => "a whole number above zero".to_owned(),
        word if word.starts_with("struct ") => "a table".to_owned(),
        word if word.contains("enum ") => "one of its words".to_owned(),
        word => word.to_owned(),
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Tree::Text(text) => visitor.visit_str(text),
            Tree::Integer(number) => visitor.visit_i64(*number),
            Tree::Float(number) => visitor.visit_f64(*number),
            Tree::Flag(flag) => visitor.visit_bool(*flag),
            Tree::List(items) => visitor.visit_seq(Items { items: items.iter(), place: 0 }),
            Tree::Table(members) => visitor.visit_map(Members { members: members.iter(), value: None }),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match (&self.value, &self.raw) {
            (Tree::Integer(_) | Tree::Float(_) | Tree::Flag(_), Some(raw)) => visitor.visit_str(raw),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.value {
            Tree::Text(text) => visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(text.as_str())),
            Tree::Table(members) => {
                let entries = members.iter().map(|(name, node)| (name.as_str(), node));
                MapDeserializer::new(entries).deserialize_enum(name, variants, visitor)
            }
            _ => Err(Fault::says(format!("expected one of {}", variants.join(", ")))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Fault> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Node>,
    place: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(node) = self.items.next() else { return Ok(None) };
        let place = self.place.to_string();
        self.place += 1;
        seed.deserialize(node).map(Some).map_err(|fault| fault.within(&place, &node.origin))
    }
}

struct Members<'de> {
    members: std::collections::btree_map::Iter<'de, String, Node>,
    value: Option<(&'de str, &'de Node)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, node)) = self.members.next() else { return Ok(None) };
        self.value = Some((name, node));
        let key: StrDeserializer<'_, Fault> = name.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|fault| fault.within(name, &node.origin))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((name, node)) = self.value.take() else { return Err(Fault::says("a value without a key".into())) };
        seed.deserialize(node).map_err(|fault| fault.within(name, &node.origin))
    }
}
