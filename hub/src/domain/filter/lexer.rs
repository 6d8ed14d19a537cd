//! A filter's text as tokens, each with the byte at which it begins.

use std::str::Chars;

use super::FilterError;

const EXPECTED_STRING: &str = "expected a JSON string: control characters and lone surrogates are not allowed, \
    escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX";

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, an operator or a literal without quotes.
    Word(&'a str),
    /// A JSON string.
    Text(String),
    /// A JSON number.
    Number(&'a str),
    /// `{name}`
    Variable(&'a str),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// The end of the text.
    End,
}

impl Token<'_> {
    /// As `found`, where what was written may be personal data: its kind, not its text.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Word(_) => "a word".to_owned(),
            Self::Number(_) => "a number".to_owned(),
            Self::Variable(_) => "a name in braces".to_owned(),
            other => other.found(),
        }
    }

    /// The token, for "found …" in an error; long ones are shortened.
    pub(super) fn found(&self) -> String {
        match self {
            Self::Word(word) | Self::Number(word) => {
                let shown: String = word.chars().take(40).collect();
                format!("`{shown}`")
            }
            Self::Text(_) => "a string".to_owned(),
            Self::Variable(name) => format!("`{{{name}}}`"),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::OpenBracket => "`[`".to_owned(),
            Self::CloseBracket => "`]`".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Cuts a text into tokens.
pub(super) struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    /// The next token and where it begins.
    pub(super) fn next(&mut self) -> Result<(Token<'a>, usize), FilterError> {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let start = self.position;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((Token::End, start)) };
        let token = match first {
            '(' => self.symbol(Token::Open),
            ')' => self.symbol(Token::Close),
            '[' => self.symbol(Token::OpenBracket),
            ']' => self.symbol(Token::CloseBracket),
            '"' => Token::Text(self.string()?),
            '{' => Token::Variable(self.variable()?),
            '-' | '0'..='9' => Token::Number(self.number()?),
            'a'..='z' | 'A'..='Z' => Token::Word(self.take(word)),
            other => {
                let other = other.escape_default();
                return Err(at(start, format!("unexpected `{other}`; strings are written in double quotes")));
            }
        };
        Ok((token, start))
    }

    fn symbol(&mut self, token: Token<'a>) -> Token<'a> {
        self.position += 1;
        token
    }

    /// Takes the characters for which `belongs` is true.
    fn take(&mut self, belongs: fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.position += length;
        rest.get(..length).unwrap_or("")
    }

    fn number(&mut self) -> Result<&'a str, FilterError> {
        let start = self.position;
        let number = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | ':'));
        match serde_json::from_str::<serde_json::Number>(number) {
            Ok(_) => Ok(number),
            Err(_) => Err(at(start, "expected a JSON number; dates and other texts are written in double quotes")),
        }
    }

    fn variable(&mut self) -> Result<&'a str, FilterError> {
        let start = self.position;
        self.position += 1;
        let name = self.take(word);
        if self.rest().starts_with('}') {
            self.position += 1;
            return Ok(name);
        }
        Err(at(start, "expected a name in braces, as in `{client}`"))
    }

    /// A JSON string, escapes and all.
    fn string(&mut self) -> Result<String, FilterError> {
        let start = self.position;
        let length = closed(self.rest().chars())
            .ok_or_else(|| at(start, "a string that begins here is not closed; expected `\"`"))?;
        let quoted = self.rest().get(..length).unwrap_or("");
        self.position += length;
        serde_json::from_str(quoted).map_err(|error| {
            // serde_json counts columns anew after a line break, which is itself what it refuses.
            let column = error.column().saturating_sub(1).min(length.saturating_sub(1));
            let inside = if error.line() > 1 { quoted.find('\n').unwrap_or(0) } else { column };
            let position = floor_boundary(self.text, start + inside);
            at(position, EXPECTED_STRING)
        })
    }
}

/// The length of the string at the beginning, quotes included.
fn closed(chars: Chars<'_>) -> Option<usize> {
    let (mut length, mut escaped) = (0, false);
    for (index, c) in chars.enumerate() {
        length += c.len_utf8();
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if index > 0 => return Some(length),
            _ => {}
        }
    }
    None
}

const fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '$')
}

/// The nearest character boundary at or before `position`.
fn floor_boundary(text: &str, position: usize) -> usize {
    (0..=position.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0)
}

/// An error at a byte.
pub(super) fn at(position: usize, message: impl Into<String>) -> FilterError {
    FilterError { position, message: message.into() }
}
