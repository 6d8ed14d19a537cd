//! The import itself: read, check, create, report.

use std::fs::File;
use std::future::Future;
use std::io::{self, BufReader, Write};
use std::time::Duration;

use chrono::NaiveDate;
use futures::{StreamExt, stream};
use indicatif::ProgressBar;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::csv_lines::CsvLines;
use super::json_lines::JsonLines;
use super::record::Record;
use super::sink::{Created, Sink, SinkError};
use super::{Format, ImportArgs};
use crate::cli::output::{Exit, Output};
use crate::domain::validate::{FieldError, Mode, Tree, draft};

/// Lines on the way to the sink at one time: enough to fill the journal's groups.
const ON_THE_WAY: usize = 64;
/// How long a line that is on its way may take when the import is to stop.
const PATIENCE: Duration = Duration::from_secs(3);

/// The import did not reach the end of the file. It can be run again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file can't be read, or not be read on.
    #[error("{file}: {source}")]
    File {
        /// As the operator gave it.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The file's name does not say what is in it.
    #[error("{0}: is it CSV or JSON Lines? Say --format csv or --format jsonl")]
    Format(String),
    /// The hub does not take clients.
    #[error("stopped at line {line}: {reason}; run it again to go on")]
    Stopped {
        /// The first line that was not taken.
        line: u64,
        /// Why.
        reason: String,
    },
    /// Ctrl-C.
    #[error("interrupted; run it again to go on")]
    Interrupted,
    /// The report can't be written.
    #[error("the report can't be written: {0}")]
    Report(io::Error),
}

/// What became of the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Clients that were created.
    pub created: u64,
    /// Lines that an earlier run had taken.
    pub already_there: u64,
    /// Lines that were refused.
    pub refused: u64,
}

impl Summary {
    /// Failed where a line was refused.
    #[must_use]
    pub const fn exit(self) -> Exit {
        if self.refused == 0 { Exit::Done } else { Exit::Failed }
    }
}

/// What an import needs beside its lines and its sink.
pub struct Import<'a, W> {
    /// What the operator asked for.
    pub args: &'a ImportArgs,
    /// The day, for dates that must be in the past.
    pub today: NaiveDate,
    /// How far it is, in bytes of the file.
    pub bar: &'a ProgressBar,
    /// Where refused lines and the summary are told.
    pub output: Output<W>,
    /// Cancelled, no more lines are begun.
    pub stop: CancellationToken,
}

/// Why a line is no client.
enum Refusal {
    Fields(Vec<FieldError>),
    Other(String),
}

/// A line that is done with.
struct Line {
    number: u64,
    offset: u64,
    outcome: Result<Created, Failure>,
}

enum Failure {
    Refused(Refusal),
    Stopped(String),
}

/// Imports the file into `sink`, and reports every refused line in the order of the file and what became of all.
///
/// # Errors
/// It did not reach the end. What was created until then stays, and another run goes on there.
pub async fn run<S: Sink, W: Write>(import: &mut Import<'_, W>, sink: &S) -> Result<Summary, ImportError> {
    let name = import.args.file.display().to_string();
    let fail = |source| ImportError::File { file: name.clone(), source };
    let format = import.args.format.or_else(|| Format::of(&import.args.file));
    let format = format.ok_or_else(|| ImportError::Format(name.clone()))?;
    let file = File::open(&import.args.file).map_err(fail)?;
    import.bar.set_length(file.metadata().map_err(fail)?.len());
    let records: Box<dyn Iterator<Item = io::Result<Record>>> = match format {
        Format::Csv => Box::new(CsvLines::new(file).map_err(fail)?),
        Format::Jsonl => Box::new(JsonLines::new(BufReader::new(file))),
    };
    let mut summary = Summary::default();
    let ended = lines(import, sink, records, &mut summary).await;
    import.bar.finish_and_clear();
    tell_summary(import, summary).map_err(ImportError::Report)?;
    ended.map(|()| summary)
}

async fn lines<S: Sink, W: Write>(
    import: &mut Import<'_, W>,
    sink: &S,
    records: impl Iterator<Item = io::Result<Record>>,
    summary: &mut Summary,
) -> Result<(), ImportError> {
    let (org, today, stop) = (import.args.org.as_str(), import.today, import.stop.clone());
    let work = records.take_while(|_| !stop.is_cancelled()).map(|record| async move {
        match record {
            Ok(record) => Ok(take(record, sink, org, today).await),
            Err(error) => Err(error),
        }
    });
    let mut done = std::pin::pin!(stream::iter(work).buffered(ON_THE_WAY));
    while let Some(line) = before_patience_ends(&stop, done.next()).await? {
        let file = || import.args.file.display().to_string();
        let line = line.map_err(|source| ImportError::File { file: file(), source })?;
        match line.outcome {
            Ok(Created::New(_)) => summary.created += 1,
            Ok(Created::AlreadyThere) => summary.already_there += 1,
            Err(Failure::Stopped(reason)) => return Err(ImportError::Stopped { line: line.number, reason }),
            Err(Failure::Refused(refusal)) => {
                summary.refused += 1;
                tell_refusal(import, line.number, &refusal).map_err(ImportError::Report)?;
            }
        }
        import.bar.set_position(line.offset);
    }
    if stop.is_cancelled() { Err(ImportError::Interrupted) } else { Ok(()) }
}

/// What is on its way comes to its end after an interruption too, but a hub that takes nothing is not waited for.
async fn before_patience_ends<T>(stop: &CancellationToken, next: impl Future<Output = T>) -> Result<T, ImportError> {
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        next = next => Ok(next),
        () = patience => Err(ImportError::Interrupted),
    }
}

async fn take<S: Sink>(record: Record, sink: &S, org: &str, today: NaiveDate) -> Line {
    let (number, offset) = (record.line, record.offset);
    let claim = format!("import/{org}/{}", record.digest);
    let read = record.content.map_err(Refusal::Other);
    let read = read.and_then(|json| draft(&Tree::from(&json), today, Mode::Create).map_err(Refusal::Fields));
    let outcome = match read {
        Err(refusal) => Err(Failure::Refused(refusal)),
        Ok(draft) => sink.create(draft, number, claim).await.map_err(|error| match error {
            SinkError::Refused(reason) => Failure::Refused(Refusal::Other(reason)),
            SinkError::Stopped(reason) => Failure::Stopped(reason),
        }),
    };
    Line { number, offset, outcome }
}

fn tell_refusal<W: Write>(import: &mut Import<'_, W>, line: u64, refusal: &Refusal) -> io::Result<()> {
    let (text, json) = match refusal {
        Refusal::Other(reason) => (format!("line {line}: {reason}"), json!({"line": line, "reason": reason})),
        Refusal::Fields(errors) => {
            let each = errors.iter().map(|error| match error.pointer.as_str() {
                // The line as a whole.
                "" => format!("line {line}: {}", error.detail),
                pointer => format!("line {line}: {pointer}: {}", error.detail),
            });
            (each.collect::<Vec<_>>().join("\n"), json!({"line": line, "errors": errors}))
        }
    };
    let (bar, output) = (import.bar, &mut import.output);
    bar.suspend(|| output.say(&text, &json))
}

fn tell_summary<W: Write>(import: &mut Import<'_, W>, summary: Summary) -> io::Result<()> {
    let Summary { created, already_there, refused } = summary;
    let text = format!("{created} created, {already_there} already there, {refused} refused");
    import.output.say(&text, &json!({"created": created, "alreadyThere": already_there, "refused": refused}))
}
