//! An expression over a row: whether it holds.
//!
//! Two readings of an attribute without a value: a caller's filter follows RFC 7644 (it differs from every value, and
//! compares with none); a policy does not decide on what is not there, so such a comparison is unknown, and stays so
//! under `not`.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::expression::{Expression, Operand, Operator, Text};
use super::fold::fold;

/// True, false, or unknown (`None`).
pub type Truth = Option<bool>;

/// What an attribute holds in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Missing,
    /// A text as callers wrote it; folded for each comparison.
    Text(&'a str),
    /// A text that [`fold`] has been applied to; much cheaper. Attributes in which every byte counts have none.
    Folded(&'a str),
    /// True or false.
    Bool(bool),
    /// A moment.
    Instant(DateTime<Utc>),
    /// A date: its midnight in UTC.
    Date(NaiveDate),
}

/// A row that expressions are evaluated over.
pub trait Attributes<A> {
    /// The value of an attribute that has at most one.
    fn get(&self, attribute: A) -> Value<'_>;

    /// Hands each value of an attribute that may have several to `test` until it says true; whether it did.
    fn any(&self, attribute: A, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool;

    /// Hands each element of a complex attribute to `test` until it says true; whether it did.
    fn any_element(&self, attribute: A, test: &mut dyn FnMut(&dyn Attributes<A>) -> bool) -> bool;

    /// Whether anything can be said of the attribute: where the row itself is missing, not even that it has no value.
    fn is_known(&self, _attribute: A) -> bool {
        true
    }

    /// Whether exactly `text` is among the values of an attribute that may have several, for rows that can tell without
    /// looking at each; `None` where they can't.
    fn has(&self, _attribute: A, _text: &str) -> Option<bool> {
        None
    }
}

impl<A: Copy> Expression<A> {
    /// Whether it holds as a caller's filter.
    pub fn matches(&self, row: &dyn Attributes<A>) -> bool {
        self.evaluate(row, false) == Some(true)
    }

    /// Whether it holds as a policy's condition; unknown where that rests on an attribute without a value.
    pub fn decide(&self, row: &dyn Attributes<A>) -> Truth {
        self.evaluate(row, true)
    }

    fn evaluate(&self, row: &dyn Attributes<A>, strict: bool) -> Truth {
        if strict && self.attribute().is_some_and(|attribute| !row.is_known(attribute)) {
            return None;
        }
        match self {
            Self::And(parts) => until(parts, false, |part| part.evaluate(row, strict)),
            Self::Or(parts) => until(parts, true, |part| part.evaluate(row, strict)),
            Self::Not(inner) => inner.evaluate(row, strict).map(|truth| !truth),
            Self::Present { attribute, many: false } => Some(present(row.get(*attribute))),
            Self::Present { attribute, many: true } => Some(row.any(*attribute, &mut present)),
            Self::Element { of, filter } => {
                Some(row.any_element(*of, &mut |element| filter.evaluate(element, strict) == Some(true)))
            }
            Self::Compare { attribute, many, exact, operator, operand } => {
                let against = Against { operator: *operator, exact: *exact, strict };
                against.evaluate(row, (*attribute, *many), operand)
            }
        }
    }
}

impl<A: Copy> Expression<A> {
    /// The attribute that is tested here, and not in a part of it.
    const fn attribute(&self) -> Option<A> {
        match self {
            Self::And(_) | Self::Or(_) | Self::Not(_) => None,
            Self::Present { attribute, .. } | Self::Compare { attribute, .. } | Self::Element { of: attribute, .. } => {
                Some(*attribute)
            }
        }
    }
}

/// `decisive` as soon as one part is that; unknown where none is and one is unknown.
fn until<A>(parts: &[Expression<A>], decisive: bool, evaluate: impl Fn(&Expression<A>) -> Truth) -> Truth {
    let mut all = Some(!decisive);
    for part in parts {
        match evaluate(part) {
            Some(truth) if truth == decisive => return Some(decisive),
            Some(_) => {}
            None => all = None,
        }
    }
    all
}

/// RFC 7644, table 3: neither missing nor empty.
fn present(value: Value<'_>) -> bool {
    !matches!(value, Value::Missing | Value::Text("") | Value::Folded(""))
}

/// How a comparison compares.
#[derive(Clone, Copy)]
struct Against {
    operator: Operator,
    exact: bool,
    strict: bool,
}

impl Against {
    fn evaluate<A: Copy>(self, row: &dyn Attributes<A>, (attribute, many): (A, bool), operand: &Operand<A>) -> Truth {
        if let Operand::Null = operand {
            let known = if many { row.any(attribute, &mut present) } else { present(row.get(attribute)) };
            return Some(known == (self.operator == Operator::NotEqual));
        }
        if let Operand::Variable(other) = operand {
            let (Value::Text(text) | Value::Folded(text)) = row.get(*other) else { return None };
            let operand: Operand<A> = Operand::Text(Text::new(text));
            return self.evaluate(row, (attribute, many), &operand);
        }
        if !many {
            return self.compare(row.get(attribute), operand);
        }
        if let (true, Operator::Equal, Operand::Text(text)) = (self.exact, self.operator, operand)
            && let Some(known) = row.has(attribute, &text.raw)
        {
            return Some(known);
        }
        let mut none = true;
        let fits = row.any(attribute, &mut |value| {
            none = false;
            self.compare(value, operand) == Some(true)
        });
        // An empty list differs from every value.
        Some(fits || (none && self.operator == Operator::NotEqual))
    }

    fn compare<A>(self, value: Value<'_>, operand: &Operand<A>) -> Truth {
        match (value, operand) {
            (Value::Missing, _) if self.strict => None,
            (Value::Missing, _) => Some(self.operator == Operator::NotEqual),
            (Value::Text(text), Operand::Text(literal)) => Some(self.text(text, literal)),
            (Value::Folded(text), Operand::Text(literal)) => Some(self.texts(text, &literal.folded)),
            (Value::Bool(value), Operand::Bool(literal)) => Some(self.ordered(value.cmp(literal))),
            (Value::Instant(value), Operand::Instant(literal)) => Some(self.ordered(value.cmp(literal))),
            (Value::Date(value), Operand::Instant(literal)) => {
                Some(self.ordered(value.and_time(NaiveTime::MIN).and_utc().cmp(literal)))
            }
            // The parser has checked the types; a row that offers another one holds nothing comparable.
            _ => self.compare::<A>(Value::Missing, operand),
        }
    }

    fn text(self, text: &str, literal: &Text) -> bool {
        if self.exact {
            return self.texts(text, &literal.raw);
        }
        if self.operator.is_equality() && text.is_ascii() {
            let equal = text.eq_ignore_ascii_case(&literal.folded);
            return equal == (self.operator == Operator::Equal);
        }
        self.texts(&fold(text), &literal.folded)
    }

    fn texts(self, text: &str, literal: &str) -> bool {
        match self.operator {
            Operator::Contains => text.contains(literal),
            Operator::StartsWith => text.starts_with(literal),
            Operator::EndsWith => text.ends_with(literal),
            Operator::Equal => text == literal,
            Operator::NotEqual => text != literal,
            _ => self.ordered(text.cmp(literal)),
        }
    }

    const fn ordered(self, ordering: Ordering) -> bool {
        match self.operator {
            Operator::Equal => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
            Operator::Greater => ordering.is_gt(),
            Operator::GreaterOrEqual => ordering.is_ge(),
            Operator::Less => ordering.is_lt(),
            Operator::LessOrEqual => ordering.is_le(),
            Operator::Contains | Operator::StartsWith | Operator::EndsWith => false,
        }
    }
}
