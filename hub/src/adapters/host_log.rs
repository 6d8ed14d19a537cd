//! `log.write`: an adapter's lines in the hub's own log, cut to size, counted, and free of secrets and control
//! characters, so that one line stays one line.

use super::bindings::log::{Host, Level};
use super::guest::Guest;

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
        let message = tidy(&self.grants.egress.scrub(message));
        match level {
            Level::Debug => tracing::debug!(message, "adapter log"),
            Level::Info => tracing::info!(message, "adapter log"),
            Level::Warn => tracing::warn!(message, "adapter log"),
            Level::Error => tracing::error!(message, "adapter log"),
        }
        Ok(())
    }
}

/// Cut to size, with control characters escaped.
fn tidy(message: &str) -> String {
    let cut = message.floor_char_boundary(MAX_LINE_BYTES);
    let mut line = String::with_capacity(cut);
    for char in message.get(..cut).unwrap_or_default().chars() {
        if char.is_control() {
            line.extend(char.escape_default());
        } else {
            line.push(char);
        }
    }
    if cut < message.len() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_short_line() {
        assert_eq!(tidy("a\nb\u{1b}[31mc"), "a\\nb\\u{1b}[31mc");
        let long = tidy(&"ü".repeat(MAX_LINE_BYTES));
        assert!(long.len() <= MAX_LINE_BYTES + '…'.len_utf8());
        assert!(long.ends_with('…'));
    }
}
