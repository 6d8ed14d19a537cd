//! `hub import`: clients from a file, line by line, into whatever takes them.
//!
//! Memory is bounded whatever the file's size: one line is read at a time, and a bounded number is on the way. Each line
//! has a claim made of its content, so that an import that was interrupted can be run again. A line that is refused is
//! reported and the rest goes on. How a client is created is the `Sink`'s to know.

mod columns;
mod command;
mod csv_lines;
mod into_journal;
mod json_lines;
mod over_http;
mod record;
mod run;
mod sink;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

pub use command::run as command;
pub use run::{Import, ImportError, Summary, run};
pub use sink::{Created, Sink, SinkError};

use super::{ConfigArgs, JsonArgs, org, word};
use crate::domain::client::Status;

/// What the command takes.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file: CSV with a header of dotted field names, or JSON Lines.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The organisation that the clients are to belong to.
    #[arg(long, value_name = "ORG", value_parser = org)]
    pub org: String,
    /// The member in whose name it is done.
    #[arg(long, value_name = "MEMBER", value_parser = word)]
    pub member: String,
    /// Take over a portfolio that has been onboarded elsewhere: the clients are active at once. Left out, they are
    /// pending and go through onboarding. Only into a stopped hub.
    #[arg(long, value_name = "STATUS", requires = "no_onboarding")]
    pub status: Option<ImportStatus>,
    /// Neither screening nor a welcome message.
    #[arg(long, requires = "status")]
    pub no_onboarding: bool,
    /// The form of the file, where its name does not say it.
    #[arg(long, value_name = "FORM")]
    pub format: Option<Format>,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

impl ImportArgs {
    /// The status that the clients are to have.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self.status {
            Some(ImportStatus::Active) => Status::Active,
            None => Status::Pending,
        }
    }
}

/// What an imported client may be at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportStatus {
    /// It has been onboarded elsewhere.
    Active,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Comma-separated values (RFC 4180) with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// What the file's name says.
    #[must_use]
    pub fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
