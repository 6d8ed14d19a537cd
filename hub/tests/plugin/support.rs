//! The program, run in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder to run the program in.
pub struct Place(pub tempfile::TempDir);

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn hub(&self, arguments: &[&str]) -> Ended {
        self.run(Command::new(env!("CARGO_BIN_EXE_hub")).args(arguments).current_dir(self.path()))
    }

    /// A line of a shell in one of the folders here, with `hub` and what is in `tools` on its `PATH`.
    pub fn shell(&self, folder: &str, line: &str, tools: &str) -> Ended {
        let hub = Path::new(env!("CARGO_BIN_EXE_hub")).parent().unwrap().to_str().unwrap();
        let path = [hub, tools, &std::env::var("PATH").unwrap()].join(":");
        self.run(Command::new("sh").args(["-c", line]).current_dir(self.path().join(folder)).env("PATH", path))
    }

    fn run(&self, command: &mut Command) -> Ended {
        // Compiled components are kept from one test to the next.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache");
        command.env("XDG_CACHE_HOME", cache);
        command.env("CONFORMANCE_BASIC", "hub:secret").env("CONFORMANCE_KEY", "secret-key");
        command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", repository().join("target/wasm"));
        Ended::from(command.output().unwrap())
    }
}

/// The folders, as a `PATH` has them, of what builds an example's language; nothing where `make examples` could not get it.
pub fn tools(language: &str, name: &str) -> Option<String> {
    example(name)?;
    let script = repository().join("scripts/get-example-tools.sh");
    Some(Ended::from(Command::new(script).arg(language).output().unwrap()).done().trim_end().to_owned())
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ended {
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self.out
    }

    #[track_caller]
    pub fn failed(self) -> String {
        assert_eq!(self.code, 1, "{}\n{}", self.out, self.err);
        format!("{}{}", self.out, self.err)
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A component that `make plugins` has built.
pub fn component(name: &str) -> String {
    let path = repository().join("plugins/dist").join(name);
    assert!(path.exists(), "{} is missing: run `make plugins examples` first", path.display());
    path.to_str().unwrap().to_owned()
}

/// A component that `make examples` has built; nothing where it had to leave it out, for want of its tools.
pub fn example(name: &str) -> Option<String> {
    let built = repository().join("plugins/dist/examples");
    if let Ok(why) = std::fs::read_to_string(built.join(format!("{name}.left-out"))) {
        eprintln!("{}", why.trim_end());
        return None;
    }
    Some(component(&format!("examples/{name}.wasm")))
}
