//! CSV (RFC 4180) with a header. A quote that is never closed would make the rest of the file one record: reading stops
//! where a record is longer than a line may be.

use std::cell::RefCell;
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
    seen: Rc<RefCell<Seen>>,
    /// Line ends before the end of the record at hand.
    passed: u64,
}

/// What is read on its way to the parser.
struct Budget<R> {
    input: R,
    seen: Rc<RefCell<Seen>>,
}

/// What the parser does not tell: its own count of lines takes a CRLF for the end of one line and the beginning of the
/// next, and blank lines for part of the record behind them, and a quote that is never closed is none of its errors.
struct Seen {
    /// Bytes that may still be read for the record at hand.
    left: u64,
    read: u64,
    /// Where the line ends are that the parser has not passed.
    ends: VecDeque<u64>,
    /// Whether an odd number of quotes was read.
    open: bool,
    /// Whether there is nothing more to read.
    ended: bool,
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut seen = self.seen.borrow_mut();
        if seen.left == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a record is longer than {LONGEST_LINE} bytes: is a quote not closed?"),
            ));
        }
        let read = self.input.read(buffer)?;
        seen.left = seen.left.saturating_sub(read as u64);
        seen.ended = read == 0;
        let first = seen.read;
        for (at, byte) in (first..).zip(buffer.iter().take(read)) {
            match byte {
                b'\n' => seen.ends.push_back(at),
                b'"' => seen.open = !seen.open,
                _ => {}
            }
        }
        seen.read += read as u64;
        Ok(read)
    }
}

impl<R: Read> CsvLines<R> {
    /// Reads the header of `input`.
    ///
    /// # Errors
    /// It can't be read, or the header is wrong.
    pub fn new(input: R) -> io::Result<Self> {
        let seen = Seen { left: LONGEST_LINE, read: 0, ends: VecDeque::new(), open: false, ended: false };
        let seen = Rc::new(RefCell::new(seen));
        let budget = Budget { input, seen: Rc::clone(&seen) };
        let mut input = ReaderBuilder::new().flexible(true).from_reader(budget);
        let columns = Columns::new(input.headers()?.iter())
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, format!("line 1: {reason}")))?;
        Ok(Self { input, columns, row: StringRecord::new(), seen, passed: 0 })
    }

    /// The lines that the record begins and ends on which was read last.
    fn lines(&mut self, unclosed: bool) -> (u64, u64) {
        let (end, mut seen) = (self.input.position().byte(), self.seen.borrow_mut());
        let passed = seen.ends.partition_point(|at| *at < end);
        let last = seen.ends.drain(..passed).next_back();
        self.passed += passed as u64;
        // The line feed of a CRLF is still to come, and the last line may have none.
        let to = self.passed + u64::from(last.is_none_or(|at| at + 1 != end));
        let mut inside: usize = self.row.iter().map(|cell| cell.matches('\n').count()).sum();
        if unclosed && self.row.iter().next_back().is_some_and(|cell| cell.ends_with('\n')) {
            // The line end of the file's last line, which has become part of the cell.
            inside -= 1;
        }
        (to.saturating_sub(inside as u64), to)
    }

    /// Whether the record at hand goes on to the end of the file because a quote in it is never closed.
    fn is_unclosed(&self) -> bool {
        let seen = self.seen.borrow();
        seen.ended && seen.open && self.row.iter().any(|cell| cell.contains('\n'))
    }
}

impl<R: Read> Iterator for CsvLines<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.seen.borrow_mut().left = LONGEST_LINE;
        let content = match self.input.read_record(&mut self.row) {
            Ok(false) => return None,
            Ok(true) => self.columns.row(&self.row),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => Err("not UTF-8".to_owned()),
            Err(error) => return Some(Err(error.into())),
        };
        // The content, not the bytes: order of columns, quoting and line ends may differ from one export to the next.
        let bytes = content.as_ref().map(ToString::to_string).unwrap_or_default();
        let unclosed = self.is_unclosed();
        let (line, to) = self.lines(unclosed);
        let content = match content {
            _ if unclosed => Err(format!("a quote is opened and never closed: all lines up to {to} are in one cell")),
            Err(reason) if to > line => Err(format!("{reason}; it goes on to line {to}: is a quote not closed?")),
            content => content,
        };
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
    fn a_quote_that_is_not_closed_is_named_with_the_lines_that_it_takes() {
        let reasons = |text: &str| -> Vec<(u64, String)> {
            let records = read(text).unwrap().into_iter();
            records.filter_map(|record| Some((record.line, record.content.err()?))).collect()
        };
        let rows = "kind,name\ncorporate,A\ncorporate,\"B\ncorporate,C\ncorporate,D";
        for text in [rows.to_owned(), format!("{rows}\n"), rows.replace('\n', "\r\n"), rows.replace("\"B", "B,\"C")] {
            let [(3, reason)] = &reasons(&text)[..] else { panic!("{text:?}: {:?}", reasons(&text)) };
            assert_eq!(reason, "a quote is opened and never closed: all lines up to 5 are in one cell", "{text:?}");
        }
        let closed_later = "kind,name\ncorporate,\"A\ncorporate,\"B,C\ncorporate,D\n";
        let [(2, reason)] = &reasons(closed_later)[..] else { panic!("{:?}", reasons(closed_later)) };
        assert!(reason.ends_with("it goes on to line 3: is a quote not closed?"), "{reason}");
        assert_eq!(reasons("kind,name\ncorporate,\"A\nB\"\ncorporate,5\" pipe"), []);
    }

    #[test]
    fn a_wrong_header_and_an_open_quote_stop_it() {
        assert!(read("kind,nmae\n").unwrap_err().to_string().starts_with("line 1: column 2 `nmae`"));
        let open = format!("kind,name\ncorporate,\"{}", "x\n".repeat(2 * 1024 * 1024));
        assert!(read(&open).unwrap_err().to_string().contains("is a quote not closed?"));
    }
}
