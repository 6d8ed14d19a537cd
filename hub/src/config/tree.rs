//! The configuration before it has types: a tree of values in which each knows who said it.
//!
//! Defaults, file and environment are laid over each other here, so that whatever reads the tree later can name the
//! line or the variable of a mistake.

use std::collections::BTreeMap;

use toml_edit::{Document, Item, TableLike, Value};

use super::error::{Mistake, Origin};

/// A value and who said it.
#[derive(Debug, Clone)]
pub struct Node {
    /// For a member of a table the line of its key, else its own.
    pub origin: Origin,
    /// The value.
    pub value: Tree,
    /// The text of the variable that it was read from: where text is expected, `2024` is text too.
    pub raw: Option<String>,
}

/// What TOML can say.
#[derive(Debug, Clone)]
pub enum Tree {
    /// A string, or a date or time as written.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Flag(bool),
    /// An array.
    List(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Node>),
}

impl Node {
    /// An empty table.
    #[must_use]
    pub const fn table(origin: Origin) -> Self {
        Self { origin, value: Tree::Table(BTreeMap::new()), raw: None }
    }

    /// Reads a file; `lines` turns off for the defaults, whose lines mean nothing to an operator.
    ///
    /// # Errors
    /// It is not TOML.
    pub fn parse(text: &str, lines: bool) -> Result<Self, Mistake> {
        let line = |at: Option<usize>| match at {
            Some(at) if lines => Origin::Line(1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()),
            _ => Origin::Default,
        };
        let document = Document::parse(text).map_err(|error| Mistake {
            origin: line(error.span().map(|span| span.start)),
            key: String::new(),
            message: format!("not TOML: {}", error.message().replace('\n', ", ")),
        })?;
        Ok(Self { origin: Origin::Default, value: table(document.as_table(), &line), raw: None })
    }

    /// The value of a variable: TOML where it is TOML, else text.
    #[must_use]
    pub fn from_variable(name: &str, text: &str) -> Self {
        let origin = || Origin::Variable(name.to_owned());
        let value = text
            .trim()
            .parse::<Value>()
            .map_or_else(|_| Tree::Text(text.to_owned()), |parsed| tree(&Item::Value(parsed), &|_| origin()));
        Self { origin: origin(), value, raw: Some(text.to_owned()) }
    }

    /// Lays `over` over this: tables are merged, anything else is replaced.
    pub fn merge(&mut self, over: Self) {
        self.origin = over.origin;
        self.raw = over.raw;
        match (&mut self.value, over.value) {
            (Tree::Table(members), Tree::Table(others)) => {
                for (name, other) in others {
                    match members.get_mut(&name) {
                        Some(member) => member.merge(other),
                        None => drop(members.insert(name, other)),
                    }
                }
            }
            (value, other) => *value = other,
        }
    }

    /// The member `name` of a table.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Tree::Table(members) => members.get(name),
            _ => None,
        }
    }

    /// Takes out what stands at `path`; false where nothing does.
    pub fn remove(&mut self, path: &[String]) -> bool {
        match (&mut self.value, path) {
            (Tree::Table(members), [last]) => members.remove(last).is_some(),
            (Tree::Table(members), [first, rest @ ..]) => members.get_mut(first).is_some_and(|node| node.remove(rest)),
            _ => false,
        }
    }

    /// Who said what stands at `path`, or the nearest table around it.
    #[must_use]
    pub fn origin_of(&self, path: &[String]) -> Origin {
        match path {
            [first, rest @ ..] => self.get(first).map_or_else(|| self.origin.clone(), |node| node.origin_of(rest)),
            [] => self.origin.clone(),
        }
    }
}

fn table(table: &dyn TableLike, line: &impl Fn(Option<usize>) -> Origin) -> Tree {
    let member = |(name, item): (&str, &Item)| {
        let key = table.get_key_value(name).and_then(|(key, _)| key.span()).or_else(|| item.span());
        let node = Node { origin: line(key.map(|span| span.start)), value: tree(item, line), raw: None };
        (name.to_owned(), node)
    };
    Tree::Table(table.iter().map(member).collect())
}

fn tree(item: &Item, line: &impl Fn(Option<usize>) -> Origin) -> Tree {
    let node = |span: Option<std::ops::Range<usize>>, value| Node {
        origin: line(span.map(|span| span.start)),
        value,
        raw: None,
    };
    match item {
        Item::None => Tree::Table(BTreeMap::new()),
        Item::Table(members) => table(members, line),
        Item::ArrayOfTables(all) => Tree::List(all.iter().map(|one| node(one.span(), table(one, line))).collect()),
        Item::Value(Value::InlineTable(members)) => table(members, line),
        Item::Value(Value::Array(all)) => {
            Tree::List(all.iter().map(|one| node(one.span(), tree(&Item::Value(one.clone()), line))).collect())
        }
        Item::Value(Value::String(text)) => Tree::Text(text.value().clone()),
        Item::Value(Value::Integer(number)) => Tree::Integer(*number.value()),
        Item::Value(Value::Float(number)) => Tree::Float(*number.value()),
        Item::Value(Value::Boolean(flag)) => Tree::Flag(*flag.value()),
        Item::Value(Value::Datetime(moment)) => Tree::Text(moment.value().to_string()),
    }
}
