//! CSV (RFC 4180) with a header. A quote that is never closed would make the rest of the file one record: reading stops
//! where a record is longer than a line may be.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

use csv::{ReaderBuilder, StringRecord};

use super::columns::Columns;
use super::record::{LONGEST_LINE, Record, digest};

/// The records of a file.
pub struct CsvLines<R> {
    input: csv::Reader<Budget<R>>,
    columns: Columns,
    row: StringRecord,
    left: Rc<Cell<u64>>,
    ends: Rc<RefCell<VecDeque<u64>>>,
    /// Line ends before the record at hand.
    passed: u64,
}

/// What is read on its way to the parser, whose own count of lines takes a CRLF for the end of one line and the
/// beginning of the next, and blank lines for part of the record behind them.
struct Budget<R> {
    input: R,
    /// Bytes that may still be read for the record at hand.
    left: Rc<Cell<u64>>,
    read: u64,
    /// Where the line ends are that the parser has not passed.
    ends: Rc<RefCell<VecDeque<u64>>>,
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a record is longer than {LONGEST_LINE} bytes: is a quote not closed?"),
            ));
        }
        let read = self.input.read(buffer)?;
        self.left.set(left.saturating_sub(read as u64));
        let bytes = (self.read..).zip(buffer.iter().take(read));
        self.ends.borrow_mut().extend(bytes.filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at));
        self.read += read as u64;
        Ok(read)
    }
}

impl<R: Read> CsvLines<R> {
    /// Reads the header of `input`.
    ///
    /// # Errors
    /// It can't be read, or the header is wrong.
    pub fn new(input: R) -> io::Result<Self> {
        let (left, ends) = (Rc::new(Cell::new(LONGEST_LINE)), Rc::<RefCell<_>>::default());
        let budget = Budget { input, left: Rc::clone(&left), read: 0, ends: Rc::clone(&ends) };
        let mut input = ReaderBuilder::new().flexible(true).from_reader(budget);
        let columns = Columns::new(input.headers()?.iter())
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, format!("line 1: {reason}")))?;
        Ok(Self { input, columns, row: StringRecord::new(), left, ends, passed: 0 })
    }

    /// The line that the record begins on which was read last.
    fn line(&mut self) -> u64 {
        let (end, mut ends) = (self.input.position().byte(), self.ends.borrow_mut());
        let passed = ends.partition_point(|at| *at < end);
        let last = ends.drain(..passed).next_back();
        self.passed += passed as u64;
        // The line feed of a CRLF is still to come, and the last line may have none.
        let lines = self.passed + u64::from(last.is_none_or(|at| at + 1 != end));
        let inside: usize = self.row.iter().map(|cell| cell.matches('\n').count()).sum();
        lines.saturating_sub(inside as u64)
    }
}

impl<R: Read> Iterator for CsvLines<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left.set(LONGEST_LINE);
        let content = match self.input.read_record(&mut self.row) {
            Ok(false) => return None,
            Ok(true) => self.columns.row(&self.row),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => Err("not UTF-8".to_owned()),
            Err(error) => return Some(Err(error.into())),
        };
        // The content, not the bytes: order of columns, quoting and line ends may differ from one export to the next.
        let bytes = content.as_ref().map(ToString::to_string).unwrap_or_default();
        let line = self.line();
        let offset = self.input.position().byte();
        Some(Ok(Record { line, offset, digest: digest(bytes.as_bytes()), content }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Vec<Record>> {
        CsvLines::new(text.as_bytes())?.collect()
    }

    #[test]
    fn rows_are_numbered_and_digested_by_content() {
        let one = read("kind,name\ncorporate,\"A, B\"\n\ncorporate,C,D\n").unwrap();
        let lines: Vec<(u64, bool)> = one.iter().map(|record| (record.line, record.content.is_ok())).collect();
        assert_eq!(lines, [(2, true), (4, false)]);
        let other = read("name,kind\r\n\"A, B\",corporate\r\n").unwrap();
        assert_eq!(one[0].digest, other[0].digest);
    }

    #[test]
    fn lines_are_those_of_an_editor_whatever_ends_them() {
        let text = "kind,name\n\ncorporate,A\ncorporate,\"B\nand\nC\"\n\n\ncorporate,D";
        for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}"), format!("{text}\n")] {
            let lines: Vec<u64> = read(&text).unwrap().iter().map(|record| record.line).collect();
            assert_eq!(lines, [3, 4, 9], "{text:?}");
        }
        let long: String = (0..20_000).map(|row| format!("corporate,{row}\r\n")).collect();
        let lines = read(&format!("kind,name\r\n{long}")).unwrap();
        assert!(lines.iter().map(|record| record.line).eq(2..20_002));
    }

    #[test]
    fn a_wrong_header_and_an_open_quote_stop_it() {
        assert!(read("kind,nmae\n").unwrap_err().to_string().starts_with("line 1: column 2 `nmae`"));
        let open = format!("kind,name\ncorporate,\"{}", "x\n".repeat(2 * 1024 * 1024));
        assert!(read(&open).unwrap_err().to_string().contains("is a quote not closed?"));
    }
}
