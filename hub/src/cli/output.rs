//! Answers on stdout: for people, or one JSON object a line for programs.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Map, Value};

/// How a command ended. Wrong usage (2) is clap's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done,
    /// It failed, or found what it was to look for.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
        }
    }
}

/// Where a command answers.
pub struct Output<W> {
    out: W,
    json: bool,
}

impl<W: Write> Output<W> {
    /// Answers go to `out`, as JSON or for people.
    pub const fn new(out: W, json: bool) -> Self {
        Self { out, json }
    }

    /// One answer in both forms.
    ///
    /// # Errors
    /// It can't be written.
    pub fn say(&mut self, text: &str, json: &Value) -> io::Result<()> {
        if self.json { writeln!(self.out, "{json}") } else { writeln!(self.out, "{text}") }
    }

    /// Rows below column names; as JSON an object for each row, with the columns as its members.
    ///
    /// # Errors
    /// It can't be written.
    pub fn rows(&mut self, columns: &[&str], rows: &[Vec<Value>]) -> io::Result<()> {
        if self.json {
            for row in rows {
                let members = columns.iter().map(|column| (*column).to_owned()).zip(row.iter().cloned());
                writeln!(self.out, "{}", Value::Object(members.collect::<Map<_, _>>()))?;
            }
            return Ok(());
        }
        let heads = columns.iter().map(|column| (*column).to_owned()).collect();
        let cells: Vec<Vec<String>> =
            std::iter::once(heads).chain(rows.iter().map(|row| row.iter().map(cell).collect())).collect();
        let width = |place: usize| {
            let column = cells.iter().filter_map(|row: &Vec<String>| row.get(place));
            column.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        for row in &cells {
            let padded: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}", width = *width)).collect();
            writeln!(self.out, "{}", padded.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A value in a table for people. Control characters would let data write to the terminal.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(json: bool, answer: impl FnOnce(&mut Output<&mut Vec<u8>>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        answer(&mut Output::new(&mut out, json)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_aligned_for_people_and_objects_for_programs() {
        let rows = [vec![json!("crm"), json!(12)], vec![json!("core\u{1b}[2Jbanking"), Value::Null]];
        let text = written(false, |output| output.rows(&["adapter", "owed"], &rows));
        assert_eq!(text, "adapter          owed\ncrm              12\ncore [2Jbanking  -\n");
        let lines = written(true, |output| output.rows(&["adapter", "owed"], &rows));
        assert_eq!(lines.lines().next().unwrap(), r#"{"adapter":"crm","owed":12}"#);
    }

    #[test]
    fn one_answer_has_both_forms() {
        assert_eq!(written(false, |output| output.say("done", &json!({"done": true}))), "done\n");
        assert_eq!(written(true, |output| output.say("done", &json!({"done": true}))), "{\"done\":true}\n");
    }
}
