//! JSON Lines: one object a line; blank lines are skipped.

use std::io::{self, BufRead};

use super::record::{LONGEST_LINE, Record, digest};

/// The lines of a file.
pub struct JsonLines<R> {
    input: R,
    line: u64,
    offset: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> JsonLines<R> {
    /// The lines of `input`.
    pub const fn new(input: R) -> Self {
        Self { input, line: 0, offset: 0, buffer: Vec::new() }
    }

    /// Reads a line into the buffer; what is longer than possible is read and dropped. `None` at the end.
    fn fill(&mut self) -> io::Result<Option<bool>> {
        self.buffer.clear();
        let mut fits = true;
        loop {
            let block = self.input.fill_buf()?;
            if block.is_empty() {
                let any = !self.buffer.is_empty() || !fits;
                return Ok(any.then_some(fits));
            }
            let end = block.iter().position(|byte| *byte == b'\n');
            let (part, used) = match end {
                Some(end) => (block.get(..end).unwrap_or_default(), end + 1),
                None => (block, block.len()),
            };
            fits &= (self.buffer.len() + part.len()) as u64 <= LONGEST_LINE;
            if fits {
                self.buffer.extend_from_slice(part);
            }
            self.input.consume(used);
            self.offset += used as u64;
            if end.is_some() {
                return Ok(Some(fits));
            }
        }
    }
}

impl<R: BufRead> Iterator for JsonLines<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let fits = match self.fill() {
                Ok(fits) => fits?,
                Err(error) => return Some(Err(error)),
            };
            self.line += 1;
            let bytes = self.buffer.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.buffer).trim_ascii();
            if fits && bytes.is_empty() {
                continue;
            }
            let content = if fits {
                serde_json::from_slice(bytes).map_err(|error| format!("not JSON, column {}", error.column()))
            } else {
                Err(format!("longer than {LONGEST_LINE} bytes"))
            };
            return Some(Ok(Record { line: self.line, offset: self.offset, digest: digest(bytes), content }));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn read(text: &[u8]) -> Vec<Record> {
        JsonLines::new(BufReader::with_capacity(7, text)).collect::<io::Result<_>>().unwrap()
    }

    #[test]
    fn lines_are_numbered_as_an_editor_does() {
        let records = read(b"\xef\xbb\xbf{\"a\":1}\r\n\n{\"b\":\n{}");
        let lines: Vec<(u64, bool)> = records.iter().map(|record| (record.line, record.content.is_ok())).collect();
        assert_eq!(lines, [(1, true), (3, false), (4, true)]);
        assert_eq!(records.last().unwrap().offset, 21);
        assert_eq!(records[0].digest, digest(b"{\"a\":1}"));
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let mut text = vec![b'x'; 3 * 1024 * 1024];
        text.extend_from_slice(b"\n{}\n");
        let mut lines = JsonLines::new(BufReader::new(text.as_slice()));
        assert!(lines.next().unwrap().unwrap().content.unwrap_err().starts_with("longer than"));
        assert!(lines.next().unwrap().unwrap().content.is_ok());
        assert!(lines.buffer.capacity() <= 2 * 1024 * 1024);
    }
}
