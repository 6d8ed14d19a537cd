//! A reader for the members of a JSON object that collects what is wrong instead of stopping at it.
//!
//! A reader is opened with the names that it knows, so that no unknown member can be forgotten. `null` counts as left
//! out. A member that is wrong reads as `None` with its error kept; whoever builds a value asks at the end whether
//! there were errors.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use super::tree::{Members, Tree};

/// More errors than this in one document are not kept: nobody reads them, and an answer must stay small.
pub const MOST_ERRORS: usize = 200;

/// One thing that is wrong with a document (an item of `errors` in RFC 9457's own example).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: a JSON Pointer (RFC 6901); empty for the document itself.
    pub pointer: String,
    /// What, for programs: `required`, `unknown-field`, `wrong-type`, …
    #[schema(value_type = String)]
    pub code: &'static str,
    /// What, for people, with what would be right. Never the value that was sent.
    pub detail: String,
}

/// What is wrong with one value, before it is known where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// As in `FieldError`.
    pub code: &'static str,
    /// As in `FieldError`.
    pub detail: String,
}

impl Flaw {
    /// A flaw with its code and its explanation.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// Where a value stands: made into a pointer only where something is wrong.
#[derive(Debug, Clone, Copy)]
enum Place<'p> {
    Document,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, &'p str, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
        match self {
            Self::Document => Ok(()),
            Self::Member(object, name) => write!(f, "{object}/{}", escaped(name)),
            Self::Item(object, name, item) => write!(f, "{object}/{}/{item}", escaped(name)),
        }
    }
}

/// The members of one object.
pub struct Fields<'a, 'e> {
    place: Place<'e>,
    members: Option<&'a Members<'a>>,
    errors: &'e mut Vec<FieldError>,
}

impl<'a, 'e> Fields<'a, 'e> {
    /// Opens a document, an object that may have the members `known` and no other.
    pub fn open(value: &'a Tree<'a>, known: &[&str], errors: &'e mut Vec<FieldError>) -> Self {
        Self::at(Place::Document, value, known, errors)
    }

    fn at(place: Place<'e>, value: &'a Tree<'a>, known: &[&str], errors: &'e mut Vec<FieldError>) -> Self {
        let members = if let Tree::Object(members) = value { Some(members) } else { None };
        let mut fields = Self { place, members, errors };
        match members {
            Some(members) => fields.refuse_unknown(members, known),
            None => fields.refuse_at(place, wrong_type("an object", value)),
        }
        fields
    }

    fn refuse_unknown(&mut self, members: &Members<'_>, known: &[&str]) {
        for name in members.names().filter(|name| !known.contains(name)) {
            let detail = format!("there is no such field; accepted: {}", known.join(", "));
            self.refuse(name, Flaw::new("unknown-field", detail));
        }
    }

    /// Whether the member is there and not null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Notes that `name` is wrong.
    pub fn refuse(&mut self, name: &str, flaw: Flaw) {
        let object = self.place;
        self.refuse_at(Place::Member(&object, name), flaw);
    }

