//! The filter language: the grammar of RFC 7644, section 3.4.2.2, whole, over a client's searchable attributes.
//!
//! A text becomes a checked expression once and is then evaluated over many rows. This module knows no store and no
//! row: whoever has rows implements [`Attributes`]. Policies speak the same language over other attributes
//! (`access::policy`), so lexer, parser and evaluator are generic over a [`Schema`].
//!
//! Invariants: no text, however long or deep, panics or recurses beyond [`MAX_NESTING`]; every error's position lies
//! within the text; parsing the canonical text gives the same expression again.

mod client;
mod evaluate;
mod expression;
mod fold;
mod lexer;
mod parser;
mod schema;
#[cfg(test)]
mod tests;

pub use evaluate::{Attributes, Truth, Value};
pub use expression::{Expression, Named, Operand, Operator, Text};
pub use fold::fold;
pub use parser::parse;
pub use schema::{Attribute, Dialect, Known, Schema, Type};

use schema::ClientSchema;

/// The longest filter, in bytes.
pub const MAX_LENGTH: usize = 4096;

/// How deep parentheses and brackets may nest.
pub const MAX_NESTING: usize = 32;

/// Why a text is not a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {position}: {message}")]
pub struct FilterError {
    /// The byte of the text where it went wrong; never beyond its end.
    pub position: usize,
    /// What was expected there, and what was found.
    pub message: String,
}

/// A filter over clients, checked and ready to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Expression<Attribute>);

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// The text is too long, too deep, does not follow the grammar, names an unknown attribute or compares one with a
    /// value of another type.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse(text, &mut ClientSchema).map(Self)
    }

    /// Whether `row` is among what the filter describes.
    pub fn matches(&self, row: &dyn Attributes<Attribute>) -> bool {
        self.0.matches(row)
    }

    /// Whether the filter names `attribute`: archived clients are left out unless it names the status.
    #[must_use]
    pub fn mentions(&self, attribute: Attribute) -> bool {
        self.0.mentions(&|named| named == attribute)
    }

    /// The filter in one fixed spelling, the same for every way of writing it that differs in spaces and case only.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_string()
    }
}
