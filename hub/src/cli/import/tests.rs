//! Whole imports into a sink that keeps what it is given, and the sample files.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use chrono::NaiveDate;
use clap::Parser;
use indicatif::ProgressBar;
use parking_lot::Mutex;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cli::{Cli, Command, Output};
use crate::domain::profile::Kind;
use crate::domain::validate::Draft;

/// Keeps drafts by claim, refuses registered names that it has, and stops at a line if told to.
#[derive(Default)]
struct Kept {
    drafts: Mutex<BTreeMap<String, Draft>>,
    stops_at: Option<u64>,
}

impl Sink for Kept {
    async fn create(&self, draft: Draft, line: u64, claim: String) -> Result<Created, SinkError> {
        if self.stops_at.is_some_and(|stop| line >= stop) {
            return Err(SinkError::Stopped("storage-unavailable".into()));
        }
        let mut drafts = self.drafts.lock();
        if drafts.contains_key(&claim) {
            return Ok(Created::AlreadyThere);
        }
        if drafts.values().any(|kept| kept.profile.claims("o") == draft.profile.claims("o")) {
            return Err(SinkError::Refused("duplicate-client".into()));
        }
        drafts.insert(claim, draft);
        Ok(Created::New(format!("CL-{line}")))
    }
}

async fn import(file: &Path, json: bool, sink: &Kept) -> (Result<Summary, ImportError>, String) {
    let path = file.display().to_string();
    let cli = Cli::try_parse_from(["hub", "import", &path, "--org", "demo", "--member", "m-1"]).unwrap();
    let Command::Import(args) = cli.command else { unreachable!() };
    let (bar, mut told) = (ProgressBar::hidden(), Vec::new());
    let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
    let output = Output::new(&mut told, json);
    let summary =
        run(&mut Import { args: &args, today, bar: &bar, output, stop: CancellationToken::new() }, sink).await;
    (summary, String::from_utf8(told).unwrap())
}

fn file(ending: &str, content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

const PERSON: &str = r#"{"kind":"individual","individual":{"givenName":"Ines","familyName":"Duarte","dateOfBirth":"1984-02-29","nationality":"PT","nationalId":"1"}}"#;

#[tokio::test]
async fn refused_lines_are_told_and_the_rest_goes_on() {
    let lines = file(
        ".jsonl",
        &format!("{PERSON}\nnonsense\n{}\n{}\n", r#"{"kind":"corporate","name":"A"}"#, PERSON.replace("Ines", "Ana")),
    );
    let sink = Kept::default();
    let (summary, told) = import(lines.path(), false, &sink).await;
    assert_eq!(summary.unwrap(), Summary { created: 1, already_there: 0, refused: 3 });
    let expected = "line 2: not JSON, column 2\nline 3: /corporate/legalName: this field is required\n\
                    line 3: /corporate/registrationNumber: this field is required\nline 4: duplicate-client\n\
                    1 created, 0 already there, 3 refused\n";
    assert_eq!(told, expected);
    let (again, told) = import(lines.path(), true, &sink).await;
    assert_eq!(again.unwrap().already_there, 1);
    let first: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(first.get("line").unwrap(), 2);
}

#[tokio::test]
async fn what_stops_it_is_said_and_another_run_goes_on() {
    let many: Vec<String> = (1..=200).map(|n| PERSON.replace("\"1\"", &format!("\"{n}\""))).collect();
    let lines = file(".jsonl", &many.join("\n"));
    let mut sink = Kept { stops_at: Some(90), ..Kept::default() };
    let (stopped, _) = import(lines.path(), false, &sink).await;
    assert!(stopped.unwrap_err().to_string().starts_with("stopped at line 90: storage-unavailable"));
    sink.stops_at = None;
    let (summary, _) = import(lines.path(), false, &sink).await;
    let summary = summary.unwrap();
    assert_eq!((summary.created + summary.already_there, summary.refused), (200, 0));
    assert!(summary.already_there >= 89);
}

#[tokio::test]
async fn a_file_must_say_what_it_is() {
    let nameless = file(".txt", "x");
    assert!(matches!(import(nameless.path(), false, &Kept::default()).await.0, Err(ImportError::Format(_))));
    assert!(matches!(
        import(Path::new("/nowhere.csv"), false, &Kept::default()).await.0,
        Err(ImportError::File { .. })
    ));
    let header = file(".csv", "kind,nmae\n");
    let error = import(header.path(), false, &Kept::default()).await.0.unwrap_err().to_string();
    assert!(error.contains("line 1: column 2 `nmae` is not known"), "{error}");
}

#[tokio::test]
async fn the_sample_files_are_right_and_do_not_overlap() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data");
    let sink = Kept::default();
    for name in ["clients.jsonl", "clients.csv"] {
        let (summary, told) = import(&folder.join(name), false, &sink).await;
        let summary = summary.unwrap();
        assert_eq!((summary.refused, summary.already_there), (0, 0), "{name}: {told}");
        assert!(summary.created >= 20, "{name}");
    }
    let drafts = sink.drafts.lock();
    let countries: BTreeSet<_> =
        drafts.values().filter_map(|draft| draft.profile.address.as_ref()?.country.clone()).collect();
    assert!(countries.len() >= 10);
    assert!(
        drafts.values().any(|draft| draft.profile.kind == Kind::Individual && draft.profile.name == "Drazen Volkovar")
    );
}
