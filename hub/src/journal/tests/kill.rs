//! A hub that is killed while it writes: everything that it had answered is there.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

const FOLDER: &str = "HUB_TEST_JOURNAL_FOLDER";

/// The child: appends until it is killed, and prints each answer. Does nothing when it runs as a test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let journal =
        Arc::new(FileJournal::open(Options { segment_bytes: 20_000, ..options(folder.as_ref()) }, |_| {}).unwrap().0);
    let tasks: Vec<_> = (0..8)
        .map(|at| {
            let journal = journal.clone();
            tokio::spawn(async move {
                loop {
                    let streams = [format!("client/{at}"), "client/all".to_owned()];
                    let committed = journal.append(many(&[&streams[0], &streams[1]])).await.unwrap();
                    let mut out = std::io::stdout().lock();
                    for entry in committed.entries {
                        writeln!(out, "answered {} {}", entry.seq, entry.hash).unwrap();
                    }
                }
            })
        })
        .collect();
    futures::future::join_all(tasks).await;
}

#[test]
fn every_answered_entry_survives_a_kill() {
    let dir = folder();
    let mut answered = HashMap::new();
    for kill_after in [1, 40, 333, 700] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journal::tests::kill::child", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let (mut line, mut count) = (String::new(), 0);
        while lines.read_line(&mut line).unwrap() > 0 {
            // The first line of the test runner may stand before it; a last one may be half.
            if let Some((_, answer)) = line.trim_end().split_once("answered ")
                && let Some((seq, hash)) = answer.split_once(' ').filter(|(_, hash)| hash.len() == 64)
            {
                answered.insert(seq.parse::<u64>().unwrap(), hash.to_owned());
                count += 1;
                if count == kill_after {
                    child.kill().unwrap();
                }
            }
            line.clear();
        }
        child.wait().unwrap();
        assert!(count >= kill_after, "the child ended early");
    }
    let (journal, _) = FileJournal::open(options(dir.path()), |_| {}).unwrap();
    let entries = all(&journal);
    for (seq, hash) in answered {
        assert_eq!(entries[seq as usize - 1].hash.to_string(), hash);
    }
    assert!(entries.last().unwrap().more == 0);
}
