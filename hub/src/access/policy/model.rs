//! `model.conf`: the casbin model, read strictly before casbin sees it.
//!
//! casbin takes a model that it can't use and fails at the first request: it panics over an unknown effect, and its
//! expression engine can loop or overflow the stack. So here a definition has its fixed number of fields, an effect is
//! the one that denies by default, and a matcher is a plain comparison of fields.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::matcher;
use super::source::{MODEL, Source};

/// The one effect: a line that matches is needed.
const EFFECT: &str = "some(where (p.eft == allow))";

const SECTIONS: [(&str, &[&str]); 5] = [
    ("request_definition", &["r", "r2"]),
    ("policy_definition", &["p", "p2"]),
    ("role_definition", &["g"]),
    ("policy_effect", &["e", "e2"]),
    ("matchers", &["m", "m2"]),
];

/// A key's value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: String,
    /// Line, and column of the value.
    pub(super) place: (usize, usize),
}

/// The model, by key.
#[derive(Debug, Default)]
pub(super) struct Model {
    entries: BTreeMap<&'static str, Entry>,
}

impl Model {
    pub(super) fn read(source: &Source, findings: &mut Vec<Finding>) -> Self {
        let (mut model, mut own) = (Self::default(), Vec::new());
        match source.text(MODEL) {
            Ok(text) => {
                model.read_lines(text, &mut own);
                model.check(&mut own);
            }
            Err(finding) => own.push(finding),
        }
        findings.append(&mut own);
        model
    }

    /// The keys as casbin wants them: section, key, value.
    pub(super) fn definitions(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        self.entries.iter().map(|(key, entry)| (key.get(..1).unwrap_or(key), *key, entry.value.as_str()))
    }

    /// Where the value of `key` stands.
    pub(super) fn place(&self, key: &str) -> (usize, usize) {
        self.entries.get(key).map_or((0, 0), |entry| entry.place)
    }

    fn read_lines(&mut self, text: &str, findings: &mut Vec<Finding>) {
        let (mut keys, mut known): (&[&'static str], bool) = (&[], true);
        for (index, line) in text.lines().enumerate() {
            let (number, trimmed) = (index + 1, line.trim());
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if trimmed.starts_with('[') {
                let found = SECTIONS.iter().find(|(name, _)| trimmed == format!("[{name}]"));
                (keys, known) = (found.map_or(&[][..], |(_, keys)| *keys), found.is_some());
                if !known {
                    let names: Vec<String> = SECTIONS.iter().map(|(name, _)| format!("[{name}]")).collect();
                    let message = format!("unknown section `{}`", shown(trimmed));
                    findings.push(Finding::at(MODEL, (number, 1), message).expected(names.join(", ")));
                }
            } else if known {
                self.add(keys, (number, line), findings);
            }
        }
    }

    fn add(&mut self, keys: &[&'static str], (number, line): (usize, &str), findings: &mut Vec<Finding>) {
        let Some((name, value)) = line.split_once('=') else {
            let finding = Finding::at(MODEL, (number, 1), "a line that is neither section nor definition");
            return findings.push(finding.expected("`key = value`"));
        };
        let Some(key) = keys.iter().find(|key| **key == name.trim()) else {
            let expected = if keys.is_empty() { "a section first".to_owned() } else { keys.join(" or ") };
            let message = format!("unknown key `{}` here", shown(name.trim()));
            return findings.push(Finding::at(MODEL, (number, 1), message).expected(expected));
        };
        let lead = value.chars().take_while(|c| c.is_whitespace()).count();
        let place = (number, name.chars().count() + 2 + lead);
        let entry = Entry { value: value.trim().to_owned(), place };
        if let Some(first) = self.entries.insert(key, entry) {
            let message = format!("`{key}` is defined in line {} already", first.place.0);
            findings.push(Finding::at(MODEL, (number, 1), message).expected("each key once"));
        }
    }

    fn check(&self, findings: &mut Vec<Finding>) {
        for (section, keys) in SECTIONS {
            for key in keys.iter().filter(|key| !self.entries.contains_key(**key)) {
                let finding = Finding::of(MODEL, format!("`{key}` is missing"));
                findings.push(finding.expected(format!("`{key} = …` in [{section}]")));
            }
        }
        let request = self.fields("r", &["role", "action", "held"], findings);
        let policy = self.fields("p", &["permission", "action"], findings);
        let request2 = self.fields("r2", &["role", "action", "held"], findings);
        let policy2 = self.fields("p2", &["id", "role", "action", "condition"], findings);
        self.exactly("g", "_, _", findings);
        self.exactly("e", EFFECT, findings);
        self.exactly("e2", EFFECT, findings);
        self.matcher("m", (&request, &policy), findings);
        self.matcher("m2", (&request2, &policy2), findings);
    }

    /// The field names of a definition: as many as `meaning`, and different ones.
    fn fields(&self, key: &str, meaning: &[&str], findings: &mut Vec<Finding>) -> Vec<String> {
        let Some(entry) = self.entries.get(key) else { return Vec::new() };
        let fields: Vec<String> = entry.value.split(',').map(|field| field.trim().to_owned()).collect();
        let named = fields.iter().all(|field| is_field(field));
        let distinct = fields.iter().enumerate().all(|(at, field)| !fields.iter().take(at).any(|other| other == field));
        if fields.len() != meaning.len() || !named || !distinct {
            let expected = format!("{} different names, as in `{key} = {}`", meaning.len(), meaning.join(", "));
            findings.push(Finding::at(MODEL, entry.place, "not the fields of this definition").expected(expected));
        }
        fields
    }

    fn exactly(&self, key: &str, expected: &str, findings: &mut Vec<Finding>) {
        let Some(entry) = self.entries.get(key) else { return };
        if entry.value != expected {
            let message = format!("`{}` is not supported", shown(&entry.value));
            findings.push(Finding::at(MODEL, entry.place, message).expected(format!("`{key} = {expected}`")));
        }
    }

    fn matcher(&self, key: &str, (request, policy): (&[String], &[String]), findings: &mut Vec<Finding>) {
        let Some(entry) = self.entries.get(key) else { return };
        let suffix = key.get(1..).unwrap_or("");
        let of = |letter: char, fields: &[String]| -> Vec<String> {
            fields.iter().map(|field| format!("{letter}{suffix}.{field}")).collect()
        };
        let fields = [of('r', request), of('p', policy)].concat();
        if let Err((offset, message, expected)) = matcher::check(&entry.value, &fields) {
            let (line, column) = entry.place;
            findings.push(Finding::at(MODEL, (line, column + offset), message).expected(expected));
        }
    }
}

fn is_field(name: &str) -> bool {
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    letters && name.len() <= 32 && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// At most as much of a text as a message needs.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
