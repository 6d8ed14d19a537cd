//! What an append promises: order, versions, claims, atomicity, and that it is there after a restart.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::*;

#[tokio::test]
async fn entries_are_chained_and_there_after_a_restart() {
    let dir = folder();
    let journal = open(dir.path());
    let mut committed = Vec::new();
    for stream in ["client/a", "client/b", "client/a"] {
        committed.extend(journal.append(one(stream)).await.unwrap().entries);
    }
    let places: Vec<_> = committed.iter().map(|entry| (entry.seq, entry.version)).collect();
    assert_eq!(places, [(1, 1), (2, 1), (3, 2)]);
    assert_eq!(committed[0].prev, Digest::ZERO);
    assert_eq!(committed[2].prev, committed[1].hash);
    assert!(committed.windows(2).all(|pair| pair[0].time <= pair[1].time));
    assert_eq!(gists(&all(&journal)), gists(&committed));
    let head = journal.head();
    drop(journal);

    let (journal, report) = FileJournal::open(options(dir.path()), |_| {}).unwrap();
    assert_eq!((report.entries, report.head, report.cut), (3, head, None));
    assert_eq!(gists(&all(&journal)), gists(&committed));
    assert_eq!((journal.version("client/a"), journal.version("client/c")), (2, 0));
    let next = journal.append(one("client/a")).await.unwrap().entries;
    assert_eq!((next[0].seq, next[0].version, next[0].prev), (4, 3, head.hash));
}

#[tokio::test]
async fn a_stream_that_has_moved_is_a_conflict_and_nothing_is_written() {
    let dir = folder();
    let journal = open(dir.path());
    journal.append(one("client/a")).await.unwrap();
    let mut append = many(&["client/b", "client/a"]);
    append.expects = vec![("client/b".into(), 0), ("client/a".into(), 0)];
    let refusal = journal.append(append).await.unwrap_err();
    assert_eq!(refusal, AppendError::Conflict { stream: "client/a".into(), expected: 0, actual: 1 });
    assert_eq!((journal.head().seq, journal.version("client/b")), (1, 0));
}

#[tokio::test]
async fn a_claim_is_taken_once_until_it_is_released() {
    let dir = folder();
    let journal = open(dir.path());
    let claiming = |stream| Append { claims: vec![Claim::lasting("company/o/GB/1")], ..one(stream) };
    journal.append(one("client/z")).await.unwrap();
    let first = journal.append(claiming("client/a")).await.unwrap();
    assert_eq!(first.entries[0].seq, 2);
    let taken = AppendError::Claimed { claim: "company/o/GB/1".into(), by: 2 };
    assert_eq!(journal.append(claiming("client/b")).await.unwrap_err(), taken);
    drop(journal);

    let journal = open(dir.path());
    assert_eq!(journal.claimed("company/o/GB/1"), Some(2));
    assert_eq!(journal.append(claiming("client/b")).await.unwrap_err(), taken);
    let release = Append { releases: vec!["company/o/GB/1".into()], ..one("client/a") };
    journal.append(release).await.unwrap();
    assert_eq!(journal.claimed("company/o/GB/1"), None);
    assert!(journal.append(claiming("client/b")).await.is_ok());
    let again = Append { releases: vec!["company/o/GB/1".into()], ..claiming("client/b") };
    assert!(journal.append(again).await.is_ok());
    let text = std::fs::read_to_string(dir.path().join("00000000000000000001.jsonl")).unwrap();
    assert!(!text.contains("company/o/GB/1"));
}

#[tokio::test]
async fn a_claim_lapses() {
    let dir = folder();
    let journal = open(dir.path());
    let claiming = |lasts| Append { claims: vec![Claim::expiring("request/o/m/k", lasts)], ..one("client/a") };
    journal.append(claiming(Duration::ZERO)).await.unwrap();
    assert_eq!(journal.claimed("request/o/m/k"), None);
    journal.append(claiming(Duration::from_secs(86_400))).await.unwrap();
    assert_eq!(journal.claimed("request/o/m/k"), Some(2));
    drop(journal);
    let journal = open(dir.path());
    assert_eq!(journal.claimed("request/o/m/k"), Some(2));
    let taken = AppendError::Claimed { claim: "request/o/m/k".into(), by: 2 };
    assert_eq!(journal.append(claiming(Duration::ZERO)).await.unwrap_err(), taken);
}

