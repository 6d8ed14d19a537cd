//! `hub plugin new`: a project that builds at once, in the vendor's language.
//!
//! The contract is compiled into the hub and copied into the project, so that it depends on nothing of this repository.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::args::{Language, NewArgs};
use super::templates::{self, Names};
use crate::cli::output::Exit;
use crate::cli::session::{answers, told};

/// Makes a project.
///
/// # Errors
/// There is something in its place, or it can't be written.
pub fn run(args: &NewArgs) -> Result<Exit, String> {
    let folder = args.into.join(&args.name);
    if folder.exists() {
        return Err(format!("{} is there already; nothing was written", folder.display()));
    }
    let component = args.name.strip_suffix("-adapter").filter(|_| args.language == Language::Rust);
    let names = Names {
        name: args.name.clone(),
        component: component.unwrap_or(&args.name).to_owned(),
        adapter: args.world.0,
        language: args.language,
    };
    for (path, content) in templates::files(&names) {
        write(&folder.join(path), &content)?;
    }
    let next = templates::setup(args.language);
    let text = format!("{} is made. In it: {next}, then hub plugin build . --out dist", folder.display());
    let value = json!({"project": folder, "world": format!("{}-adapter", args.world.0), "next": next});
    told(answers(args.json).say(&text, &value).map(|()| Exit::Done))
}

fn write(path: &Path, content: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, content).map_err(failed)
}