    /// A text that may be left out.
    pub fn optional<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Flaw>) -> Option<T> {
        let value = self.value(name)?;
        self.parsed((name, None), value, &parse)
    }

    /// A text that must be there.
    pub fn required<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Flaw>) -> Option<T> {
        self.present(name).and_then(|value| self.parsed((name, None), value, &parse))
    }

    /// `true` or `false`, which may be left out.
    pub fn optional_flag(&mut self, name: &str) -> Option<bool> {
        let value = self.value(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.refuse(name, wrong_type("true or false", value));
        }
        flag
    }

    /// `true` or `false`, which must be there.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.present(name)?;
        self.optional_flag(name)
    }

    /// A whole number within bounds, which may be left out.
    pub fn optional_whole(&mut self, name: &str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(name)?;
        let number = value.as_i64().filter(|number| bounds.contains(number));
        if number.is_none() {
            let detail = format!("expected a whole number from {} to {}", bounds.start(), bounds.end());
            self.refuse(name, Flaw::new("out-of-range", detail));
        }
        number
    }

    /// A list of texts; left out it is empty.
    pub fn texts<T>(&mut self, name: &str, most: usize, parse: impl Fn(&str) -> Result<T, Flaw>) -> Vec<T> {
        let mut read = Vec::new();
        for (place, item) in self.items(name, most).iter().enumerate() {
            read.extend(self.parsed((name, Some(place)), item, &parse));
        }
        read
    }

    /// A list of objects; left out it is empty.
    pub fn objects<T>(
        &mut self,
        name: &str,
        most: usize,
        known: &[&str],
        read: impl Fn(&mut Fields<'_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for (place, item) in self.items(name, most).iter().enumerate() {
            let object = self.place;
            all.extend(self.child(item, Place::Item(&object, name, place), known, &read));
        }
        all
    }

    /// An object that may be left out.
    pub fn object<T>(
        &mut self,
        name: &str,
        known: &[&str],
        read: impl Fn(&mut Fields<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        let (value, object) = (self.value(name)?, self.place);
        self.child(value, Place::Member(&object, name), known, &read)
    }

    /// An object that must be there; where it is not, its own required members are what is missing.
    pub fn required_object<T>(
        &mut self,
        name: &str,
        known: &[&str],
        read: impl Fn(&mut Fields<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        if self.has(name) {
            return self.object(name, known, read);
        }
        let object = self.place;
        self.child(&Tree::Object(Members::default()), Place::Member(&object, name), known, &read)
    }

    fn child<T>(
        &mut self,
        value: &Tree<'_>,
        place: Place<'_>,
        known: &[&str],
        read: &impl Fn(&mut Fields<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        let mut child = Fields::at(place, value, known, self.errors);
        child.members?;
        read(&mut child)
    }

    fn items(&mut self, name: &str, most: usize) -> &'a [Tree<'a>] {
        let Some(value) = self.value(name) else { return &[] };
        match value {
            Tree::Array(items) if items.len() > most => {
                self.refuse(name, Flaw::new("too-many", format!("{} items, and {most} are possible", items.len())));
            }
            Tree::Array(items) => return items,
            other => self.refuse(name, wrong_type("an array", other)),
        }
        &[]
    }

    fn parsed<T>(
        &mut self,
        (name, place): (&str, Option<usize>),
        value: &Tree<'_>,
        parse: &impl Fn(&str) -> Result<T, Flaw>,
    ) -> Option<T> {
        let outcome = value.as_str().ok_or_else(|| wrong_type("a string", value)).and_then(parse);
        let object = self.place;
        let at = place.map_or(Place::Member(&object, name), |place| Place::Item(&object, name, place));
        outcome.map_err(|flaw| self.refuse_at(at, flaw)).ok()
    }

    /// The member, with an error where it is missing. Where the object itself is missing that has been said already.
    fn present(&mut self, name: &str) -> Option<&'a Tree<'a>> {
        let value = self.value(name);
        if value.is_none() && self.members.is_some() {
            self.refuse(name, Flaw::new("required", "this field is required"));
        }
        value
    }

    fn value(&self, name: &str) -> Option<&'a Tree<'a>> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    fn refuse_at(&mut self, place: Place<'_>, flaw: Flaw) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(FieldError { pointer: place.to_string(), code: flaw.code, detail: flaw.detail });
        }
    }
}

fn wrong_type(expected: &str, found: &Tree<'_>) -> Flaw {
    let found = match found {
        Tree::Null => "null",
        Tree::Bool(_) => "true or false",
        Tree::Number(_) => "a number",
        Tree::Text(_) => "a string",
        Tree::Array(_) => "an array",
        Tree::Object(_) => "an object",
    };
    Flaw::new("wrong-type", format!("expected {expected}, found {found}"))
}