#[tokio::test]
async fn an_append_without_entries_and_one_too_long_are_refused() {
    let dir = folder();
    let journal = open(dir.path());
    assert!(matches!(journal.append(Append::default()).await, Err(AppendError::Invalid(_))));
    let long = format!("\"{}\"", "x".repeat(5 << 20));
    let append = Append { entries: vec![entry("client/a", &long)], ..Append::default() };
    assert!(matches!(journal.append(append).await, Err(AppendError::TooLarge { .. })));
    assert_eq!(journal.head().seq, 0);
}

#[tokio::test]
async fn segments_follow_each_other_and_every_entry_is_found() {
    let dir = folder();
    let small = || Options { segment_bytes: 4000, ..options(dir.path()) };
    let (journal, _) = FileJournal::open(small(), |_| {}).unwrap();
    for _ in 0..100 {
        journal.append(many(&["client/a", "client/b"])).await.unwrap();
    }
    drop(journal);
    let (journal, report) = FileJournal::open(small(), |_| {}).unwrap();
    assert!(report.segments > 10);
    let entries = all(&journal);
    assert_eq!(entries.len(), 200);
    for seq in 1..=200 {
        assert_eq!(journal.entry(seq).unwrap().unwrap().hash, entries[seq as usize - 1].hash);
        assert_eq!(journal.read(seq).count() as u64, 201 - seq);
    }
    assert!(journal.entry(0).unwrap().is_none() && journal.entry(201).unwrap().is_none());
}

#[tokio::test]
async fn everything_is_folded_before_it_is_answered() {
    let dir = folder();
    let folded = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let seen = folded.clone();
    let fold = move |entries: &[Arc<Entry>]| seen.lock().extend(entries.iter().map(|entry| entry.seq));
    let journal = Arc::new(FileJournal::open(options(dir.path()), fold).unwrap().0);
    let tasks: Vec<_> = (0..64)
        .map(|at| {
            let (journal, folded) = (journal.clone(), folded.clone());
            tokio::spawn(async move {
                let committed = journal.append(one(&format!("client/{at}"))).await.unwrap();
                assert!(folded.lock().contains(&committed.entries[0].seq));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*folded.lock(), (1..=64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_second_hub_is_refused_and_told_who_holds_it() {
    let dir = folder();
    let journal = open(dir.path());
    let refusal = FileJournal::open(options(dir.path()), |_| {}).err().unwrap();
    assert!(refusal.to_string().contains(&format!("held by process {}", std::process::id())), "{refusal}");
    journal.close();
    assert_eq!(journal.append(one("client/a")).await.unwrap_err(), AppendError::Closed);
    open(dir.path());
}

#[tokio::test]
async fn files_belong_to_the_owner_alone() {
    let dir = folder();
    let path = dir.path().join("data").join("journal");
    open(&path).append(one("client/a")).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o700, 0o700));
    let files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 4);
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[tokio::test]
async fn a_lost_or_foreign_claims_key_is_refused() {
    let (dir, other) = (folder(), folder());
    open(dir.path()).append(one("client/a")).await.unwrap();
    open(other.path()).append(one("client/a")).await.unwrap();
    let key = dir.path().join("claims.key");
    std::fs::copy(other.path().join("claims.key"), &key).unwrap();
    let foreign = FileJournal::open(options(dir.path()), |_| {}).err().unwrap().to_string();
    assert!(foreign.contains("key of another journal"), "{foreign}");
    std::fs::remove_file(&key).unwrap();
    let lost = FileJournal::open(options(dir.path()), |_| {}).err().unwrap().to_string();
    assert!(lost.contains("missing") && !key.exists(), "{lost}");
}
