//! Tokens as a checked expression, by recursive descent that cannot go deeper than the limit.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::expression::{Expression, Operand, Operator, Text};
use super::lexer::{Lexer, Token, at};
use super::schema::{Dialect, Known, Schema, Type};
use super::{FilterError, MAX_LENGTH, MAX_NESTING};

/// Reads a filter over the attributes of `schema`.
///
/// # Errors
/// The text is too long, too deep, does not follow the grammar, names an unknown attribute or compares one with a value
/// of another type.
pub fn parse<S: Schema>(text: &str, schema: &mut S) -> Result<Expression<S::Attribute>, FilterError> {
    if text.len() > MAX_LENGTH {
        let length = text.len();
        return Err(at(MAX_LENGTH, format!("expected at most {MAX_LENGTH} bytes, found {length}")));
    }
    let mut parser = Parser::new(text, schema)?;
    let expression = parser.any_of()?;
    match parser.token {
        Token::End => Ok(expression),
        _ => Err(parser.expected("`and`, `or` or the end")),
    }
}

struct Parser<'a, S> {
    lexer: Lexer<'a>,
    schema: &'a mut S,
    /// The token that is looked at, and where it begins.
    token: Token<'a>,
    position: usize,
    depth: usize,
    /// The path in front of `[`, and whether it has elements.
    within: Option<(String, bool)>,
}

type Parsed<A> = Result<Expression<A>, FilterError>;

impl<'a, S: Schema> Parser<'a, S> {
    fn new(text: &'a str, schema: &'a mut S) -> Result<Self, FilterError> {
        let mut lexer = Lexer::new(text);
        let (token, position) = lexer.next()?;
        Ok(Self { lexer, schema, token, position, depth: 0, within: None })
    }

    /// Moves on; the token that was looked at and its place.
    fn advance(&mut self) -> Result<(Token<'a>, usize), FilterError> {
        let (token, position) = self.lexer.next()?;
        Ok((std::mem::replace(&mut self.token, token), std::mem::replace(&mut self.position, position)))
    }

    fn expected(&self, what: &str) -> FilterError {
        at(self.position, format!("expected {what}, found {}", self.found()))
    }

