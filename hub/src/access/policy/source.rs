//! The files of a policy folder, read whole before anything is made of them, and their digest.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_lc_rs::digest;
use serde::Serialize;

use super::finding::Finding;
use crate::file;

/// The files without which there is no policy.
pub(super) const MODEL: &str = "model.conf";
pub(super) const NAMES: &str = "names.csv";
pub(super) const POLICY: &str = "policy.csv";
pub(super) const CONDITIONS: &str = "conditions.csv";
const REQUIRED: [&str; 4] = [MODEL, NAMES, POLICY, CONDITIONS];

/// The largest file, in bytes, and how many files of cases there may be.
const MAX_BYTES: u64 = 1024 * 1024;
const MAX_CASES: usize = 200;

/// A file as reports show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// Relative to the folder.
    pub name: String,
    /// SHA-256, lower-case hexadecimal.
    pub digest: String,
    /// Bytes.
    pub size: usize,
}

/// What the files of a folder held at one time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    files: BTreeMap<String, Vec<u8>>,
}

impl Source {
    /// Reads a folder.
    ///
    /// # Errors
    /// A file is missing, too large or can't be read: all such findings.
    pub fn read(folder: &Path) -> Result<Self, Vec<Finding>> {
        if !folder.is_dir() {
            let finding = Finding::of(&folder.display().to_string(), "there is no such folder");
            return Err(vec![finding.expected(format!("a folder with {}", REQUIRED.join(", ")))]);
        }
        let (mut files, mut findings) = (BTreeMap::new(), Vec::new());
        let cases = cases(folder, &mut findings);
        let required = REQUIRED.into_iter().map(str::to_owned);
        for name in required.chain(cases) {
            match file::read(&folder.join(&name), MAX_BYTES) {
                Ok(bytes) => drop(files.insert(name, bytes)),
                Err(error) => {
                    let finding = Finding::of(&name, error.to_string());
                    findings.push(finding.expected("a regular file of at most 1 MiB that can be read"));
                }
            }
        }
        if findings.is_empty() { Ok(Self { files }) } else { Err(findings) }
    }

    /// SHA-256 over names and contents: the policy's identity.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut all = Vec::new();
        for (name, bytes) in &self.files {
            all.extend_from_slice(format!("{name}\u{0}{}\u{0}", bytes.len()).as_bytes());
            all.extend_from_slice(bytes);
        }
        format!("sha256:{}", sha256(&all))
    }

    /// The files, for a report.
    #[must_use]
    pub fn files(&self) -> Vec<SourceFile> {
        let file = |(name, bytes): (&String, &Vec<u8>)| SourceFile {
            name: name.clone(),
            digest: sha256(bytes),
            size: bytes.len(),
        };
        self.files.iter().map(file).collect()
    }

    /// The text of a file.
    pub(super) fn text(&self, name: &str) -> Result<&str, Finding> {
        let bytes = self.files.get(name).map_or(&[][..], Vec::as_slice);
        std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
            Finding::at(name, (line, column), "bytes that are no text").expected("UTF-8")
        })
    }

    /// The names of the files with cases.
    pub(super) fn cases(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|name| name.starts_with("tests/"))
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// `tests/*.yaml`, sorted; a folder without them has none.
fn cases(folder: &Path, findings: &mut Vec<Finding>) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join("tests")) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_case = |name: &String| !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"));
    let mut names: Vec<String> = names.filter(is_case).map(|name| format!("tests/{name}")).collect();
    names.sort_unstable();
    if names.len() > MAX_CASES {
        findings.push(Finding::of("tests", format!("{} files", names.len())).expected(format!("at most {MAX_CASES}")));
        names.truncate(MAX_CASES);
    }
    names
}
