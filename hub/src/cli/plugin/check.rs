//! `hub plugin check`: loads a component in front of an outside system that the hub plays, and runs the suite.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::json;

use super::args::{CheckArgs, WorldName};
use super::sandbox::{Sandbox, bare};
use crate::adapters::{AdapterConfig, AdapterName, BaseUrl, DescriptionReport, EndpointConfig, Examined, TimeoutMs};
use crate::cli::JsonArgs;
use crate::cli::output::Exit;
use crate::cli::session::{Session, answers, told};
use crate::conformance::{self, Backend, Checked, Report, Script};

/// How long the hub waits for one answer in the suite, in milliseconds: everything is on loopback.
const TIMEOUT_MS: i64 = 500;
/// The largest script that is read.
const MAX_SCRIPT_BYTES: u64 = 1024 * 1024;

/// Checks a component. It fails where a case does.
///
/// # Errors
/// The component can't be loaded, or the script or a file can't be used.
pub async fn run(session: &Session, args: &CheckArgs) -> Result<Exit, String> {
    let report = report(session, args).await?;
    let exit = if report.holds() { Exit::Done } else { Exit::Failed };
    let on_stdout = args.json.as_ref().is_some_and(|file| file == Path::new("-"));
    if let Some(file) = args.json.as_ref().filter(|_| !on_stdout) {
        let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        fs::write(file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))?;
    }
    told(answers(JsonArgs { json: on_stdout }).say(&report.text(), &json!(report)).map(|()| exit))
}

async fn report(session: &Session, args: &CheckArgs) -> Result<Report, String> {
    let file = args.file.as_path();
    let examined = Examined::of(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let adapter = adapter(&examined, args.world)?;
    let script = script(args)?;
    let refused = |why: String| format!("{}: {why}", file.display());
    let first = Sandbox::load(session, adapter, bare(file, examined.footprint.memory_bytes)?).await?;
    let description = first.loaded.map_err(refused)?.description;
    all_asked_for(&script, &description)?;
    let endpoints = description.endpoints;
    let backend = Backend::start(script.clone(), endpoints.clone()).await?;
    let at = |url: &dyn Fn(usize) -> String| configured(file, &examined, &script, &endpoints, url);
    let served = Sandbox::load(session, adapter, at(&|place| backend.url(place))?).await?;
    let nobody = unused_port()?;
    let alone = Sandbox::load(session, adapter, at(&|_| nobody.clone())?).await?;
    let info = served.loaded.map_err(refused)?;
    alone.loaded.map_err(refused)?;
    let checked = Checked {
        adapters: &served.adapters,
        alone: &alone.adapters,
        adapter,
        info: &info,
        backend: &backend,
        known: &script.known,
    };
    Ok(conformance::run(&checked).await)
}

fn adapter(examined: &Examined, world: Option<WorldName>) -> Result<AdapterName, String> {
    let adapter = match (world, examined.worlds.as_slice()) {
        (Some(world), _) => world.0,
        (None, [one]) => *one,
        // The contract says best what is wrong with it.
        (None, _) => AdapterName::Crm,
    };
    examined.contract(adapter).map_err(|error| error.to_string())?;
    Ok(adapter)
}

/// The script that is named, else the one beside the component, else none; with what the command line says over it.
fn script(args: &CheckArgs) -> Result<Script, String> {
    let beside = args.file.with_file_name("conformance.toml");
    let file = args.script.clone().or_else(|| beside.is_file().then_some(beside));
    let mut script = match file {
        None => Script::default(),
        Some(file) => {
            let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
            if fs::metadata(&file).map_err(|error| failed(&error))?.len() > MAX_SCRIPT_BYTES {
                return Err(failed(&format!("it is larger than {MAX_SCRIPT_BYTES} bytes")));
            }
            let text = fs::read_to_string(&file).map_err(|error| failed(&error))?;
            Script::parse(&text).map_err(|error| failed(&error))?
        }
    };
    for (name, value) in &args.settings {
        script.settings.insert(name.clone(), toml::Value::String(value.clone()));
    }
    for (name, url) in &args.upstream {
        let url = BaseUrl::try_from(url.clone()).map_err(|error| format!("--upstream {name}: {error}"))?;
        match script.endpoints.get_mut(name) {
            Some(endpoint) => endpoint.url = url,
            None => drop(script.endpoints.insert(name.clone(), plain(url))),
        }
    }
    Ok(script)
}

/// A name that the adapter does not know is a slip of the pen, and would be passed over in silence.
fn all_asked_for(script: &Script, description: &DescriptionReport) -> Result<(), String> {
    let settings = script.settings.keys().map(|name| ("setting", "reads", name, &description.settings));
    let endpoints = script.endpoints.keys().map(|name| ("endpoint", "calls", name, &description.endpoints));
    let strange = settings.chain(endpoints).find(|(_, _, name, described)| !described.contains(name));
    match strange {
        Some((what, does, name, described)) if described.is_empty() => {
            Err(format!("the {what} `{name}` is given, but the adapter says that it {does} none"))
        }
        Some((what, does, name, described)) => Err(format!(
            "the {what} `{name}` is given, but the adapter does not say that it {does} it; it {does}: {}",
            described.join(", ")
        )),
        None => Ok(()),
    }
}

fn plain(url: BaseUrl) -> EndpointConfig {
    EndpointConfig { url, auth: None, timeout_ms: TimeoutMs::default(), private: true, ca: None, client_cert: None }
}

/// The component as a hub would have it, its endpoints being the suite's own. The credentials are the script's.
fn configured(
    file: &Path,
    examined: &Examined,
    script: &Script,
    endpoints: &[String],
    url: &dyn Fn(usize) -> String,
) -> Result<AdapterConfig, String> {
    let mut config = bare(file, examined.footprint.memory_bytes)?;
    config.settings.clone_from(&script.settings);
    config.store = true;
    let mut ours = BTreeMap::new();
    for (place, name) in endpoints.iter().enumerate() {
        let url = BaseUrl::try_from(url(place)).map_err(|error| error.to_string())?;
        let mut endpoint = plain(url);
        endpoint.auth = script.endpoints.get(name).and_then(|given| given.auth.clone());
        endpoint.timeout_ms = TimeoutMs::try_from(TIMEOUT_MS).map_err(|error| error.to_string())?;
        ours.insert(name.clone(), endpoint);
    }
    config.endpoints = ours;
    Ok(config)
}

/// A URL that nobody listens on: a port that was free a moment ago.
fn unused_port() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok(format!("http://{address}"))
}
