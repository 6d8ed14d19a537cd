//! Mistakes in the configuration: each with the place where it was made, the key, and what was expected.

use std::fmt;

/// Who said a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The compiled-in defaults, or nobody.
    Default,
    /// A line of the file, from 1.
    Line(usize),
    /// A variable of the environment.
    Variable(String),
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was made.
    pub origin: Origin,
    /// The key, with dots; empty where the file itself is meant.
    pub key: String,
    /// What is wrong and what was expected. Never a text that was given for a value: it may be a secret.
    pub message: String,
}

/// All mistakes that were found. Nothing has been opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file's name as the operator gave it.
    pub file: String,
    /// At least one, in the order of the file, those of the environment last.
    pub mistakes: Vec<Mistake>,
}

impl ConfigError {
    /// `mistakes` of `file`, sorted.
    #[must_use]
    pub fn new(file: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| match &mistake.origin {
            Origin::Default => (0, 0),
            Origin::Line(line) => (1, *line),
            Origin::Variable(_) => (2, 0),
        });
        Self { file: file.to_owned(), mistakes }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, mistake) in self.mistakes.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            match &mistake.origin {
                Origin::Default => write!(f, "{}: ", self.file)?,
                Origin::Line(line) => write!(f, "{}:{line}: ", self.file)?,
                Origin::Variable(name) => write!(f, "{name}: ")?,
            }
            if !mistake.key.is_empty() {
                write!(f, "{}: ", mistake.key)?;
            }
            f.write_str(&mistake.message)?;
        }
        Ok(())
    }
}
