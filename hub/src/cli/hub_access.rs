//! The hub that a command is about: stopped, so that its data can be opened, or running, so that it is asked over HTTP.
//!
//! A running hub holds its journal's lock, and leaves its URL in `<store.path>/address`.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response};
use serde_json::Value;

use super::session::bar;
use crate::access::{AuthMode, Grant, LocalKey};
use crate::config::Config;
use crate::domain::delivery::Adapter;
use crate::journal;
use crate::startup::data::{self, Data, journal_in};

/// How long an answer may take, in seconds.
const ANSWER_SECONDS: u64 = 30;
/// How long a token is valid, in seconds.
const TOKEN_SECONDS: u64 = 15 * 60;
/// Tokens hold from a little earlier on: clocks differ by seconds.
const EARLIER_SECONDS: i64 = 5;

/// The hub.
pub enum Hub {
    /// Nobody holds its data.
    Stopped,
    /// It answers requests.
    Running(RunningHub),
}

/// Whether a hub runs on the data of this configuration.
///
/// # Errors
/// It runs and can't be asked.
pub fn find(config: &Config) -> Result<Hub, String> {
    let holder = journal::holder(&journal_in(&config.store.path)).map_err(|error| error.to_string())?;
    holder.map_or(Ok(Hub::Stopped), |pid| RunningHub::of(config, &pid).map(Hub::Running))
}

/// Refuses where there is no journal: a command that only looks makes none.
///
/// # Errors
/// Says where it was looked for.
pub fn need_journal(store: &Path) -> Result<(), String> {
    let folder = journal_in(store);
    let missing = || format!("there is no journal in {}; is store.path right?", folder.display());
    if folder.is_dir() { Ok(()) } else { Err(missing()) }
}

/// Opens the data of a stopped hub, with a bar for what the state has to catch up with. What is owed is known for the
/// adapters that are configured, and for those that the hub had when it ran: without its configuration "nothing is owed"
/// would be false.
///
/// # Errors
/// It can't be had.
pub fn open(config: &Config) -> Result<Data, String> {
    let mut adapters = config.adapter_names();
    let data = open_with(config, &adapters)?;
    let missing = data.mark.configured.iter().filter(|known| !adapters.contains(known)).copied().collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(data);
    }
    drop(data);
    adapters.extend(missing);
    open_with(config, &adapters)
}

fn open_with(config: &Config, adapters: &[Adapter]) -> Result<Data, String> {
    let bar = bar("entries");
    let data = data::open(&config.store.path, adapters, None, |seq, head| {
        bar.set_length(head);
        bar.set_position(seq);
    });
    bar.finish_and_clear();
    let data = data.map_err(|error| error.to_string())?;
    if let Some(doubt) = &data.rebuilt {
        tracing::warn!(reason = %doubt, "the read model was made again");
    }
    Ok(data)
}

/// A hub that answers requests.
pub struct RunningHub {
    url: String,
    client: Client,
    key: Option<LocalKey>,
}

impl RunningHub {
    fn of(config: &Config, pid: &str) -> Result<Self, String> {
        let path = config.store.path.join("address");
        let url = std::fs::read_to_string(&path).map_err(|error| {
            format!("process {pid} holds the hub's data, but {} does not say where it listens: {error}", path.display())
        })?;
        let key = match config.auth.mode {
            AuthMode::Local => Some(LocalKey::open(&config.key_file()).map_err(|error| error.to_string())?),
            AuthMode::Oidc => None,
        };
        Ok(Self { url: url.trim().trim_end_matches('/').to_owned(), client: client(config)?, key })
    }

    /// A token of `member` in `org` with one role, signed with the hub's key.
    ///
    /// # Errors
    /// The hub takes only tokens of its issuer.
    pub fn token(&self, org: &str, member: &str, role: &str) -> Result<String, String> {
        let key = self.key.as_ref().ok_or(
            "the hub is running and takes only tokens of its issuer (auth.mode is oidc): ask it over its API, or stop it",
        )?;
        Ok(key.sign(&Grant {
            member: member.to_owned(),
            org: org.to_owned(),
            roles: vec![role.to_owned()],
            clients: Vec::new(),
            subscription: Some("active".to_owned()),
            from: Utc::now() - chrono::TimeDelta::seconds(EARLIER_SECONDS),
            lifetime: Duration::from_secs(TOKEN_SECONDS),
        }))
    }

    /// A request to `path`.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// What the hub answers to a GET of `path`, as text.
    ///
    /// # Errors
    /// It does not answer, or with an error.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Result<String, String> {
        let request = self.client.get(format!("{}{path}", self.url));
        let request = token.into_iter().fold(request, RequestBuilder::bearer_auth);
        let answer = request.send().await.map_err(|error| self.silent(&error))?;
        if !answer.status().is_success() {
            return Err(problem(answer).await);
        }
        answer.text().await.map_err(|error| self.silent(&error))
    }

    /// What the hub answers to a request with a token, as JSON.
    ///
    /// # Errors
    /// It does not answer, or with an error.
    pub async fn send(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Result<Value, String> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(token);
        let request = body.into_iter().fold(request, RequestBuilder::json);
        let answer = request.send().await.map_err(|error| self.silent(&error))?;
        if !answer.status().is_success() {
            return Err(problem(answer).await);
        }
        answer.json().await.map_err(|error| format!("the hub's answer is not JSON: {error}"))
    }

    /// Says that the hub did not answer.
    #[must_use]
    pub fn silent(&self, error: &reqwest::Error) -> String {
        format!("the running hub at {} does not answer: {}", self.url, error.to_string().replace('\n', " "))
    }
}

/// What a problem (RFC 9457) says, in one line.
pub async fn problem(answer: Response) -> String {
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    let word = |name: &str| body.get(name).and_then(Value::as_str);
    let detail = word("detail").or_else(|| word("title")).unwrap_or("without a reason");
    format!("{}: {detail}", word("code").unwrap_or(status.as_str()))
}

fn client(config: &Config) -> Result<Client, String> {
    let builder = Client::builder().timeout(Duration::from_secs(ANSWER_SECONDS)).no_proxy();
    let builder = match &config.http.tls {
        None => builder,
        // The hub's own certificate need not be signed by anybody whom this machine knows.
        Some(tls) => {
            let failed = |reason: String| format!("http.tls.cert: {}: {reason}", tls.cert.display());
            let pem = std::fs::read(&tls.cert).map_err(|error| failed(error.to_string()))?;
            let own = Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
            own.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate)
        }
    };
    builder.build().map_err(|error| error.to_string())
}
