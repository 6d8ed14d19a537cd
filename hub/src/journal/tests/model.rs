//! The journal against the simplest thing that could behave like it, over random histories with restarts.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Append { streams: Vec<usize>, expects: Vec<(usize, i8)>, claims: Vec<usize>, releases: Vec<usize> },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let few = |most| prop::collection::vec(0..4usize, 0..most);
    let expects = prop::collection::vec((0..4usize, prop_oneof![4 => Just(0i8), 1 => -1..2i8]), 0..3);
    let append = (prop::collection::vec(0..4usize, 1..4), expects, few(2), few(2))
        .prop_map(|(streams, expects, claims, releases)| Step::Append { streams, expects, claims, releases });
    prop_oneof![12 => append, 1 => Just(Step::Reopen)]
}

#[derive(Default)]
struct Model {
    seq: u64,
    versions: HashMap<usize, u64>,
    claims: HashMap<usize, u64>,
}

impl Model {
    fn append(
        &mut self,
        streams: &[usize],
        expects: &[(usize, u64)],
        claims: &[usize],
        releases: &[usize],
    ) -> Result<Vec<(u64, u64)>, AppendError> {
        for claim in claims {
            if let (Some(by), false) = (self.claims.get(claim), releases.contains(claim)) {
                return Err(AppendError::Claimed { claim: format!("claim/{claim}"), by: *by });
            }
        }
        for (stream, expected) in expects {
            let actual = self.version(*stream);
            if actual != *expected {
                return Err(AppendError::Conflict { stream: format!("client/{stream}"), expected: *expected, actual });
            }
        }
        self.claims.retain(|claim, _| !releases.contains(claim));
        self.claims.extend(claims.iter().map(|claim| (*claim, self.seq + 1)));
        Ok(streams
            .iter()
            .map(|stream| {
                self.seq += 1;
                let version = self.versions.entry(*stream).or_default();
                *version += 1;
                (self.seq, *version)
            })
            .collect())
    }

    fn version(&self, stream: usize) -> u64 {
        self.versions.get(&stream).copied().unwrap_or_default()
    }
}

fn run(steps: Vec<Step>) {
    let dir = folder();
    let small = || Options { segment_bytes: 3000, ..options(dir.path()) };
    let mut journal = FileJournal::open(small(), |_| {}).unwrap().0;
    let mut model = Model::default();
    for step in steps {
        let Step::Append { streams, expects, claims, releases } = step else {
            drop(journal);
            journal = FileJournal::open(small(), |_| {}).unwrap().0;
            continue;
        };
        let expects: Vec<_> = expects
            .iter()
            .map(|(stream, off)| (*stream, model.version(*stream).saturating_add_signed((*off).into())))
            .collect();
        let expected = model.append(&streams, &expects, &claims, &releases);
        let names: Vec<_> = streams.iter().map(|stream| format!("client/{stream}")).collect();
        let append = Append {
            expects: expects.into_iter().map(|(stream, version)| (format!("client/{stream}"), version)).collect(),
            claims: claims.iter().map(|claim| Claim::lasting(format!("claim/{claim}"))).collect(),
            releases: releases.iter().map(|claim| format!("claim/{claim}")).collect(),
            ..many(&names.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let found = futures::executor::block_on(journal.append(append));
        let found =
            found.map(|committed| committed.entries.iter().map(|entry| (entry.seq, entry.version)).collect::<Vec<_>>());
        assert_eq!(found, expected);
    }
    for at in 0..4 {
        assert_eq!(journal.version(&format!("client/{at}")), model.version(at));
        assert_eq!(journal.claimed(&format!("claim/{at}")), model.claims.get(&at).copied());
    }
    assert_eq!(all(&journal).len() as u64, model.seq);
    assert!(verify(dir.path(), |_| {}).unwrap().broken.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn it_behaves_like_the_model(steps in prop::collection::vec(step(), 1..60)) {
        run(steps);
    }
}
