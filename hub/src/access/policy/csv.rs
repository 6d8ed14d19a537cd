//! The lines of a policy's tables as fields that know their column.
//!
//! As casbin reads them: fields between commas, trimmed; lines that are empty or begin with `#` say nothing. The last
//! field takes the rest of the line, so that a condition needs no quotes around its commas; a last field that begins
//! with a double quote is CSV, quotes doubled within.

use super::finding::Finding;

/// The longest line, in bytes, and how many lines of a file count.
const MAX_LINE: usize = 8192;
const MAX_LINES: usize = 20_000;

/// A field and the character of the line at which it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) text: String,
    pub(super) column: usize,
}

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<const N: usize> {
    pub(super) number: usize,
    pub(super) fields: [Field; N],
}

/// The lines of `text` with exactly `N` fields; any other is a finding that shows `shape`.
pub(super) fn lines<const N: usize>(
    (file, text): (&str, &str),
    shape: &str,
    findings: &mut Vec<Finding>,
) -> Vec<Line<N>> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if number > MAX_LINES {
            findings.push(Finding::at(file, (number, 0), "too many lines").expected(format!("at most {MAX_LINES}")));
            break;
        }
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if line.len() > MAX_LINE {
            let expected = format!("at most {MAX_LINE} bytes");
            findings.push(Finding::at(file, (number, 0), "the line is too long").expected(expected));
            continue;
        }
        match fields(line) {
            Ok(fields) => lines.push(Line { number, fields }),
            Err((column, message)) => findings.push(Finding::at(file, (number, column), message).expected(shape)),
        }
    }
    if lines.is_empty() && findings.is_empty() {
        findings.push(Finding::of(file, "no line says anything").expected(shape));
    }
    lines
}

fn fields<const N: usize>(line: &str) -> Result<[Field; N], (usize, String)> {
    let (mut fields, mut start) = (Vec::with_capacity(N), 0);
    for piece in line.splitn(N, ',') {
        let last = fields.len() + 1 == N;
        fields.push(field(line, start, piece, last)?);
        start += piece.len() + 1;
    }
    let found = fields.len();
    if let Some(empty) = fields.iter().find(|field| field.text.is_empty()) {
        return Err((empty.column, "an empty field".to_owned()));
    }
    fields.try_into().map_err(|_| (0, format!("{found} fields instead of {N}")))
}

fn field(line: &str, start: usize, piece: &str, last: bool) -> Result<Field, (usize, String)> {
    let lead = piece.len() - piece.trim_start().len();
    let column = line.get(..start + lead).map_or(0, |before| before.chars().count()) + 1;
    let text = piece.trim();
    let Some(quoted) = text.strip_prefix('"') else { return Ok(Field { text: text.to_owned(), column }) };
    let whole = quoted.strip_suffix('"').filter(|inner| !inner.replace("\"\"", "").contains('"'));
    match whole {
        Some(inner) if last => Ok(Field { text: inner.replace("\"\"", "\"").trim().to_owned(), column: column + 1 }),
        _ => Err((column, "a double quote that is not closed, or in a field that is a code".to_owned())),
    }
}

impl<const N: usize> Line<N> {
    /// The place of a field.
    pub(super) const fn place(&self, field: &Field) -> (usize, usize) {
        (self.number, field.column)
    }
}
