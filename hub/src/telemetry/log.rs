//! Log lines to stderr: JSON for machines, or text for people.
//!
//! A line is handed to one writer thread through a bounded queue, so that a slow terminal or a full pipe never holds up
//! a request: where the queue is full the line is dropped and counted (`hub_log_lines_dropped_total`). What is logged
//! is said by `HUB_LOG`, else `RUST_LOG`, in tracing's filter syntax (`info,hub::sync=debug`).

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use thiserror::Error;
use tracing::Subscriber;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use super::json::{Lines, SpanFields};

/// What is logged where nobody says otherwise.
const DEFAULT_FILTER: &str = "info";
/// Lines that may wait for the writer.
const MOST_WAITING_LINES: usize = 8192;
/// Lines that are written at once, in bytes.
const WRITTEN_TOGETHER: usize = 64 << 10;
/// How long lines gather: a line is seen at most so much later.
const REST: Duration = Duration::from_millis(5);

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What to log, and how.
#[derive(Debug)]
pub struct LogOptions {
    filter: EnvFilter,
    format: LogFormat,
}

/// Logging could not be set up.
#[derive(Debug, Error)]
pub enum LogError {
    /// The filter is malformed.
    #[error(
        "{variable}: not a log filter: {reason}; expected a level (error, warn, info, debug, trace) or directives such as info,hub::sync=debug"
    )]
    Filter {
        /// The variable that holds it.
        variable: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// The format is unknown.
    #[error("HUB_LOG_FORMAT: no such format; accepted: json, text")]
    Format,
    /// There is a subscriber already.
    #[error("logging has been set up already")]
    Twice,
}

/// Writes what waits when it is dropped: keep it until the process ends.
#[derive(Debug)]
pub struct LogGuard {
    _worker: WorkerGuard,
    dropped: ErrorCounter,
}

impl LogGuard {
    /// The counter of lines that found the queue full, for `Metrics::new`.
    #[must_use]
    pub fn dropped(&self) -> ErrorCounter {
        self.dropped.clone()
    }
}

impl LogOptions {
    /// Reads `HUB_LOG`, `RUST_LOG` and `HUB_LOG_FORMAT` from `env`; without the last, people's text on a terminal, else JSON.
    ///
    /// # Errors
    /// A filter or a format that can't be read: nothing falls back silently.
    pub fn from_env(env: &BTreeMap<String, String>, terminal: bool) -> Result<Self, LogError> {
        let chosen = ["HUB_LOG", "RUST_LOG"].into_iter().find_map(|name| env.get(name).map(|value| (name, value)));
        let (variable, directives) = chosen.map_or(("HUB_LOG", DEFAULT_FILTER), |(name, value)| (name, value.as_str()));
        let filter =
            EnvFilter::try_new(directives).map_err(|error| LogError::Filter { variable, reason: error.to_string() })?;
        let format = match env.get("HUB_LOG_FORMAT").map(String::as_str) {
            Some("json") => LogFormat::Json,
            Some("text") => LogFormat::Text,
            Some(_) => return Err(LogError::Format),
            None if terminal => LogFormat::Text,
            None => LogFormat::Json,
        };
        Ok(Self { filter, format })
    }
}

/// Sends the lines of the whole process to stderr from now on.
///
/// # Errors
/// `Twice`.
pub fn init(options: LogOptions) -> Result<LogGuard, LogError> {
    let (writer, worker) = queue(std::io::stderr());
    let dropped = writer.error_counter();
    let installed = tracing::subscriber::set_global_default(subscriber(options, writer));
    installed.map(|()| LogGuard { _worker: worker, dropped }).map_err(|_| LogError::Twice)
}

fn queue(out: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    let builder = NonBlockingBuilder::default().buffered_lines_limit(MOST_WAITING_LINES).lossy(true);
    // The writer empties the queue, then flushes: many lines become one write while there are many.
    builder.thread_name("log").finish(Gathered(BufWriter::with_capacity(WRITTEN_TOGETHER, out)))
}

/// Rests after it has written, so that under load a request does not wake the writer for every line.
struct Gathered<W: Write>(BufWriter<W>);

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        std::thread::sleep(REST);
        Ok(())
    }
}

fn subscriber(options: LogOptions, writer: NonBlocking) -> Box<dyn Subscriber + Send + Sync> {
    let builder = tracing_subscriber::fmt().with_env_filter(options.filter).with_writer(writer);
    match options.format {
        LogFormat::Json => Box::new(builder.fmt_fields(SpanFields).event_format(Lines).finish()),
        LogFormat::Text => Box::new(builder.with_ansi(false).finish()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn logged(options: LogOptions) -> String {
        let kept = Kept::default();
        let (writer, worker) = queue(kept.clone());
        tracing::subscriber::with_default(subscriber(options, writer), || {
            let span = tracing::info_span!("request", trace_id = "4bf9", later = tracing::field::Empty);
            span.record("later", 7);
            let _outside = span.enter();
            let _inside = tracing::info_span!("call").entered();
            tracing::info!(action = "CL002", status = 200, "answered");
            tracing::debug!("too fine");
        });
        drop(worker);
        let bytes = kept.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_has_fields_and_spans() {
        let lines = logged(LogOptions::from_env(&env(&[]), false).unwrap());
        let line: serde_json::Value = serde_json::from_str(lines.trim()).unwrap();
        assert_eq!(line.get("action").unwrap(), "CL002");
        let request = serde_json::json!({"name": "request", "trace_id": "4bf9", "later": 7});
        assert_eq!(*line.get("spans").unwrap(), serde_json::json!([request, {"name": "call"}]));
    }

    #[test]
    fn text_and_filter_are_chosen_by_the_environment() {
        let chosen = env(&[("HUB_LOG", "debug"), ("RUST_LOG", "off"), ("HUB_LOG_FORMAT", "text")]);
        let lines = logged(LogOptions::from_env(&chosen, false).unwrap());
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.contains("action=\"CL002\""));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let filter = LogOptions::from_env(&env(&[("RUST_LOG", "hub=loud")]), true).unwrap_err().to_string();
        assert!(filter.starts_with("RUST_LOG: "), "{filter}");
        let format = LogOptions::from_env(&env(&[("HUB_LOG_FORMAT", "xml")]), true).unwrap_err();
        assert!(matches!(format, LogError::Format));
    }
}
