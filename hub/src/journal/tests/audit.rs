//! The operator's and the auditor's tools.

use std::fs;
use std::process::Command;

use super::*;

async fn three(dir: &Path) -> Vec<Arc<Entry>> {
    let journal = open(dir);
    let claims = vec![Claim::lasting("k")];
    journal.append(Append { claims, ..one("client/a") }).await.unwrap();
    journal.append(many(&["client/b", "client/a"])).await.unwrap();
    all(&journal)
}

fn order(at: u64) -> CutOrder {
    CutOrder { at, reason: "bad disk".into(), org: "operators".into(), actor: actor(), request_id: "r-9".into() }
}

fn segment(dir: &Path) -> std::path::PathBuf {
    dir.join("00000000000000000001.jsonl")
}

/// Runs the recipe of the module's header, taken from there.
#[tokio::test]
async fn an_auditor_needs_sed_and_sha256sum() {
    let dir = folder();
    let entries = three(dir.path()).await;
    let header = include_str!("../mod.rs");
    let recipe: String = header
        .lines()
        .skip_while(|line| *line != "//! ```sh")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| format!("{}\n", line.trim_start_matches("//!").trim_start()))
        .collect();
    for (at, entry) in entries.iter().enumerate() {
        let script = format!("segment='{}'; n={}; {recipe}", segment(dir.path()).display(), at + 1);
        let output = Command::new("sh").args(["-c", &script]).env("LC_ALL", "C").output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let digests: Vec<_> = told.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(digests, [entry.hash.to_string(), entry.data_hash.to_string()], "{script}");
    }
}

#[tokio::test]
async fn verify_tells_of_the_first_broken_entry() {
    let dir = folder();
    let entries = three(dir.path()).await;
    let mut calls = 0;
    let report = verify(dir.path(), |_| calls += 1).unwrap();
    assert_eq!((report.entries, report.segments, report.head, calls), (3, 1, entries[2].hash, 1));
    assert!(report.broken.is_none());
    let text = fs::read_to_string(segment(dir.path())).unwrap();
    fs::write(segment(dir.path()), text.replacen("Zoë", "Zoe", 1)).unwrap();
    let broken = verify(dir.path(), |_| {}).unwrap().broken.unwrap();
    assert_eq!((broken.offset, broken.seq, broken.cut_at, broken.unfinished), (0, 1, 1, false));
    assert!(broken.fault.starts_with("dataHash: the line says"), "{}", broken.fault);
}

#[tokio::test]
async fn verify_and_show_run_beside_the_hub() {
    let dir = folder();
    let journal = open(dir.path());
    journal.append(one("client/a")).await.unwrap();
    assert_eq!(verify(dir.path(), |_| {}).unwrap().entries, 1);
    assert_eq!(lines(dir.path(), Filter::default()).unwrap().count(), 1);
    assert!(matches!(cut(dir.path(), order(1)), Err(CutError::Open(OpenError::Held { .. }))));
}

#[tokio::test]
async fn export_gives_the_stored_lines() {
    let dir = folder();
    let entries = three(dir.path()).await;
    let stored = fs::read_to_string(segment(dir.path())).unwrap();
    let exported: String =
        lines(dir.path(), Filter::default()).unwrap().map(|shown| shown.unwrap().line + "\n").collect();
    assert_eq!(exported, stored);
    let seqs = |filter: Filter| -> Vec<u64> {
        lines(dir.path(), filter).unwrap().map(|shown| shown.unwrap().entry.seq).collect()
    };
    assert_eq!(seqs(Filter { stream: Some("client/a".into()), ..Filter::default() }), [1, 3]);
    assert_eq!(seqs(Filter { org: Some("other".into()), ..Filter::default() }), [0; 0]);
    assert_eq!(
        seqs(Filter { kind: Some("client.updated".into()), from: Some(Edge::Seq(2)), ..Filter::default() }),
        [2, 3]
    );
    assert_eq!(seqs(Filter { to: Some(Edge::Seq(2)), ..Filter::default() }), [1, 2]);
    let (from, to) = (Some(Edge::Time(entries[0].time)), Some(Edge::Time(entries[2].time)));
    assert_eq!(seqs(Filter { from, to, ..Filter::default() }), [1, 2, 3]);
    assert_eq!("17".parse(), Ok(Edge::Seq(17)));
    assert!("2026-03-01T00:00:00Z".parse::<Edge>().is_ok());
    assert!("monday".parse::<Edge>().unwrap_err().to_string().contains("Expected a seq"));
}

#[tokio::test]
async fn a_cut_is_recorded_and_what_it_removed_is_kept() {
    let dir = folder();
    let small = || Options { segment_bytes: 3000, ..options(dir.path()) };
    let (journal, _) = FileJournal::open(small(), |_| {}).unwrap();
    for _ in 0..10 {
        journal.append(many(&["client/a", "client/b"])).await.unwrap();
    }
    let hash = all(&journal)[3].hash;
    drop(journal);
    let stored: String =
        lines(dir.path(), Filter::default()).unwrap().map(|shown| shown.unwrap().line + "\n").collect();

    assert!(matches!(cut(dir.path(), order(6)), Err(CutError::InsideAppend { at: 6, first: 5 })));
    assert!(matches!(cut(dir.path(), order(21)), Err(CutError::NoSuchEntry { at: 21, last: 20 })));
    assert!(matches!(cut(dir.path(), order(0)), Err(CutError::NoSuchEntry { .. })));
    assert!(matches!(cut(dir.path(), CutOrder { reason: " ".into(), ..order(5) }), Err(CutError::NoReason)));
    let report = cut(dir.path(), order(5)).unwrap();
    assert_eq!((report.last, report.hash, report.entry), (4, hash, 5));
    let kept = fs::read_to_string(dir.path().join(report.kept.unwrap())).unwrap();
    assert_eq!(kept.lines().count(), 16);
    assert!(stored.ends_with(&kept));

    let journal = open(dir.path());
    let entries = all(&journal);
    assert_eq!((entries.len(), journal.version("client/a")), (5, 2));
    let record = &entries[4];
    assert_eq!((&*record.kind, record.stream.as_str(), record.prev), ("journal.cut", "journal", hash));
    assert!(record.data.as_ref().unwrap().get().contains(r#""at":5,"reason":"bad disk""#));
}

#[tokio::test]
async fn a_damaged_journal_opens_again_behind_a_cut() {
    let dir = folder();
    three(dir.path()).await;
    open(dir.path()).append(one("client/c")).await.unwrap();
    let text = fs::read_to_string(segment(dir.path())).unwrap();
    let third = text.match_indices('\n').nth(1).unwrap().0 + 1;
    fs::write(segment(dir.path()), format!("{}x{}", &text[..third], &text[third..])).unwrap();
    assert!(matches!(FileJournal::open(options(dir.path()), |_| {}), Err(OpenError::Damaged { cut_at: 2, .. })));
    assert!(matches!(cut(dir.path(), order(3)), Err(CutError::BehindDamage { at: 3, first: 2 })));
    assert_eq!(cut(dir.path(), order(2)).unwrap().entry, 2);
    assert_eq!(all(&open(dir.path())).len(), 2);
}
