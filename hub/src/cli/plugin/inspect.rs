//! `hub plugin inspect`: what a component is, before it is trusted with anything.
//!
//! The file is read, and `describe` is called in the sandbox without any endpoint: nothing can leave.

use std::path::Path;

use serde_json::{Value, json};

use super::args::InspectArgs;
use super::sandbox::{Sandbox, bare, memory_mib};
use crate::adapters::{AdapterName, DescriptionReport, Examined, LoadedInfo, Meaning, Signature};
use crate::cli::output::Exit;
use crate::cli::session::{Session, answers, told};

/// Shows a component. It fails where the hub would not load it.
///
/// # Errors
/// The file can't be read or is no component.
pub async fn run(session: &Session, args: &InspectArgs) -> Result<Exit, String> {
    let file = args.file.as_path();
    let examined = Examined::of(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let loaded = loaded(session, file, &examined).await?;
    let signature = Signature::find(file).map_err(|error| error.to_string())?;
    let exit = if loaded.is_ok() { Exit::Done } else { Exit::Failed };
    let text = text(file, &examined, loaded.as_ref(), signature.as_ref());
    let value = value(file, &examined, loaded.as_ref(), signature.as_ref());
    told(answers(args.json).say(&text, &value).map(|()| exit))
}

/// What the sandbox says of it, or why it does not take it.
async fn loaded(session: &Session, file: &Path, examined: &Examined) -> Result<Result<LoadedInfo, String>, String> {
    // One that fits no world is asked for the first, so that the refusal is the contract's own.
    let name = match examined.worlds.as_slice() {
        [one] => *one,
        _ => AdapterName::Crm,
    };
    if let Err(refused) = examined.contract(name) {
        return Ok(Err(refused.to_string()));
    }
    let config = bare(file, examined.footprint.memory_bytes)?;
    Ok(Sandbox::load(session, name, config).await?.loaded)
}

type Loaded<'a> = Result<&'a LoadedInfo, &'a String>;

fn value(file: &Path, examined: &Examined, loaded: Loaded<'_>, signature: Option<&Signature>) -> Value {
    let info = loaded.ok();
    json!({
        "file": file,
        "digest": examined.digest,
        "bytes": examined.bytes,
        "loads": loaded.is_ok(),
        "refused": loaded.err(),
        "world": info.map(|info| &info.world),
        "contract": info.map(|info| &info.contract),
        "imports": examined.imports,
        "exports": examined.exports,
        "footprint": examined.footprint,
        "description": info.map(|info| &info.description),
        "signature": signature.map(|one| json!({
            "key": one.key, "digest": one.digest, "ofThisComponent": one.digest == examined.digest
        })),
        "producers": examined.producers,
        "packages": examined.packages,
        "configuration": info.and_then(|info| configuration(file, examined, info)),
    })
}

fn text(file: &Path, examined: &Examined, loaded: Loaded<'_>, signature: Option<&Signature>) -> String {
    let mut lines = vec![
        format!("file        {}", file.display()),
        format!("digest      {}", examined.digest),
        format!("size        {} KiB", examined.bytes.div_ceil(1024)),
    ];
    match loaded {
        Ok(info) => lines.push(format!("world       {}, contract {}", info.world, info.contract)),
        Err(why) => lines.push(format!("refused     {why}")),
    }
    let needs = examined.footprint;
    lines.push(format!(
        "an instance {} core instances, {} memories of {} KiB, {} tables of at most {} elements",
        needs.core_instances,
        needs.memories,
        needs.memory_bytes / 1024,
        needs.tables,
        needs.table_elements
    ));
    lines.push(format!("signature   {}", signed(examined, signature)));
    lines.push("imports".to_owned());
    lines.extend(examined.imports.iter().map(|import| {
        let mark = match import.meaning {
            Meaning::Granted => "granted",
            Meaning::Empty => "empty  ",
            Meaning::Refused => "REFUSED",
        };
        format!("  {mark}  {}: {}", import.name, import.note)
    }));
    lines.push("exports".to_owned());
    lines.extend(examined.exports.iter().map(|export| format!("  {export}")));
    lines.extend(loaded.ok().into_iter().flat_map(|info| described(&info.description)));
    lines.extend(made_of(examined));
    let configuration = loaded.ok().and_then(|info| configuration(file, examined, info));
    lines.extend(configuration.map(|configuration| format!("to configure\n\n{}", configuration.trim_end())));
    lines.join("\n")
}

fn signed(examined: &Examined, signature: Option<&Signature>) -> String {
    match signature {
        None => "none".to_owned(),
        Some(one) if one.digest == examined.digest => {
            format!("with the key {}, not checked; `hub plugin verify` does", one.key)
        }
        Some(one) => format!("of ANOTHER component ({})", one.digest),
    }
}

fn described(description: &DescriptionReport) -> Vec<String> {
    let listed = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let mut lines = vec![
        "it says of itself".to_owned(),
        format!(
            "  {} {} by {}, for {}",
            description.name, description.version, description.vendor, description.product
        ),
        format!("  endpoints: {}", listed(&description.endpoints)),
        format!("  settings: {}", listed(&description.settings)),
    ];
    lines.extend(description.functions.iter().map(|(function, repeat)| {
        let meaning = match *repeat {
            "safe" => "safe to repeat",
            "look-up" => "safe to repeat: it looks first",
            _ => "not repeated where the outcome is unknown",
        };
        format!("  {function}: {meaning}")
    }));
    lines
}

fn made_of(examined: &Examined) -> Vec<String> {
    let tools = examined.producers.iter().map(|tool| format!("  {} {} {}", tool.role, tool.name, tool.version));
    let packages = examined.packages.iter().map(|one| format!("  {} {} ({})", one.name, one.version, one.source));
    let bill = match examined.packages.is_empty() {
        true => "bill of materials: none (`cargo auditable` adds one)".to_owned(),
        false => format!("bill of materials: {} packages", examined.packages.len()),
    };
    std::iter::once("made with".to_owned()).chain(tools).chain([bill]).chain(packages).collect()
}

/// The lines that an operator needs, with the names that `describe` has given.
fn configuration(file: &Path, examined: &Examined, info: &LoadedInfo) -> Option<String> {
    let name = info.world.strip_suffix("-adapter")?;
    let mut text = format!(
        "[adapters.{name}]\ncomponent = {}\ndigest = \"{}\"\n",
        toml::Value::String(file.display().to_string()),
        examined.digest
    );
    if let Some(memory) = memory_mib(examined.footprint.memory_bytes) {
        text.push_str(&format!("memory_mib = {memory}\n"));
    }
    for setting in &info.description.settings {
        text.push_str(&format!("# settings.{} = …\n", key(setting)));
    }
    for endpoint in &info.description.endpoints {
        text.push_str(&format!("\n[adapters.{name}.endpoints.{}]\nurl = \"https://…\"\n", key(endpoint)));
    }
    Some(text)
}

/// A key as TOML has it; what a component calls a name may be anything.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare { name.to_owned() } else { toml::Value::String(name.to_owned()).to_string() }
}
