//! Tests of the journal as a whole, on real files.

mod append;
mod audit;
mod codec;
mod damage;
mod disk;
mod faults;
mod follow;
mod kill;
mod model;

use std::path::Path;
use std::sync::Arc;

use serde_json::value::RawValue;
use tempfile::TempDir;

use super::*;

fn actor() -> Actor {
    Actor { member: "m-1".into(), roles: vec!["RP001".into()], address: Some("127.0.0.1".into()) }
}

fn entry(stream: &str, data: &str) -> NewEntry {
    NewEntry {
        org: "org-1".into(),
        stream: stream.into(),
        kind: "client.updated".into(),
        actor: actor(),
        action: "CL004".into(),
        request_id: "r-1".into(),
        trace: None,
        key: None,
        data: RawValue::from_string(data.into()).unwrap(),
        event: None,
    }
}

fn one(stream: &str) -> Append {
    many(&[stream])
}

fn many(streams: &[&str]) -> Append {
    let data = |stream: &&str| format!(r#"{{"of":"{stream}","text":"Zoë \"x\" ,\"salt\":\""}}"#);
    Append { entries: streams.iter().map(|stream| entry(stream, &data(stream))).collect(), ..Append::default() }
}

fn options(path: &Path) -> Options {
    Options { reserve: Reserve { percent: 0, at_least: 0 }, ..Options::new(path) }
}

fn open(path: &Path) -> FileJournal {
    FileJournal::open(options(path), |_| {}).unwrap().0
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn all(journal: &FileJournal) -> Vec<Arc<Entry>> {
    journal.read(1).map(Result::unwrap).collect()
}

/// What two readings of one entry must agree in.
fn gist(entry: &Entry) -> String {
    serde_json::to_string(entry).unwrap()
}

fn gists(entries: &[Arc<Entry>]) -> Vec<String> {
    entries.iter().map(|entry| gist(entry)).collect()
}
