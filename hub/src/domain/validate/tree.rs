//! JSON as it was sent, read without copying: a text is a part of what was sent wherever it has no escapes.
//!
//! Read more strictly than by default: a member that comes twice is refused, since readers disagree on which one counts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// What a refusal says of a member that comes twice in one object.
pub const DUPLICATE: &str = "duplicate member";

/// Members that are compared with each other one by one; more are put in order first.
const FEW: usize = 32;

/// A JSON value.
#[derive(Debug, Clone)]
pub enum Tree<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Tree<'a>>),
    /// An object.
    Object(Members<'a>),
}

/// The members of an object, as they were sent.
#[derive(Debug, Clone, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Tree<'a>)>);

impl<'a> Members<'a> {
    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tree<'a>> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    fn has_one_twice(&self) -> bool {
        let mut names: Vec<&str> = self.names().collect();
        names.sort_unstable();
        names.windows(2).any(|two| matches!(two, [one, other] if one == other))
    }
}

impl Tree<'_> {
    /// Whether it is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, where it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// `true` or `false`, where it is one of them.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The number, where it is a whole one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Number(number) = self { number.as_i64() } else { None }
    }

    /// The text of a member, where it is an object that has it.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<&str> {
        if let Self::Object(members) = self { members.get(member)?.as_str() } else { None }
    }
}

impl<'a> From<&'a Value> for Tree<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(Members(members.iter().map(|(name, value)| (name.into(), value.into())).collect()))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree<'de>, E> {
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Tree::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let mut object = Members::default();
        while let Some(Name(name)) = members.next_key()? {
            if object.0.len() < FEW && object.get(&name).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
            object.0.push((name, members.next_value()?));
        }
        if object.0.len() > FEW && object.has_one_twice() {
            return Err(A::Error::custom(DUPLICATE));
        }
        Ok(Tree::Object(object))
    }
}

/// The name of a member. `Cow` by itself is always read as a copy.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_escapes_is_copied() {
        let Tree::Object(Members(members)) = serde_json::from_str(r#"{"a": "b", "c\n": "d\t"}"#).unwrap() else {
            unreachable!("it is an object");
        };
        let [(plain, Tree::Text(text)), (escaped, Tree::Text(copied))] = members.as_slice() else {
            unreachable!("it has two texts");
        };
        assert!(matches!((plain, text), (Cow::Borrowed("a"), Cow::Borrowed("b"))));
        assert!(matches!((escaped, copied), (Cow::Owned(_), Cow::Owned(_))));
        assert_eq!((escaped.as_ref(), copied.as_ref()), ("c\n", "d\t"));
    }
}
