//! A failing disk, a full disk, and what shares a flush.

use std::task::Poll;

use crossbeam_channel::{Sender, bounded};
use futures::future::{BoxFuture, join_all};
use futures::poll;

use super::disk::PlannedDisk;
use super::*;

fn planned(dir: &Path) -> (PlannedDisk, Arc<FileJournal>) {
    let disk = PlannedDisk::default();
    let journal = FileJournal::open_on(Arc::new(disk.clone()), options(dir), |_| {}).unwrap().0;
    (disk, Arc::new(journal))
}

const DISK: AppendError = AppendError::StorageUnavailable("the disk failed");

#[tokio::test]
async fn a_short_write_is_cut_off_and_the_journal_goes_on() {
    let dir = folder();
    let (disk, journal) = planned(dir.path());
    for short in [0, 1, 100, 100_000] {
        journal.append(one("client/a")).await.unwrap();
        disk.0.lock().short_write = Some(short);
        assert_eq!(journal.append(many(&["client/a", "client/b"])).await.unwrap_err(), DISK);
    }
    let last = journal.append(one("client/a")).await.unwrap();
    assert_eq!((last.entries[0].seq, last.entries[0].version), (5, 5));
    assert_eq!(journal.version("client/b"), 0);
    drop(journal);
    assert_eq!(all(&open(dir.path())).len(), 5);
}

#[tokio::test]
async fn a_failed_sync_is_never_repeated_on_the_same_file() {
    let dir = folder();
    let (disk, journal) = planned(dir.path());
    disk.0.lock().fail_sync = true;
    let claiming = || Append { claims: vec![Claim::lasting("k")], ..one("client/a") };
    assert_eq!(journal.append(claiming()).await.unwrap_err(), DISK);
    assert_eq!((journal.claimed("k"), journal.head()), (None, Head { seq: 0, hash: Digest::ZERO }));
    assert_eq!(journal.append(claiming()).await.unwrap().entries[0].seq, 1);
}

#[tokio::test]
async fn a_disk_that_stays_broken_ends_the_journal() {
    let dir = folder();
    let (disk, journal) = planned(dir.path());
    journal.append(one("client/a")).await.unwrap();
    {
        let mut plan = disk.0.lock();
        (plan.fail_sync, plan.fail_open) = (true, true);
    }
    assert_eq!(journal.append(one("client/a")).await.unwrap_err(), AppendError::Unknown);
    assert!(journal.failed().await.contains("could not be made whole"));
    let refusal = journal.append(one("client/a")).await.unwrap_err();
    assert!(matches!(refusal, AppendError::StorageUnavailable(_)), "{refusal:?}");
    assert_eq!(all(&journal).len(), 1);
}

#[tokio::test]
async fn the_reserve_refuses_changes_and_recovers_by_itself() {
    let dir = folder();
    let disk = PlannedDisk::default();
    disk.0.lock().free = Some(49 << 20);
    let journal = FileJournal::open_on(Arc::new(disk.clone()), Options::new(dir.path()), |_| {}).unwrap().0;
    let refusal = journal.append(one("client/a")).await.unwrap_err();
    assert_eq!(refusal, AppendError::StorageUnavailable("too little free space"));
    assert!(!journal.has_room());
    assert_eq!(journal.read(1).count(), 0);
    disk.0.lock().free = Some(51 << 20);
    while journal.append(one("client/a")).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(journal.head().seq, 1);
}

fn gated(dir: &Path) -> (PlannedDisk, Arc<FileJournal>, Sender<()>) {
    let (disk, journal) = planned(dir);
    let (open_gate, gate) = bounded(0);
    disk.0.lock().gate = Some(gate);
    (disk, journal, open_gate)
}

/// Polls each append once, so that all of them are in the queue in this order.
async fn send(
    appends: Vec<BoxFuture<'_, Result<Committed, AppendError>>>,
) -> Vec<BoxFuture<'_, Result<Committed, AppendError>>> {
    let mut sent = Vec::new();
    for mut append in appends {
        assert!(matches!(poll!(&mut append), Poll::Pending));
        sent.push(append);
    }
    sent
}

#[tokio::test]
async fn what_arrives_during_a_flush_shares_the_next() {
    let dir = folder();
    let (disk, journal, gate) = gated(dir.path());
    let first = send(vec![journal.append(one("client/0"))]).await;
    // The first flush may be shared by what follows at once, no more than that.
    let rest = send((1..50).map(|_| journal.append(one("client/1"))).collect()).await;
    let opener = std::thread::spawn(move || (0..2).for_each(|_| gate.send(()).unwrap()));
    let answers = join_all(first.into_iter().chain(rest)).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(disk.0.lock().flushes.len() <= 2);
    // Only the journal's end frees a gate that nobody waits at.
    disk.0.lock().gate = None;
    drop(opener);
}

#[tokio::test]
async fn a_refusal_that_rests_on_a_flush_waits_for_it_and_fails_with_it() {
    let dir = folder();
    let (disk, journal, gate) = gated(dir.path());
    disk.0.lock().fail_sync = true;
    let claiming = |stream: &str| Append { claims: vec![Claim::lasting("k")], ..one(stream) };
    let sent = send(vec![journal.append(claiming("client/a")), journal.append(claiming("client/b"))]).await;
    std::thread::spawn(move || while gate.send(()).is_ok() {});
    let answers = join_all(sent).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err() == &DISK), "{answers:?}");
    let both = join_all([journal.append(claiming("client/a")), journal.append(claiming("client/b"))]).await;
    assert_eq!(both[0].as_ref().unwrap().entries[0].seq, 1);
    assert_eq!(both[1].as_ref().unwrap_err(), &AppendError::Claimed { claim: "k".into(), by: 1 });
}
