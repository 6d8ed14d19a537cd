//! What the journal and sync commands have to tell, and how it is written.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::output::{Exit, Output};
use crate::journal::VerifyReport;

/// Tells what verification found: where the chain breaks is a failure.
///
/// # Errors
/// It can't be written.
pub fn verified<W: Write>(output: &mut Output<W>, report: &VerifyReport) -> io::Result<Exit> {
    let VerifyReport { entries, erased, segments, head, .. } = report;
    let text = match &report.broken {
        None => {
            let end = match report.end_known || *entries == 0 {
                true => "",
                false => {
                    "\nthe file head is missing or can't be read: entries that were cut off the end would not show"
                }
            };
            format!("whole: {entries} entries ({erased} erased) in {segments} segments, newest hash {head}{end}")
        }
        Some(finding) => {
            let advice = match finding.unfinished {
                true => "the newest flush, never answered: the next start cuts it off".to_owned(),
                false => format!(
                    "restore it, or decide to lose what follows: hub journal cut --at {} --reason …",
                    finding.cut_at
                ),
            };
            let (segment, offset, fault) = (&finding.segment, finding.offset, &finding.fault);
            format!("broken: {segment} at byte {offset}, entry {}: {fault}\n{advice}", finding.seq)
        }
    };
    let mut json = json!(report);
    if let Some(members) = json.as_object_mut() {
        members.insert("whole".to_owned(), json!(report.broken.is_none()));
    }
    output.say(&text, &json)?;
    Ok(if report.broken.is_none() { Exit::Done } else { Exit::Failed })
}

/// What one adapter is owed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Owed {
    /// Which adapter.
    pub adapter: String,
    /// Clients and devices that it is owed something for.
    pub owed: u64,
    /// For how long the first of them has been due, in seconds.
    pub lag_seconds: f64,
    /// Clients and devices with something that was set aside.
    pub parked: u64,
}

/// Tells what is owed.
///
/// # Errors
/// It can't be written.
pub fn owed<W: Write>(output: &mut Output<W>, owed: &[Owed]) -> io::Result<()> {
    let row = |one: &Owed| vec![json!(one.adapter), json!(one.owed), json!(one.lag_seconds), json!(one.parked)];
    output.rows(&["adapter", "owed", "lagSeconds", "parked"], &owed.iter().map(row).collect::<Vec<_>>())
}

/// Tells what was set aside, from its JSON as the API has it.
///
/// # Errors
/// It can't be written.
pub fn parked<W: Write>(output: &mut Output<W>, items: &[Value]) -> io::Result<()> {
    let columns = ["id", "adapter", "function", "org", "client", "device", "version", "attempts", "reason", "error"];
    let row = |item: &Value| columns.iter().map(|column| item.get(column).cloned().unwrap_or_default()).collect();
    output.rows(&columns, &items.iter().map(row).collect::<Vec<_>>())
}

/// Tells what was decided on one delivery or on all that match, or what a dry run has met, from its JSON as the API has it.
///
/// # Errors
/// It can't be written.
pub fn decided<W: Write>(output: &mut Output<W>, answer: &Value) -> io::Result<Exit> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or("-");
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (matched, state) = (count("matched"), text("state"));
    if answer.get("dryRun").is_some() {
        let superseded = count("superseded");
        let ids = answer.get("items").and_then(Value::as_array).into_iter().flatten();
        let ids = ids.filter_map(|item| item.get("id")?.as_str()).map(|id| format!("\n  {id}")).collect::<String>();
        output.say(&format!("{matched} match, {superseded} of them superseded by a newer version{ids}"), answer)?;
        return Ok(Exit::Done);
    }
    if answer.get("matched").is_none() {
        output.say(&format!("{state}: {} to {} for {}", text("function"), text("adapter"), text("client")), answer)?;
        return Ok(Exit::Done);
    }
    let (decided, passed) = (count("decided"), count("passedOver"));
    output.say(&format!("{state}: {matched} matched, {decided} decided, {passed} passed over"), answer)?;
    Ok(if state == "done" { Exit::Done } else { Exit::Failed })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::journal::{Digest, Finding};

    fn written<T>(json: bool, tell: impl FnOnce(&mut Output<&mut Vec<u8>>) -> io::Result<T>) -> (String, T) {
        let mut out = Vec::new();
        let told = tell(&mut Output::new(&mut out, json)).unwrap();
        (String::from_utf8(out).unwrap(), told)
    }

    fn report(broken: Option<Finding>) -> VerifyReport {
        VerifyReport { entries: 9, erased: 0, segments: 1, bytes: 712, head: Digest::ZERO, end_known: true, broken }
    }

    #[test]
    fn a_broken_chain_fails_and_says_where() {
        let finding = |unfinished| Finding {
            segment: "0001.jsonl".into(),
            offset: 712,
            seq: 10,
            fault: "bad hash".into(),
            unfinished,
            cut_at: 8,
        };
        let (text, exit) = written(false, |output| verified(output, &report(Some(finding(false)))));
        assert!(text.starts_with("broken: 0001.jsonl at byte 712, entry 10: bad hash\n"), "{text}");
        assert!(text.contains("hub journal cut --at 8"), "{text}");
        assert_eq!(exit, Exit::Failed);
        let (text, _) = written(false, |output| verified(output, &report(Some(finding(true)))));
        assert!(text.contains("the next start cuts it off"), "{text}");
        let (json, exit) = written(true, |output| verified(output, &report(None)));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((json.get("whole"), json.get("entries")), (Some(&json!(true)), Some(&json!(9))));
        assert_eq!(exit, Exit::Done);
    }

    #[test]
    fn what_is_owed_and_what_was_set_aside_are_rows() {
        let crm = Owed { adapter: "crm".into(), owed: 4, lag_seconds: 2.5, parked: 1 };
        let (text, ()) = written(false, |output| owed(output, &[crm]));
        assert_eq!(text.lines().count(), 2);
        let one = json!({"id": "d1", "adapter": "crm", "function": "upsert-contact", "client": "CL-1", "attempts": 8});
        let (json, ()) = written(true, |output| parked(output, &[one]));
        let row: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((row.get("attempts"), row.get("device")), (Some(&json!(8)), Some(&Value::Null)));
    }
}
