//! `hub plugin build`: a project's folder in, a component out, in whatever language it is written.
//!
//! Rust goes through the library that `make plugins` uses too; Python and JavaScript through their own toolchains, which
//! are looked for in the project first and on the PATH second. Nothing is installed here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use plugin_build::{Places, Toolchain};
use serde::Deserialize;
use serde_json::json;

use super::args::BuildArgs;
use crate::adapters::Examined;
use crate::cli::output::Exit;
use crate::cli::session::{Session, answers, told};

/// Builds a project.
///
/// # Errors
/// It is no project, its toolchain is missing, or that fails.
pub fn run(session: &Session, args: &BuildArgs) -> Result<Exit, String> {
    let file = match Project::in_folder(&args.dir)? {
        Project::Rust => rust(session, args)?,
        Project::Python { name, world } => python(session, args, &name, &world)?,
        Project::JavaScript { name, world, main } => javascript(session, args, &name, (&world, &main))?,
    };
    let examined = Examined::of(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let text = format!("{} ({} KiB, {})", file.display(), examined.bytes.div_ceil(1024), examined.digest);
    let value = json!({"component": file, "bytes": examined.bytes, "digest": examined.digest});
    told(answers(args.json).say(&text, &value).map(|()| Exit::Done))
}

/// What a folder holds.
#[derive(Debug, PartialEq, Eq)]
enum Project {
    Rust,
    Python { name: String, world: String },
    JavaScript { name: String, world: String, main: String },
}

/// The part of `pyproject.toml` that matters here.
#[derive(Deserialize)]
struct PyProject {
    project: Named,
    tool: Tool,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Tool {
    backoffice: Backoffice,
}

/// What the hub has to know of a project in its own language's manifest.
#[derive(Deserialize)]
struct Backoffice {
    world: String,
}

/// The part of `package.json` that matters here.
#[derive(Deserialize)]
struct Package {
    name: String,
    main: String,
    backoffice: Backoffice,
}

impl Project {
    fn in_folder(folder: &Path) -> Result<Self, String> {
        if folder.join("Cargo.toml").is_file() {
            return Ok(Self::Rust);
        }
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
        let wrong = |name: &str, error: String| {
            format!("{}: {error} (`hub plugin new` shows what belongs there)", folder.join(name).display())
        };
        if let Some(text) = read("pyproject.toml") {
            let python: PyProject =
                toml::from_str(&text).map_err(|error| wrong("pyproject.toml", error.message().to_owned()))?;
            return Ok(Self::Python { name: python.project.name, world: python.tool.backoffice.world });
        }
        if let Some(text) = read("package.json") {
            let package: Package =
                serde_json::from_str(&text).map_err(|error| wrong("package.json", error.to_string()))?;
            let Package { name, main, backoffice } = package;
            return Ok(Self::JavaScript { name, world: backoffice.world, main });
        }
        Err(format!(
            "{} is no project: it has neither Cargo.toml nor pyproject.toml nor package.json; \
             `hub plugin new` makes one",
            folder.display()
        ))
    }
}

/// cargo's own variable is honoured, so that projects can share what they have built.
fn rust(session: &Session, args: &BuildArgs) -> Result<PathBuf, String> {
    let target = session.env.get("CARGO_TARGET_DIR").map_or_else(|| args.dir.join("target"), PathBuf::from);
    let places = Places { target_dir: target, out: args.out.clone() };
    let toolchain = Toolchain::find().map_err(|error| error.to_string())?;
    let built = plugin_build::build(&toolchain, &args.dir, &places).map_err(|error| error.to_string())?;
    Ok(built.file)
}

fn python(session: &Session, args: &BuildArgs, name: &str, world: &str) -> Result<PathBuf, String> {
    let tool = found(session, &args.dir.join(".venv/bin"), "componentize-py").ok_or(
        "componentize-py is neither in the project's .venv nor on the PATH; in the project's folder: \
         python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
    )?;
    let file = out_file(args, name)?;
    let mut command = Command::new(tool);
    command.current_dir(&args.dir).args(["-d", "wit", "-w", world, "componentize", "app", "-o"]).arg(&file);
    finished(command, file)
}

fn javascript(session: &Session, args: &BuildArgs, name: &str, (world, main): (&str, &str)) -> Result<PathBuf, String> {
    let tool = found(session, &args.dir.join("node_modules/.bin"), "componentize-js").ok_or(
        "componentize-js is neither in the project's node_modules nor on the PATH; in the project's folder: npm install",
    )?;
    let file = out_file(args, name)?;
    let mut command = Command::new(tool);
    // What is switched off would only import interfaces with nothing behind them.
    command.current_dir(&args.dir).args([main, "--wit", "wit", "--world-name", world]);
    command.args(["--disable", "http", "--disable", "fetch-event", "--out"]).arg(&file);
    finished(command, file)
}

fn found(session: &Session, local: &Path, name: &str) -> Option<PathBuf> {
    let path = session.env.get("PATH").map(|path| std::env::split_paths(path).collect::<Vec<_>>());
    let folders = std::iter::once(local.to_owned()).chain(path.unwrap_or_default());
    let file = folders.map(|folder| folder.join(name)).find(|file| file.is_file())?;
    // The command runs in the project's folder.
    std::path::absolute(file).ok()
}

fn out_file(args: &BuildArgs, name: &str) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", args.out.display());
    std::fs::create_dir_all(&args.out).map_err(failed)?;
    Ok(std::path::absolute(&args.out).map_err(failed)?.join(format!("{name}.wasm")))
}

/// Runs a toolchain, which says on stderr what it does; stdout is kept for the answer.
fn finished(mut command: Command, file: PathBuf) -> Result<PathBuf, String> {
    let program = command.get_program().to_owned();
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{} can't be run: {error}", program.display()))?;
    match output.status.success() {
        true => Ok(file),
        false => {
            let said = String::from_utf8_lossy(&output.stdout);
            Err(format!("{} failed ({})\n{}", program.display(), output.status, said.trim_end()))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_says_its_language_by_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        assert!(Project::in_folder(folder.path()).unwrap_err().contains("hub plugin new"));
        write("package.json", r#"{"name": "a", "main": "m.js"}"#);
        assert!(Project::in_folder(folder.path()).unwrap_err().contains("backoffice"));
        write("package.json", r#"{"name": "a", "main": "m.js", "backoffice": {"world": "crm-adapter"}}"#);
        let expected = Project::JavaScript { name: "a".into(), world: "crm-adapter".into(), main: "m.js".into() };
        assert_eq!(Project::in_folder(folder.path()).unwrap(), expected);
        write("pyproject.toml", "[project]\nname = 'p'\n[tool.backoffice]\nworld = 'kyc-adapter'\n");
        let expected = Project::Python { name: "p".into(), world: "kyc-adapter".into() };
        assert_eq!(Project::in_folder(folder.path()).unwrap(), expected);
        write("Cargo.toml", "");
        assert_eq!(Project::in_folder(folder.path()).unwrap(), Project::Rust);
    }
}
