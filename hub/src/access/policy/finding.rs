//! What is wrong with a policy: where, what, and what would be right.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong with the files of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, relative to the folder.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// The character of that line, from 1; 0 where the line as a whole is meant.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub expected: String,
}

impl Finding {
    /// A finding at a place.
    pub(super) fn at(file: &str, (line, column): (usize, usize), message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, column, message: message.into(), expected: String::new() }
    }

    /// A finding about a whole file.
    pub(super) fn of(file: &str, message: impl Into<String>) -> Self {
        Self::at(file, (0, 0), message)
    }

    /// With what would be right.
    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.file)?;
        for place in [self.line, self.column].into_iter().take_while(|place| *place > 0) {
            write!(out, ":{place}")?;
        }
        write!(out, ": {}", self.message)?;
        if self.expected.is_empty() { Ok(()) } else { write!(out, "; expected {}", self.expected) }
    }
}
