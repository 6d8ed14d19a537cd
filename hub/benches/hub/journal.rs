//! The journal alone against a bare loop: 64 appenders, then the same bytes again with one `fdatasync` for
//! each group of the same size; also how fast a journal opens.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hub::journal::{Actor, Append, FileJournal, FlushObserver, Journal, NewEntry, Options, verify};
use serde_json::value::RawValue;

use crate::data;
use crate::report::{Row, median};

const APPENDERS: usize = 64;
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_secs(1);
const TARGET: f64 = 0.8;

/// The groups of a round: entries and bytes.
#[derive(Default)]
struct Groups(Mutex<Vec<(usize, usize)>>);

impl FlushObserver for Groups {
    fn flushed(&self, entries: usize, bytes: usize, _elapsed: Duration) {
        self.0.lock().unwrap().push((entries, bytes));
    }
}

fn entry(appender: usize, data: usize) -> NewEntry {
    NewEntry {
        org: "demo".into(),
        stream: format!("client/CL-01JD3Z8M5Q4T7N2V9XKB6R0W{appender:02}"),
        kind: "client.updated".into(),
        actor: Actor { member: "m-204".into(), roles: vec!["RP001".into()], address: Some("127.0.0.1".into()) },
        action: "CL004".into(),
        request_id: "01JD3Z8M5Q4T7N2V9XKB6R0WYE".into(),
        trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        key: None,
        data: RawValue::from_string(format!("{{\"name\":\"{}\"}}", "x".repeat(data))).unwrap(),
        event: None,
    }
}

/// Entries per second, and the groups that they went in.
fn appenders(path: &Path) -> (f64, Vec<(usize, usize)>) {
    let groups = Arc::new(Groups::default());
    let options = Options { observer: Some(groups.clone()), ..Options::new(path) };
    let journal = Arc::new(FileJournal::open(options, |_| {}).unwrap().0);
    let stop = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let tasks: Vec<_> = (0..APPENDERS)
            .map(|appender| {
                let (journal, stop) = (journal.clone(), stop.clone());
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let append = Append { entries: vec![entry(appender, 600)], ..Append::default() };
                        journal.append(append).await.unwrap();
                    }
                })
            })
            .collect();
        tokio::time::sleep(ROUND).await;
        stop.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.unwrap();
        }
    });
    let elapsed = began.elapsed();
    let entries = journal.head().seq;
    drop(journal);
    let groups = std::mem::take(&mut *groups.0.lock().unwrap());
    (entries as f64 / elapsed.as_secs_f64(), groups)
}

/// Entries per second of a loop that does nothing but `write` and `fdatasync`.
fn bare_loop(journal: &Path, target: &Path, groups: &[(usize, usize)]) -> f64 {
    let mut segments: Vec<_> = std::fs::read_dir(journal).unwrap().map(|file| file.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    segments.sort();
    let bytes = segments.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>().concat();
    let mut rest = bytes.as_slice();
    let mut file = File::create(target).unwrap();
    let began = Instant::now();
    for (_, length) in groups {
        let (group, others) = rest.split_at(*length);
        file.write_all(group).unwrap();
        file.sync_data().unwrap();
        rest = others;
    }
    let entries: usize = groups.iter().map(|(entries, _)| entries).sum();
    entries as f64 / began.elapsed().as_secs_f64()
}

/// The journal in turns with the bare loop, and how fast one is opened.
pub fn alone() -> Vec<Row> {
    let (mut rounds, mut sizes) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = data::folder();
        let path = folder.path().join("journal");
        let (rate, groups) = appenders(&path);
        rounds.push((rate, bare_loop(&path, &folder.path().join("bare"), &groups)));
        sizes.push(groups.iter().map(|(entries, _)| entries).sum::<usize>() as f64 / groups.len() as f64);
    }
    let what = format!("journal, {APPENDERS} appenders, groups of {:.0}", median(sizes));
    let mut rows = vec![Row::share(&what, "entries/s", &rounds, TARGET)];
    rows.extend(opening());
    rows
}

fn opening() -> [Row; 3] {
    let folder = data::folder();
    let journal = FileJournal::open(Options::new(folder.path()), |_| {}).unwrap().0;
    for _ in 0..1000 {
        let append = Append { entries: (0..100).map(|at| entry(at, 900)).collect(), ..Append::default() };
        futures::executor::block_on(journal.append(append)).unwrap();
    }
    drop(journal);
    let (journal, report) = FileJournal::open(Options::new(folder.path()), |_| {}).unwrap();
    let open = report.took;
    let began = Instant::now();
    assert_eq!(journal.read(1).flatten().count() as u64, report.entries);
    let read = began.elapsed();
    let began = Instant::now();
    assert!(verify(folder.path(), |_| {}).unwrap().broken.is_none());
    let verified = began.elapsed();
    let told = |what, took: Duration| Row::told(what, format!("{:.2} s", took.as_secs_f64()));
    let what = format!("open a journal of {} entries, {} MiB", report.entries, report.bytes >> 20);
    [told(&what, open), told("read all of them", read), told("verify all of them", verified)]
}
