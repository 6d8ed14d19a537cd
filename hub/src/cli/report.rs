//! What the journal and sync commands have to tell, as plain data, and how it is written.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::output::{Exit, Output};

/// What `journal verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// The chain holds.
    Whole {
        /// Entries that were read.
        entries: u64,
        /// Segments that they stand in.
        segments: u64,
        /// The hash of the newest entry; `None` for an empty journal.
        head: Option<String>,
    },
    /// The chain breaks.
    Broken {
        /// The segment's file.
        segment: String,
        /// Bytes from its start.
        offset: u64,
        /// The last entry before it that is right.
        last_good: u64,
        /// What was expected, and what is there.
        reason: String,
    },
}

impl Verified {
    /// Tells it.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write<W: Write>(&self, output: &mut Output<W>) -> io::Result<Exit> {
        match self {
            Self::Whole { entries, segments, head } => {
                let newest = head.as_deref().unwrap_or("none");
                let text = format!("whole: {entries} entries in {segments} segments, newest hash {newest}");
                let json = json!({"whole": true, "entries": entries, "segments": segments, "head": head});
                output.say(&text, &json)?;
                Ok(Exit::Done)
            }
            Self::Broken { segment, offset, last_good, reason } => {
                let text = format!("broken: {segment} at byte {offset}, after entry {last_good}: {reason}");
                let json = json!({"whole": false, "segment": segment, "offset": offset, "lastGood": last_good,
                    "reason": reason});
                output.say(&text, &json)?;
                Ok(Exit::Failed)
            }
        }
    }
}

/// The link to one adapter, for `sync status`.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkStatus {
    /// Which adapter.
    pub adapter: String,
    /// `ok`, `held`, `down`, …
    pub state: String,
    /// Deliveries that are owed.
    pub owed: u64,
    /// Age of the oldest, in seconds.
    pub lag_seconds: f64,
    /// Deliveries that were set aside.
    pub parked: u64,
}

/// Tells how the links stand.
///
/// # Errors
/// It can't be written.
pub fn links<W: Write>(output: &mut Output<W>, links: &[LinkStatus]) -> io::Result<()> {
    let row = |link: &LinkStatus| {
        vec![json!(link.adapter), json!(link.state), json!(link.owed), json!(link.lag_seconds), json!(link.parked)]
    };
    output.rows(&["adapter", "state", "owed", "lagSeconds", "parked"], &links.iter().map(row).collect::<Vec<_>>())
}

/// A delivery that was set aside, for `sync parked`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedDelivery {
    /// Its key.
    pub id: String,
    /// Which adapter.
    pub adapter: String,
    /// Which of its functions.
    pub function: String,
    /// Whose delivery it is.
    pub client: String,
    /// Attempts that were made.
    pub attempts: u32,
    /// When it was set aside.
    pub since: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// Tells what was set aside.
///
/// # Errors
/// It can't be written.
pub fn parked<W: Write>(output: &mut Output<W>, deliveries: &[ParkedDelivery]) -> io::Result<()> {
    let row = |parked: &ParkedDelivery| -> Vec<Value> {
        let since = parked.since.to_rfc3339_opts(SecondsFormat::Millis, true);
        vec![
            json!(parked.id),
            json!(parked.adapter),
            json!(parked.function),
            json!(parked.client),
            json!(parked.attempts),
            json!(since),
            json!(parked.reason),
        ]
    };
    let columns = ["id", "adapter", "function", "client", "attempts", "since", "reason"];
    output.rows(&columns, &deliveries.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written<T>(json: bool, tell: impl FnOnce(&mut Output<&mut Vec<u8>>) -> io::Result<T>) -> (String, T) {
        let mut out = Vec::new();
        let told = tell(&mut Output::new(&mut out, json)).unwrap();
        (String::from_utf8(out).unwrap(), told)
    }

    #[test]
    fn a_broken_chain_fails_and_says_where() {
        let broken =
            Verified::Broken { segment: "0001.jsonl".into(), offset: 712, last_good: 9, reason: "bad hash".into() };
        let (text, exit) = written(false, |output| broken.write(output));
        assert_eq!(text, "broken: 0001.jsonl at byte 712, after entry 9: bad hash\n");
        assert_eq!(exit, Exit::Failed);
        let whole = Verified::Whole { entries: 3, segments: 1, head: Some("ab".into()) };
        let (json, exit) = written(true, |output| whole.write(output));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json, json!({"whole": true, "entries": 3, "segments": 1, "head": "ab"}));
        assert_eq!(exit, Exit::Done);
    }

    #[test]
    fn links_and_parked_deliveries_are_rows() {
        let crm = LinkStatus { adapter: "crm".into(), state: "held".into(), owed: 4, lag_seconds: 2.5, parked: 1 };
        let (text, ()) = written(false, |output| links(output, &[crm]));
        assert_eq!(text.lines().count(), 2);
        let since = DateTime::from_timestamp(0, 0).unwrap();
        let one = ParkedDelivery {
            id: "d1".into(),
            adapter: "crm".into(),
            function: "upsert-contact".into(),
            client: "CL-1".into(),
            attempts: 8,
            since,
            reason: "rejected: email".into(),
        };
        let (json, ()) = written(true, |output| parked(output, &[one]));
        let row: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(row.get("since").unwrap(), "1970-01-01T00:00:00.000Z");
    }
}
