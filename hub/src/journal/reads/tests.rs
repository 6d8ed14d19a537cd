//! Views on the record: durable, chained over the days, and counted where they are missing.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use chrono::{Days, Utc};

use super::super::{Actor, Filter, lines};
use super::days::{days, folder_of, verify};
use super::{ReadsLog, View};

fn view(number: u32) -> View {
    View {
        org: "acme".into(),
        reference: format!("CL-{number}"),
        actor: Actor { member: "m-1".into(), roles: vec!["RP001".into()], address: Some("192.0.2.1".into()) },
        action: "CL002",
        request_id: format!("r-{number}"),
        trace: None,
        decision: "DC-1".into(),
        at: Utc::now(),
    }
}

fn kinds(folder: &Path) -> Vec<String> {
    let all = days(folder).unwrap();
    let entries = all.iter().flat_map(|(_, path)| lines(path, Filter::default()).unwrap());
    entries.map(|shown| shown.unwrap().entry.kind.into_owned()).collect()
}

#[test]
fn views_are_there_after_the_end_and_go_on_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let log = ReadsLog::open(folder.path()).unwrap();
        (0..600).for_each(|number| log.viewed(view(round * 600 + number)));
        log.close();
        assert_eq!(log.counts().recorded.load(Ordering::Relaxed), 600);
    }
    let report = verify(folder.path(), |_| {}).unwrap();
    assert!(report.broken.is_none(), "{:?}", report.broken);
    assert!(report.entries == 1201 || days(folder.path()).unwrap().len() > 1, "{report:?}");
    assert_eq!(kinds(folder.path()).iter().filter(|kind| *kind == "client.viewed").count(), 1200);
}

#[test]
fn a_day_goes_on_where_the_day_before_ended_and_any_change_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let log = ReadsLog::open(folder.path()).unwrap();
    log.viewed(view(1));
    log.close();
    // What was written becomes a day of the past.
    let (day, path) = days(folder.path()).unwrap().pop().unwrap();
    let past = folder_of(folder.path(), day - Days::new(2));
    fs::rename(path, &past).unwrap();
    let log = ReadsLog::open(folder.path()).unwrap();
    log.viewed(view(2));
    log.close();
    assert_eq!(days(folder.path()).unwrap().len(), 2);
    assert!(verify(folder.path(), |_| {}).unwrap().broken.is_none());

    let segment = past.join(format!("{:020}.jsonl", 1));
    let text = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, text.replace("client/CL-1", "client/CL-9")).unwrap();
    let broken = verify(folder.path(), |_| {}).unwrap().broken.unwrap();
    assert!(broken.segment.starts_with(&(day - Days::new(2)).to_string()), "{broken:?}");
    // The past's last views taken away, whole lines of them: the day behind it knows better.
    let first = text.lines().next().unwrap();
    fs::write(&segment, format!("{first}\n")).unwrap();
    fs::remove_file(past.join("head")).unwrap();
    let broken = verify(folder.path(), |_| {}).unwrap().broken.unwrap();
    assert!(broken.fault.contains("go on after entry 1"), "{broken:?}");
}

#[test]
fn what_there_was_no_room_for_is_counted_on_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let log = ReadsLog::open(folder.path()).unwrap();
    log.counts().lost.fetch_add(7, Ordering::Relaxed);
    log.close();
    let (_, path) = days(folder.path()).unwrap().pop().unwrap();
    let lost =
        lines(&path, Filter::default()).unwrap().map(Result::unwrap).find(|shown| shown.entry.kind == "reads.lost");
    assert_eq!(lost.unwrap().entry.data.unwrap().get(), r#"{"count":7}"#);
}
