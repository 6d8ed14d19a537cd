//! Which module of the hub may use which: reads every `crate::` in the sources and fails on an arrow that is not allowed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use, beside itself and `USED_BY_ALL`. The edges may use everything and are not listed.
///
/// `domain` is the vocabulary that the interfaces of `access`, `actors` and `state` are written in, so that whoever may
/// use those may name it; it uses nothing itself.
const ALLOWED: [(&str, &[&str]); 10] = [
    ("http", &["access", "actors", "state", "adapters", "domain"]),
    ("access", &["domain", "state"]),
    ("actors", &["access", "domain", "journal", "state", "sync", "adapters", "notify"]),
    ("domain", &[]),
    ("journal", &["domain"]),
    ("state", &["domain", "journal"]),
    ("sync", &["domain", "journal", "state", "adapters"]),
    ("adapters", &["domain::delivery"]),
    ("notify", &["journal"]),
    ("conformance", &["adapters"]),
];
/// The composition root and what else sees the whole.
const EDGES: [&str; 9] = ["cli", "config", "telemetry", "error", "faults", "file", "startup", "shutdown", "main"];
const USED_BY_ALL: [&str; 4] = ["telemetry", "error", "faults", "file"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // Tests and what is made for them may look wherever they like.
        if name == "tests" || name == "tests.rs" || name == "testing.rs" || name.ends_with("_tests.rs") {
            continue;
        }
        if path.is_dir() {
            files.extend(sources(&path));
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files
}

/// The code of a file without comments and without its module of tests, which comes last.
fn code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_tests = |at: usize| {
        let next = lines[at + 1..].iter().find(|line| !line.trim_start().starts_with("#["));
        lines[at].starts_with("#[cfg(test)]") && next.is_some_and(|line| line.contains("mod "))
    };
    let end = (0..lines.len()).find(|at| is_tests(*at)).unwrap_or(lines.len());
    lines[..end].iter().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// The paths that follow `crate::`, two names deep; a group in braces is taken apart.
fn uses(code: &str) -> Vec<String> {
    code.match_indices("crate::").flat_map(|(at, found)| paths(&code[at + found.len()..], 2)).collect()
}

fn paths(text: &str, depth: usize) -> Vec<String> {
    if let Some(group) = text.strip_prefix('{') {
        return members(group).into_iter().flat_map(|member| paths(member.trim(), depth)).collect();
    }
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    match text[name.len()..].strip_prefix("::") {
        Some(rest) if depth > 1 => paths(rest, depth - 1).into_iter().map(|below| format!("{name}::{below}")).collect(),
        _ => vec![name],
    }
}

/// What stands between commas up to the brace that closes the group.
fn members(group: &str) -> Vec<&str> {
    let (mut open, mut start, mut members) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => {
                members.push(&group[start..at]);
                break;
            }
            '}' => open -= 1,
            ',' if open == 0 => {
                members.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members.retain(|member| !member.trim().is_empty());
    members
}

fn is_allowed(module: &str, used: &str) -> bool {
    let top = used.split("::").next().unwrap_or(used);
    let allowed = ALLOWED.iter().find(|(name, _)| *name == module).map_or(&[][..], |(_, allowed)| allowed);
    let covers = |allowed: &&str| *used == **allowed || used.starts_with(&format!("{allowed}::"));
    top == module || USED_BY_ALL.contains(&top) || allowed.iter().any(covers)
}

#[test]
fn modules_use_only_what_they_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut arrows = 0;
    for file in sources(&root) {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if EDGES.contains(&module) || module == "lib" {
            continue;
        }
        assert!(ALLOWED.iter().any(|(name, _)| *name == module), "{module} is in no table: say what it may use");
        for used in uses(&code(&fs::read_to_string(&file).unwrap())) {
            arrows += 1;
            if !is_allowed(module, &used) {
                wrong.entry(format!("{module} -> {used}")).or_default().push(inside.display().to_string());
            }
        }
    }
    assert!(arrows > 100, "only {arrows} uses were found: the sources are read wrongly");
    assert!(wrong.is_empty(), "arrows that are not allowed: {wrong:#?}");
}

#[test]
fn paths_are_read_out_of_every_way_to_write_them() {
    let read = |text: &str| uses(&code(text));
    assert_eq!(read("use crate::state::{State, x};\n"), ["state::State", "state::x"]);
    assert_eq!(
        read("use crate::{access, state::{self, Rows}, sync::work};\n"),
        ["access", "state::self", "state::Rows", "sync::work"]
    );
    assert_eq!(read("fn f(a: &crate::journal::Entry) -> crate::http::X {}\n"), ["journal::Entry", "http::X"]);
    assert_eq!(read("use crate::{\n    a::{b, c},\n    d,\n};\n"), ["a::b", "a::c", "d"]);
    assert!(
        read("// crate::http\n/// [`crate::http`]\n#[cfg(test)]\n#[allow(x)]\nmod tests { use crate::http::X; }\n")
            .is_empty()
    );
}

#[test]
fn the_table_is_what_it_says() {
    assert!(
        is_allowed("http", "actors::Tree")
            && is_allowed("sync", "telemetry::Metrics")
            && is_allowed("state", "state::X")
    );
    assert!(is_allowed("adapters", "domain::delivery::Adapter") && !is_allowed("adapters", "domain::client"));
    assert!(
        !is_allowed("http", "journal::Entry") && !is_allowed("domain", "state::X") && !is_allowed("notify", "sync")
    );
}
