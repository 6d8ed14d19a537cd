//! A folder with a configuration, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A place to run the program in.
pub struct Place {
    folder: TempDir,
    env: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder, as the defaults have it.
    pub fn store(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hub"));
        command.args(arguments).current_dir(self.path()).env_clear().envs(self.env.iter().cloned());
        command
    }

    pub fn hub(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.command(arguments).output().unwrap())
    }

    /// The sample clients, 48 in all, in the organisation `demo`.
    pub fn with_clients(self) -> Self {
        for name in ["clients.jsonl", "clients.csv"] {
            self.hub(&["import", &sample(name), "--org", "demo", "--member", "m-1"]).done();
        }
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ended {
    /// What it answered, where it did what was asked.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// What it answered and said, where it failed.
    #[track_caller]
    pub fn failed(self) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        format!("{}{}", self.out, self.err)
    }

    #[track_caller]
    pub fn json(self) -> Value {
        let line = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A file of `examples/data`.
pub fn sample(name: &str) -> String {
    format!("{}/../examples/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the product's own policies.
pub fn policies() -> String {
    format!("{}/../policies", env!("CARGO_MANIFEST_DIR"))
}

/// A person as one line of JSON.
pub fn person(number: u32) -> String {
    format!(
        r#"{{"kind":"individual","individual":{{"givenName":"Ines","familyName":"Duarte","dateOfBirth":"1984-02-29","nationality":"PT","nationalId":"{number}"}}}}"#
    )
}
