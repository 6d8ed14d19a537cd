//! Damage anywhere: refused with its place, or cut off where only the newest group is concerned. Never a
//! loss that nobody is told of, never a change to what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

const SEGMENT: u64 = 4000;

fn small(dir: &Path) -> Options {
    Options { segment_bytes: SEGMENT, ..options(dir) }
}

/// A journal of groups of these sizes; the last one never answered, where `torn` says so.
fn written(dir: &Path, groups: &[usize], torn: bool) -> Vec<Arc<Entry>> {
    let journal = FileJournal::open(small(dir), |_| {}).unwrap().0;
    for (at, size) in groups.iter().enumerate() {
        if at + 1 == groups.len() {
            fs::copy(dir.join("head"), dir.join("head.before")).unwrap();
        }
        let append = many(&vec!["client/a"; *size]);
        futures::executor::block_on(journal.append(append)).unwrap();
    }
    let entries = all(&journal);
    drop(journal);
    if torn {
        fs::rename(dir.join("head.before"), dir.join("head")).unwrap();
    }
    entries
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().contains("/0000"));
    paths.sort();
    paths
}

fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    segments(dir).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[derive(Debug, Clone)]
enum Harm {
    Flip(u8),
    Truncate,
    Zero(usize),
    Remove(usize),
    Insert(Vec<u8>),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        (0u8..8).prop_map(Harm::Flip),
        Just(Harm::Truncate),
        (1usize..2000).prop_map(Harm::Zero),
        (1usize..2000).prop_map(Harm::Remove),
        prop::collection::vec(any::<u8>(), 1..40).prop_map(Harm::Insert),
    ]
}

fn do_harm(bytes: &mut Vec<u8>, at: usize, harm: &Harm) {
    let end = |length: usize| (at + length).min(bytes.len());
    match harm {
        Harm::Flip(bit) => bytes[at] ^= 1 << bit,
        Harm::Truncate => bytes.truncate(at),
        Harm::Zero(length) => {
            let end = end(*length);
            bytes[at..end].fill(0);
        }
        Harm::Remove(length) => drop(bytes.drain(at..end(*length))),
        Harm::Insert(more) => drop(bytes.splice(at..at, more.iter().copied())),
    }
}

fn check(groups: &[usize], torn: bool, place: (&prop::sample::Index, &prop::sample::Index), harm: &Harm) {
    let dir = folder();
    let entries = written(dir.path(), groups, torn);
    let newest = entries.last().unwrap().group;
    let answered = if torn { newest as usize - 1 } else { entries.len() };
    let paths = segments(dir.path());
    let path = &paths[place.0.index(paths.len())];
    let mut bytes = fs::read(path).unwrap();
    let at = place.1.index(bytes.len());
    do_harm(&mut bytes, at, harm);
    fs::write(path, bytes).unwrap();
    let harmed = snapshot(dir.path());
    let told = verify(dir.path(), |_| {}).unwrap();
    assert_eq!(snapshot(dir.path()), harmed);

    match FileJournal::open(small(dir.path()), |_| {}) {
        Ok((journal, report)) => {
            let left = all(&journal);
            assert_eq!(gists(&left), gists(&entries[..left.len()]));
            assert_eq!(told.broken.is_some(), report.cut.is_some());
            assert!(left.len() >= answered, "an answered entry is lost and nobody is told");
            assert!(report.cut.is_none() || told.broken.unwrap().unfinished);
            futures::executor::block_on(journal.append(one("client/a"))).unwrap();
            drop(journal);
            assert!(verify(dir.path(), |_| {}).unwrap().broken.is_none());
        }
        Err(OpenError::Damaged { broken, cut_at }) => {
            assert_eq!(snapshot(dir.path()), harmed, "a refused journal was changed");
            let finding = told.broken.unwrap();
            assert_eq!((&finding.segment, finding.offset, finding.seq), (&broken.segment, broken.offset, broken.seq));
            assert!(!finding.unfinished && cut_at <= broken.seq);
            let first = entries.iter().find(|entry| entry.seq == broken.seq);
            assert!(first.is_none_or(|entry| entry.group <= newest));
            let before = path.ends_with(&broken.segment) && broken.offset <= at as u64;
            assert!(before || matches!(broken.fault, Fault::Gap { .. }), "{broken} for harm at {at} of {path:?}");
        }
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn damage_is_never_silent(
        groups in prop::collection::vec(1usize..5, 1..16),
        torn: bool,
        segment: prop::sample::Index,
        at: prop::sample::Index,
        harm in harm(),
    ) {
        check(&groups, torn, (&segment, &at), &harm);
    }
}

#[test]
fn a_flush_that_never_ended_is_cut_off_with_all_of_its_appends_whole() {
    let dir = folder();
    let entries = written(dir.path(), &[1, 1, 3], true);
    let path = segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // Ends exactly behind the first of three entries of one append.
    let text = String::from_utf8(bytes.clone()).unwrap();
    let keep: usize = text.split_inclusive('\n').take(3).map(str::len).sum();
    bytes.truncate(keep);
    fs::write(&path, &bytes).unwrap();
    let (journal, report) = FileJournal::open(small(dir.path()), |_| {}).unwrap();
    let cut = report.cut.unwrap();
    assert_eq!((cut.from, cut.broken.fault), (3, Fault::Unfinished(2)));
    assert_eq!(gists(&all(&journal)), gists(&entries[..2]));
    let kept = fs::read(dir.path().join(cut.kept.unwrap())).unwrap();
    assert_eq!(kept.len() as u64, cut.bytes);
    assert!(bytes.ends_with(&kept));
}

#[test]
fn damage_with_a_later_group_behind_it_is_refused_with_its_place() {
    let dir = folder();
    written(dir.path(), &[1, 2, 1], false);
    let path = segments(dir.path()).remove(0);
    let text = fs::read_to_string(&path).unwrap();
    let second = text.find('\n').unwrap() + 1;
    let (first, rest) = text.split_at(second);
    fs::write(&path, format!("{first}{}", rest.replacen("client.updated", "client.opdated", 1))).unwrap();
    let refusal = FileJournal::open(small(dir.path()), |_| {}).err().unwrap().to_string();
    let place = format!("segment 00000000000000000001.jsonl, offset {second}, seq 2: hash:");
    assert!(refusal.contains(&place) && refusal.contains("cut --at 2"), "{refusal}");
}

#[test]
fn segments_that_are_gone_are_missed() {
    for gone in [0, 1, usize::MAX] {
        let dir = folder();
        written(dir.path(), &[2; 20], false);
        let paths = segments(dir.path());
        assert!(paths.len() > 2);
        for (at, path) in paths.iter().enumerate() {
            if gone == at || gone == usize::MAX {
                fs::remove_file(path).unwrap();
            }
        }
        let refusal = FileJournal::open(small(dir.path()), |_| {}).err().unwrap();
        assert!(matches!(refusal, OpenError::Damaged { .. }), "{refusal}");
    }
}

#[test]
fn an_entry_rewritten_with_all_its_digests_is_known_by_the_head() {
    let (dir, other) = (folder(), folder());
    written(dir.path(), &[1, 1], false);
    written(other.path(), &[1, 1], false);
    fs::copy(&segments(other.path())[0], &segments(dir.path())[0]).unwrap();
    let refusal = FileJournal::open(small(dir.path()), |_| {}).err().unwrap().to_string();
    assert!(refusal.contains("the entry that was answered here had the hash"), "{refusal}");
}
