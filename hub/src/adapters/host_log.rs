//! `log.write`: an adapter's lines in the hub's own log, cut to size, counted, and free of secrets and control
//! characters, so that one line stays one line.

use super::bindings::log::{Host, Level};
use super::guest::Guest;
use super::text::one_line;

/// The most lines of one call.
const MAX_LINES: u32 = 100;
/// The longest line, in bytes.
const MAX_LINE_BYTES: usize = 2 * 1024;

impl Host for Guest {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.log_lines += 1;
        if self.log_lines == MAX_LINES + 1 {
            tracing::warn!(limit = MAX_LINES, "adapter log lines dropped");
        }
        if self.log_lines > MAX_LINES {
            return Ok(());
        }
        let text = one_line(&self.grants.egress.scrub(message), MAX_LINE_BYTES);
        match level {
            Level::Debug => tracing::debug!(text, "adapter log"),
            Level::Info => tracing::info!(text, "adapter log"),
            Level::Warn => tracing::warn!(text, "adapter log"),
            Level::Error => tracing::error!(text, "adapter log"),
        }
        Ok(())
    }
}
