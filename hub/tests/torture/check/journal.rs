//! The journal in itself: no gap, no version twice, no id twice, time never backwards.

use std::collections::{HashMap, HashSet};

use super::{Evidence, Findings};

pub fn look(evidence: &Evidence<'_>) -> Findings {
    let mut findings = Findings::new();
    let mut versions: HashMap<&str, u64> = HashMap::new();
    let mut ids = HashSet::new();
    let mut time = "";
    for (expected, entry) in (1..).zip(&evidence.entries) {
        if entry.seq != expected {
            findings.push(format!("journal: entry {} where {expected} was expected", entry.seq));
            break;
        }
        let version = versions.entry(&entry.stream).or_default();
        *version += 1;
        if entry.version != *version {
            let (seq, stream, found) = (entry.seq, &entry.stream, entry.version);
            findings.push(format!("journal: entry {seq} has version {found} of {stream}, expected {version}"));
            *version = entry.version;
        }
        if !ids.insert(&entry.id) {
            findings.push(format!("journal: entry {} has the id of an earlier one, {}", entry.seq, entry.id));
        }
        if entry.time.as_str() < time {
            findings.push(format!("journal: entry {} is of {}, before its predecessor", entry.seq, entry.time));
        }
        time = &entry.time;
    }
    findings
}