    /// What was found, for an error. A policy is no secret to its author; what a caller searches for stays out of answers.
    fn found(&self) -> String {
        match self.schema.dialect() {
            Dialect::Policy => self.token.found(),
            Dialect::Api => self.token.kind(),
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.token, Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn expect(&mut self, token: &Token<'_>) -> Result<(), FilterError> {
        if self.token != *token {
            return Err(self.expected(&token.found()));
        }
        self.advance().map(drop)
    }

    fn any_of(&mut self) -> Parsed<S::Attribute> {
        let mut parts = vec![self.all_of()?];
        while self.is_word("or") {
            self.advance()?;
            parts.push(self.all_of()?);
        }
        Ok(single(parts, Expression::Or))
    }

    fn all_of(&mut self) -> Parsed<S::Attribute> {
        let mut parts = vec![self.term()?];
        while self.is_word("and") {
            self.advance()?;
            parts.push(self.term()?);
        }
        Ok(single(parts, Expression::And))
    }

    fn term(&mut self) -> Parsed<S::Attribute> {
        if self.is_word("not") {
            self.advance()?;
            return self.nested(&Token::Open, &Token::Close).map(|inner| Expression::Not(Box::new(inner)));
        }
        match self.token {
            Token::Open => self.nested(&Token::Open, &Token::Close),
            Token::Word(path) => self.attribute(path),
            _ => Err(self.expected("an attribute, `not` or `(`")),
        }
    }

    /// What stands between two brackets, one level deeper.
    fn nested(&mut self, open: &Token<'_>, close: &Token<'_>) -> Parsed<S::Attribute> {
        if self.depth == MAX_NESTING && self.token == *open {
            return Err(at(self.position, format!("expected at most {MAX_NESTING} levels of nesting")));
        }
        self.expect(open)?;
        self.depth += 1;
        let inner = self.any_of()?;
        self.depth -= 1;
        self.expect(close)?;
        Ok(inner)
    }

    fn attribute(&mut self, path: &'a str) -> Parsed<S::Attribute> {
        let known = self.resolve(path)?;
        self.advance()?;
        if self.token == Token::OpenBracket {
            return self.elements(path, known);
        }
        if self.is_word("pr") {
            self.advance()?;
            return Ok(self.present(known));
        }
        let operator = self.operator(known)?;
        let operand = self.operand(known, operator)?;
        let Known { attribute, of, many } = known;
        let member = many && operator == Operator::Contains && self.schema.dialect() == Dialect::Policy;
        let operator = if member { Operator::Equal } else { operator };
        Ok(Expression::Compare { attribute, many, exact: of == Type::Exact, operator, operand })
    }

    fn resolve(&mut self, path: &str) -> Result<Known<S::Attribute>, FilterError> {
        let whole = self.within.as_ref().map(|(list, _)| format!("{list}.{path}"));
        let Some(mut known) = self.schema.resolve(whole.as_deref().unwrap_or(path)) else {
            let accepted = self.schema.accepted();
            let place = self.within.as_ref().map_or_else(String::new, |(list, _)| format!(" in `{list}[…]`"));
            let what = match self.schema.dialect() {
                Dialect::Policy => format!("unknown attribute {}", self.token.found()),
                Dialect::Api => "unknown attribute".to_owned(),
            };
            return Err(at(self.position, format!("{what}{place}; expected one of {accepted}")));
        };
        // Within an element there is one value for each attribute.
        known.many &= !self.within.as_ref().is_some_and(|(_, elements)| *elements);
        Ok(known)
    }

    /// `attrPath "[" valFilter "]"`; for a complex attribute that is no list it only saves repeating the path.
    fn elements(&mut self, path: &str, known: Known<S::Attribute>) -> Parsed<S::Attribute> {
        if self.within.is_some() {
            return Err(at(self.position, "expected no `[` within `[…]`: value paths do not nest (RFC 7644)"));
        }
        if known.of != Type::Complex {
            return Err(at(self.position, format!("`{path}` has no attributes of its own; expected an operator")));
        }
        self.within = Some((path.to_owned(), known.many));
        let inner = self.nested(&Token::OpenBracket, &Token::CloseBracket)?;
        self.within = None;
        if !known.many {
            return Ok(inner);
        }
        Ok(Expression::Element { of: known.attribute, filter: Box::new(inner) })
    }

    /// A complex attribute is present where one below it is.
    fn present(&self, known: Known<S::Attribute>) -> Expression<S::Attribute> {
        let present = |known: Known<_>| Expression::Present { attribute: known.attribute, many: known.many };
        if known.of != Type::Complex {
            return present(known);
        }
        single(self.schema.below(known.attribute).into_iter().map(present).collect(), Expression::Or)
    }

    fn operator(&mut self, known: Known<S::Attribute>) -> Result<Operator, FilterError> {
        let found = match self.token {
            Token::Word(word) => operator(word),
            _ => None,
        };
        let accepted = match known.of {
            Type::Text | Type::Exact => "eq, ne, co, sw, ew, gt, ge, lt, le or pr",
            Type::Instant => "eq, ne, gt, ge, lt, le or pr, which a date can be compared by",
            Type::Bool => "eq, ne or pr, which true and false can be compared by",
            Type::Complex => "pr or `[`, since the attribute has attributes of its own",
        };
        let fits = |operator: Operator| match known.of {
            Type::Text | Type::Exact => true,
            Type::Instant => !operator.is_partial(),
            Type::Bool => operator.is_equality(),
            Type::Complex => false,
        };
        let operator = found.filter(|operator| fits(*operator)).ok_or_else(|| self.expected(accepted))?;
        self.advance()?;
        Ok(operator)
    }

    fn operand(
        &mut self,
        known: Known<S::Attribute>,
        operator: Operator,
    ) -> Result<Operand<S::Attribute>, FilterError> {
        let policy = self.schema.dialect() == Dialect::Policy;
        let textual = matches!(known.of, Type::Text | Type::Exact);
        let operand = match &self.token {
            Token::Word("null") if operator.is_equality() => Operand::Null,
            Token::Word("null") => return Err(self.expected("a value: only eq and ne go with null")),
            Token::Word("true") if known.of == Type::Bool => Operand::Bool(true),
            Token::Word("false") if known.of == Type::Bool => Operand::Bool(false),
            Token::Text(text) if textual => Operand::Text(Text::new(text)),
            Token::Text(text) if known.of == Type::Instant => {
                Operand::Instant(instant(text).ok_or_else(|| self.wanted(known.of, policy))?)
            }
            Token::Word(word) if policy && textual && !matches!(*word, "true" | "false") => {
                Operand::Text(Text::new(word))
            }
            Token::Variable(name) if policy && textual => {
                Operand::Variable(self.schema.variable(name).ok_or_else(|| self.expected("`{client}`"))?)
            }
            _ => return Err(self.wanted(known.of, policy)),
        };
        self.advance()?;
        Ok(operand)
    }

    fn wanted(&self, of: Type, policy: bool) -> FilterError {
        self.expected(match of {
            Type::Bool => "true, false or null",
            Type::Instant => "a date such as \"2026-01-31\" or \"2026-01-31T12:00:00Z\" in double quotes, or null",
            _ if policy => "a word, a string in double quotes, `{client}` or null",
            _ => "a string in double quotes or null",
        })
    }
}

fn single<A>(mut parts: Vec<Expression<A>>, join: fn(Vec<Expression<A>>) -> Expression<A>) -> Expression<A> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn operator(word: &str) -> Option<Operator> {
    use Operator as O;
    let all = [
        ("eq", O::Equal),
        ("ne", O::NotEqual),
        ("co", O::Contains),
        // As the specification's own policies write it.
        ("contain", O::Contains),
        ("sw", O::StartsWith),
        ("ew", O::EndsWith),
        ("gt", O::Greater),
        ("ge", O::GreaterOrEqual),
        ("lt", O::Less),
        ("le", O::LessOrEqual),
    ];
    all.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, operator)| operator)
}

/// A date-time with its offset, or a date as its midnight in UTC.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let moment = DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
    moment.or_else(|| {
        let date = (text.len() == "2026-01-31".len()).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
        date.flatten().map(|date| date.and_time(NaiveTime::MIN).and_utc())
    })
}
