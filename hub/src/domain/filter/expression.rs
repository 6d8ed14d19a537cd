//! A filter as a tree, and the tree as text.

use std::fmt::{self, Display, Formatter, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};

use super::fold::fold;

/// What an attribute is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl Operator {
    /// As it stands in the grammar.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }

    /// Whether it asks for a part of a text.
    pub(super) const fn is_partial(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }

    /// Whether it asks for equality or its opposite.
    pub(super) const fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// A literal text, as written and as compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// As written.
    pub(super) raw: Box<str>,
    /// As compared.
    pub(super) folded: Box<str>,
}

impl Text {
    /// A text, folded once.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        Self { raw: raw.into(), folded: fold(raw).into() }
    }

    /// As written.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand<A> {
    /// `null`: no value.
    Null,
    /// A string.
    Text(Text),
    /// `true` or `false`.
    Bool(bool),
    /// A moment; a plain date is its midnight in UTC.
    Instant(DateTime<Utc>),
    /// What another attribute holds at that time; policies only.
    Variable(A),
}

/// A checked filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression<A> {
    /// All of them.
    And(Vec<Self>),
    /// At least one of them.
    Or(Vec<Self>),
    /// Not that.
    Not(Box<Self>),
    /// `pr`: the attribute has a value that is not empty.
    Present {
        /// The attribute.
        attribute: A,
        /// Whether it has several values.
        many: bool,
    },
    /// A comparison.
    Compare {
        /// The attribute.
        attribute: A,
        /// Whether it has several values: one that fits is enough.
        many: bool,
        /// Whether case and composition count.
        exact: bool,
        /// How.
        operator: Operator,
        /// With what.
        operand: Operand<A>,
    },
    /// `contacts[…]`: one element of a list for which all of the filter holds.
    Element {
        /// The list.
        of: A,
        /// What must hold for the element.
        filter: Box<Self>,
    },
}

/// An attribute that can be written down.
pub trait Named: Copy + PartialEq {
    /// Writes its path, such as `address.country`.
    ///
    /// # Errors
    /// The formatter's own.
    fn write(self, out: &mut dyn fmt::Write) -> fmt::Result;
}

impl<A: Copy> Expression<A> {
    /// Whether an attribute for which `which` is true is named anywhere.
    pub fn mentions(&self, which: &dyn Fn(A) -> bool) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.mentions(which)),
            Self::Not(inner) => inner.mentions(which),
            Self::Present { attribute, .. } => which(*attribute),
            Self::Compare { attribute, operand, .. } => {
                which(*attribute) || matches!(operand, Operand::Variable(other) if which(*other))
            }
            Self::Element { of, filter } => which(*of) || filter.mentions(which),
        }
    }
}

impl<A: Named> Display for Expression<A> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.print(out, None)
    }
}

impl<A: Named> Expression<A> {
    /// `within`: the list whose element the expression speaks of.
    fn print(&self, out: &mut Formatter<'_>, within: Option<A>) -> fmt::Result {
        match self {
            Self::And(parts) => Self::join(parts, " and ", (out, within)),
            Self::Or(parts) => Self::join(parts, " or ", (out, within)),
            Self::Not(inner) => {
                out.write_str("not (")?;
                inner.print(out, within)?;
                out.write_char(')')
            }
            Self::Present { attribute, .. } => {
                path(*attribute, within, out)?;
                out.write_str(" pr")
            }
            Self::Compare { attribute, operator, operand, .. } => {
                path(*attribute, within, out)?;
                write!(out, " {} ", operator.as_str())?;
                operand.print(out)
            }
            Self::Element { of, filter } => {
                path(*of, within, out)?;
                out.write_char('[')?;
                filter.print(out, Some(*of))?;
                out.write_char(']')
            }
        }
    }

    fn join(parts: &[Self], with: &str, (out, within): (&mut Formatter<'_>, Option<A>)) -> fmt::Result {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.write_str(with)?;
            }
            if matches!(part, Self::And(_) | Self::Or(_)) {
                out.write_char('(')?;
                part.print(out, within)?;
                out.write_char(')')?;
            } else {
                part.print(out, within)?;
            }
        }
        Ok(())
    }
}

/// Within an element the path is relative to its list.
fn path<A: Named>(attribute: A, within: Option<A>, out: &mut Formatter<'_>) -> fmt::Result {
    let (mut whole, mut list) = (String::new(), String::new());
    attribute.write(&mut whole)?;
    if let Some(within) = within {
        within.write(&mut list)?;
    }
    let relative = whole.strip_prefix(&list).map_or(whole.as_str(), |rest| rest.trim_start_matches('.'));
    out.write_str(relative)
}

impl<A: Named> Operand<A> {
    fn print(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Text(text) => out.write_str(&serde_json::Value::from(&*text.raw).to_string()),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Instant(at) => write!(out, "\"{}\"", at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Variable(attribute) => {
                out.write_char('{')?;
                attribute.write(out)?;
                out.write_char('}')
            }
        }
    }
}
