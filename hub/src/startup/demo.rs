//! `hub demo`: the server beside simulated outside systems and NATS, with sample clients and a token for each role.

use std::future::Future;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;

use super::children;
use super::serve::{Serving, StartError, key_path, serve};
use crate::access::{Grant, LocalKey};
use crate::config::Config;
use crate::telemetry::Metrics;

/// The adapters of the demo, as configuration.
const ADAPTERS: &str = include_str!("demo.toml");
/// The clients that it is seeded with.
const CLIENTS: &str = include_str!("../../../examples/data/clients.jsonl");
/// The organisation that they belong to.
const ORG: &str = "demo";
/// What the simulated outside systems accept: the name of the file, and its content.
const SECRETS: [(&str, &str); 3] =
    [("basic", "hub:demo-password"), ("key", "demo-key"), ("api-key", "ApiKey demo-key")];
/// The roles that are shown, each with a member and what it is.
const ROLES: [(&str, &str, &str); 5] = [
    ("RP001", "m-admin", "Administrator"),
    ("RP002", "m-relations", "Relationship Officer"),
    ("RP003", "m-compliance", "Compliance Officer"),
    ("RP004", "m-support", "Support Officer"),
    ("OP001", "m-operator", "Operator"),
];
/// How long the shown tokens hold.
const TOKENS_HOLD: Duration = Duration::from_secs(12 * 3600);

/// As [`serve`], beside simulated outside systems, until `stop` ends.
///
/// # Errors
/// See [`StartError`].
pub async fn demo(
    config: Config,
    metrics: Metrics,
    ready: impl FnOnce(&Serving),
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let folder = config.store.path.join("demo");
    let failed = |error| StartError::File(folder.display().to_string(), error);
    write_secrets(&folder).map_err(failed)?;
    let backends = children::backends().await.map_err(failed)?;
    let nats = match config.nats {
        Some(_) => None,
        None => children::nats(&folder.join("nats")).await.map_err(failed)?,
    };
    let nats_url = nats.as_ref().map(|nats| nats.url.as_str());
    let config = with_adapters(config, &folder, &backends.url, nats_url)?;
    let tokens = tokens(&config)?;
    let says_nats = nats_url.map(str::to_owned);
    let told = |serving: &Serving| {
        ready(serving);
        let text = welcome(serving, &tokens, &backends.url, says_nats.as_deref());
        // Whoever closed stdout does not want to read it.
        let _ = io::stdout().write_all(text.as_bytes());
        if let Some(token) = tokens.first() {
            tokio::spawn(seed(serving.url.clone(), token.1.clone()));
        }
    };
    serve(config, metrics, told, stop).await
}

fn write_secrets(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, content) in SECRETS {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(folder.join(name))?;
        file.write_all(content.as_bytes())?;
    }
    Ok(())
}

/// The configuration with the demo's adapters and NATS, where it has none of its own.
fn with_adapters(mut config: Config, folder: &Path, backends: &str, nats: Option<&str>) -> Result<Config, StartError> {
    let folder = std::path::absolute(folder).map_err(|error| StartError::File(folder.display().to_string(), error))?;
    let mut text = ADAPTERS
        .replace("{backends}", backends)
        .replace("{plugins}", &plugins().display().to_string())
        .replace("{secrets}", &folder.display().to_string());
    if let Some(url) = nats {
        text.push_str(&format!("\n[nats]\nurl = \"{url}\"\n"));
    }
    let env = std::env::vars().filter(|(name, _)| !name.starts_with("HUB_")).collect();
    let demo = Config::parse("the demo's own configuration", &text, &env);
    let demo = demo.map_err(|error| StartError::Fatal(error.to_string()))?;
    for (name, adapter) in demo.adapters {
        config.adapters.entry(name).or_insert(adapter);
    }
    config.nats = config.nats.or(demo.nats);
    Ok(config)
}

/// Where the components are: below the folder that the hub is started in, else beside the folder it was built into.
fn plugins() -> PathBuf {
    let here = PathBuf::from("plugins/dist");
    if here.is_dir() {
        return here;
    }
    let built = std::env::current_exe().ok().and_then(|exe| Some(exe.ancestors().nth(3)?.join("plugins/dist")));
    built.filter(|folder| folder.is_dir()).unwrap_or(here)
}

type Token = (&'static str, String, &'static str);

/// A token for each role; none where an outside issuer signs them.
fn tokens(config: &Config) -> Result<Vec<Token>, StartError> {
    if config.auth.jwks_url.is_some() {
        return Ok(Vec::new());
    }
    let failed = |error: crate::access::LocalKeyError| StartError::Auth(error.to_string());
    let key = LocalKey::open(&key_path(&config.auth, &config.store.path)).map_err(failed)?;
    let operators = config.auth.operator_org.as_str();
    let token = |(role, member, what): (&'static str, &str, &'static str)| {
        let org = if role == "OP001" { operators } else { ORG };
        let grant = Grant {
            member: member.to_owned(),
            org: org.to_owned(),
            roles: vec![role.to_owned()],
            clients: Vec::new(),
            subscription: Some("active".to_owned()),
            from: Utc::now(),
            lifetime: TOKENS_HOLD,
        };
        (role, key.sign(&grant), what)
    };
    Ok(ROLES.into_iter().map(token).collect())
}

fn welcome(serving: &Serving, tokens: &[Token], backends: &str, nats: Option<&str>) -> String {
    let url = &serving.url;
    let nats = nats.unwrap_or("none here: notifications wait in the journal");
    let mut text = format!(
        "\nAPI                {url}/clients/profile\nDocs               {url}/docs\nOpenAPI            {url}/openapi.json\n\
         Health             {url}/health/ready\nOutside systems    {backends}/control/state\nNATS               {nats}\n\n"
    );
    for (role, token, what) in tokens {
        let path = if *role == "OP001" { "admin/tree" } else { "clients/profile" };
        text.push_str(&format!("# {role} {what}\ncurl -H 'Authorization: Bearer {token}' {url}/{path}\n\n"));
    }
    text.push_str("Ctrl-C stops everything.\n");
    text
}

/// Sends the sample clients as a caller would. One that is there already is refused as a duplicate, which is as it should be.
async fn seed(url: String, token: String) {
    let client = reqwest::Client::new();
    let post = |line: &'static str| {
        let request = client.post(format!("{url}/clients/profile")).bearer_auth(&token);
        request.header("content-type", "application/json").body(line).send()
    };
    for line in CLIENTS.lines().filter(|line| !line.trim().is_empty()) {
        match post(line).await {
            Ok(answer) if answer.status().is_success() || answer.status() == reqwest::StatusCode::CONFLICT => {}
            Ok(answer) => tracing::warn!(status = answer.status().as_u16(), "a sample client was refused"),
            Err(error) => return tracing::warn!(%error, "the sample clients could not be sent"),
        }
    }
    tracing::info!("the sample clients are there");
}
