//! `hub serve`: opens everything, answers requests until it is told to stop, and closes everything.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::actors::{self, ActorsError, Running, policy_entry};
use super::data::{self, Data, DataError, decisions_in, reads_in};
use super::insight::{Gauges, Parts};
use super::links::Linked;
use crate::access::{Access, DecisionLog, LocalKey, Tokens};
use crate::actors::adapters::AdapterDesk;
use crate::adapters::{Adapters, CallObserver};
use crate::config::Config;
use crate::domain::delivery::Adapter;
use crate::domain::event::{Configured, Event, PolicyChanged};
use crate::http::{self, HttpContext, Limits, Uploads};
use crate::journal::reads::ReadsLog;
use crate::journal::{Append, AppendError, FileJournal, FlushObserver, Journal};
use crate::state::Mark;
use crate::sync::documents::Documents;
use crate::sync::entries::By;
use crate::telemetry::Metrics;

/// How long actors may take to start, and how often they are looked at meanwhile.
const RISE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(5);
/// Between two tries to write down what a start on a full disk could not.
const NOTE_AGAIN: Duration = Duration::from_millis(200);
/// How long actors may take to leave.
const LEAVE: Duration = Duration::from_secs(15);

/// Why the hub does not start, or stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal or the state can't be opened.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The record of views can't be opened.
    #[error("the record of views: {0}; it begins another one where the day's folder is moved away")]
    Reads(#[from] crate::journal::OpenError),
    /// A folder or file of the hub's own can't be made.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The key pair or the issuer's keys.
    #[error("[auth]: {0}")]
    Auth(String),
    /// The policies have findings.
    #[error("the policies are refused:\n{0}")]
    Policies(String),
    /// No component could ever run.
    #[error("the host for adapters: {0}")]
    Engine(#[from] crate::adapters::EngineError),
    /// The actors.
    #[error(transparent)]
    Actors(#[from] ActorsError),
    /// The journal does not take the hub's own entries.
    #[error("the journal: {0}")]
    Append(#[from] AppendError),
    /// The address can't be listened on.
    #[error("http.listen: {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The certificate.
    #[error("http.tls: {0}")]
    Tls(String),
    /// A part without which nothing works has given up.
    #[error("stopped by itself: {0}")]
    Fatal(String),
}

/// What is told when requests can be taken.
pub struct Serving {
    /// `http://` or `https://` with the address that it really has.
    pub url: String,
}

/// Serves until `stop` ends. `ready` is called once requests can be taken.
///
/// # Errors
/// See [`StartError`].
pub async fn serve(
    config: Config,
    metrics: Metrics,
    ready: impl FnOnce(&Serving),
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let access = open_policies(&config)?;
    let tokens = open_tokens(&config)?;
    let tls = config
        .http
        .tls
        .as_ref()
        .map(http::Tls::open)
        .transpose()
        .map_err(|error| StartError::Tls(error.to_string()))?;
    let listener = listen(config.http.listen).await?;
    let data = open_data(&config, &metrics)?;
    // Only now: the journal's lock says that the folder is ours.
    let access = Arc::new(recording(access, &config)?);
    let reads = open_reads(&config)?;
    let adapters = open_adapters(&config, &metrics).await?;
    let desk = AdapterDesk::new(adapters.clone(), data.journal.clone(), config.store.path.join("adapters.lock"));
    note_start(&data, &config, &desk, &access).await?;
    let linked = Linked {
        journal: data.journal.clone(),
        state: data.state.clone(),
        adapters: adapters.clone(),
        documents: open_documents(&config.store.path.join("documents"))?,
    };
    let running = actors::start(&config, &linked, &access, &desk)?;
    let records = (access.clone(), reads.clone());
    let context = context(&config, (access, tokens, metrics), (&data, reads), desk, &running);
    until_up(&running).await?;
    let url = announce(&listener, tls.is_some(), &config.store.path)?;
    ready(&Serving { url });
    let ended = until_stopped(listener, tls, context, (&running, &data.journal), stop).await;
    close(running, data, records).await;
    ended
}

fn open_policies(config: &Config) -> Result<Access, StartError> {
    Access::load(&config.policies.path, config.auth.operator_org.as_str()).map_err(|findings| {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        StartError::Policies(lines.join("\n"))
    })
}

fn recording(access: Access, config: &Config) -> Result<Access, StartError> {
    let folder = decisions_in(&config.store.path);
    let log = DecisionLog::open(&folder, config.policies.decisions);
    log.map(|log| access.recording(log)).map_err(|error| StartError::File(folder.display().to_string(), error))
}

fn open_reads(config: &Config) -> Result<Option<Arc<ReadsLog>>, StartError> {
    let open = || ReadsLog::open(&reads_in(&config.store.path)).map(Arc::new);
    Ok(config.governance.record_reads.then(open).transpose()?)
}

fn open_tokens(config: &Config) -> Result<Arc<Tokens>, StartError> {
    let failed = |error: &dyn std::fmt::Display| StartError::Auth(error.to_string());
    let tokens = match config.auth.oidc().map_err(|error| failed(&error))? {
        Some(oidc) => Tokens::oidc(&oidc).map_err(|error| failed(&error))?,
        None => {
            made(&config.store.path)?;
            Tokens::local(&LocalKey::open(&config.key_file()).map_err(|error| failed(&error))?)
        }
    };
    Ok(Arc::new(tokens))
}

/// A folder of the hub's own, which nobody else may read.
fn made(folder: &Path) -> Result<std::path::PathBuf, StartError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let explained = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => io::Error::new(error.kind(), "there is a file of this name; expected a folder"),
        _ => error,
    };
    made.map(|()| folder.to_owned()).map_err(|error| StartError::File(folder.display().to_string(), explained(error)))
}

fn open_documents(folder: &Path) -> Result<Documents, StartError> {
    Documents::open(folder).map_err(|error| StartError::File(folder.display().to_string(), error))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Listen(address, error))
}

struct Flushes(crate::telemetry::JournalWriter);

impl FlushObserver for Flushes {
    fn flushed(&self, entries: usize, _bytes: usize, elapsed: Duration) {
        self.0.flushed(entries, elapsed);
    }
}

fn open_data(config: &Config, metrics: &Metrics) -> Result<Data, StartError> {
    let configured: Vec<Adapter> = config.adapters.keys().copied().collect();
    let observer = Arc::new(Flushes(metrics.journal()));
    let progress = |seq: u64, head: u64| tracing::info!(seq, head, "catching up");
    let data = data::open(&config.store.path, &configured, Some(observer), progress)?;
    if let Some(reason) = &data.rebuilt {
        tracing::warn!(%reason, "the read model was made again from the journal");
    }
    Ok(data)
}

struct Calls(Metrics);

impl CallObserver for Calls {
    fn call_ended(&self, adapter: Adapter, function: &'static str, outcome: &'static str, elapsed: Duration) {
        self.0.adapter_called(adapter.as_str(), function, outcome, elapsed);
    }
}

async fn open_adapters(config: &Config, metrics: &Metrics) -> Result<Adapters, StartError> {
    let cache = made(&config.store.path.join("cache"))?;
    Ok(Adapters::load(&config.adapters, &cache, Some(Arc::new(Calls(metrics.clone())))).await?)
}

/// Writes down what is different from the last run: adapters, components, policies.
///
/// Where the disk is full that waits: who can't write can still be read from.
async fn note_start(data: &Data, config: &Config, desk: &AdapterDesk, access: &Access) -> Result<(), StartError> {
    let by = By::hub("", "start");
    let changed = changed_adapters(&data.mark, config).into_iter();
    let changed = changed.map(|(adapter, event)| by.entry(format!("adapter/{adapter}"), event));
    let mut entries = changed.collect::<Result<Vec<_>, _>>()?;
    entries.extend(desk.started().await?);
    let digest = access.digest();
    if data.mark.policy.as_ref() != Some(&digest) {
        let changed = PolicyChanged { from: data.mark.policy.clone(), to: Some(digest), in_force: true };
        entries.push(policy_entry(changed)?);
    }
    if entries.is_empty() {
        return Ok(());
    }
    let append = Append { entries, ..Append::default() };
    match data.journal.append(append.clone()).await {
        Err(error @ AppendError::StorageUnavailable(_)) => {
            tracing::error!(%error, "what the start has to write down waits");
            tokio::spawn(note_later(data.journal.clone(), append));
            Ok(())
        }
        noted => Ok(noted.map(|_| ())?),
    }
}

/// Appends when there is room again.
async fn note_later(journal: Arc<FileJournal>, append: Append) {
    let noted = loop {
        tokio::time::sleep(NOTE_AGAIN).await;
        match journal.append(append.clone()).await {
            Err(AppendError::StorageUnavailable(_)) if journal.trouble().is_none() => {}
            noted => break noted,
        }
    };
    match noted {
        Ok(_) => tracing::info!("what the start had to write down is in the journal"),
        Err(error) => tracing::error!(%error, "what the start had to write down is not in the journal"),
    }
}

fn changed_adapters(mark: &Mark, config: &Config) -> Vec<(Adapter, Event)> {
    let (now, before) = (&config.adapters, &mark.configured);
    let new = now.keys().filter(|adapter| !before.contains(adapter));
    let gone = before.iter().filter(|adapter| !now.contains_key(adapter));
    let configured = new.map(|adapter| (*adapter, Event::AdapterConfigured(Configured { adapter: *adapter })));
    let removed = gone.map(|adapter| (*adapter, Event::AdapterRemoved(Configured { adapter: *adapter })));
    configured.chain(removed).collect()
}

fn context(
    config: &Config,
    (access, tokens, metrics): (Arc<Access>, Arc<Tokens>, Metrics),
    (data, reads): (&Data, Option<Arc<ReadsLog>>),
    desk: AdapterDesk,
    running: &Running,
) -> Arc<HttpContext> {
    let adapters = desk.adapters().clone();
    let parts = Arc::new(Parts {
        journal: data.journal.clone(),
        state: data.state.clone(),
        adapters: adapters.clone(),
        access: access.clone(),
        tree: running.tree.clone(),
        notify: running.notify.clone(),
        reads,
        links: running.links.clone(),
    });
    metrics.extend(|registry| {
        access.register(registry);
        registry.register_collector(Box::new(running.tree.clone()));
        registry.register_collector(Box::new(Gauges(parts.clone())));
    });
    Arc::new(HttpContext {
        state: data.state.clone(),
        commands: running.commands.clone(),
        access,
        tokens,
        metrics: Arc::new(metrics),
        limits: Limits::new(config.limits.address, config.limits.member),
        secure: config.http.tls.is_some(),
        connections: config.limits.connections,
        proxies: config.http.proxies.clone(),
        tree: running.tree.clone(),
        adapters,
        swaps: desk,
        insight: parts,
        uploads: Uploads::default(),
    })
}

/// Waits until every actor takes messages, so that the first request after `ready` finds them.
async fn until_up(running: &Running) -> Result<(), StartError> {
    let up = async {
        while !running.tree.degraded().is_empty() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let late = || StartError::Fatal(format!("these actors do not start: {}", running.tree.degraded().join(", ")));
    tokio::time::timeout(RISE, up).await.map_err(|_| late())
}

/// Leaves the address where the other commands of the program find it.
fn announce(listener: &TcpListener, tls: bool, store: &Path) -> Result<String, StartError> {
    let path = store.join("address");
    let failed = |error| StartError::File(path.display().to_string(), error);
    let scheme = if tls { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr().map_err(failed)?);
    std::fs::write(&path, &url).map_err(failed)?;
    Ok(url)
}

async fn until_stopped(
    listener: TcpListener,
    tls: Option<http::Tls>,
    context: Arc<HttpContext>,
    (running, journal): (&Running, &Arc<FileJournal>),
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let (told, tell) = (tokio_util::sync::CancellationToken::new(), tokio_util::sync::CancellationToken::new());
    let tokens = context.tokens.clone();
    let freshening = tokio::spawn(async move { tokens.keep_fresh(tell.cancelled_owned()).await });
    let stopped = told.clone();
    let serving = http::serve(listener, tls, context, stopped.cancelled_owned());
    let watching = async {
        let ended = tokio::select! {
            () = stop => Ok(()),
            fatal = running.tree.fatal() => Err(StartError::Fatal(fatal.to_string())),
            reason = journal.failed() => Err(StartError::Fatal(format!("the journal: {reason}"))),
        };
        tracing::info!("stopping");
        told.cancel();
        ended
    };
    let ((), ended) = tokio::join!(serving, watching);
    freshening.abort();
    ended
}

/// Actors first, then the journal and the records: whatever they still append is taken.
async fn close(running: Running, data: Data, (access, reads): (Arc<Access>, Option<Arc<ReadsLog>>)) {
    let Running { system, tree, .. } = running;
    if !tree.stop(LEAVE).await {
        tracing::warn!("some actors did not leave in time");
    }
    if let Err(error) = system.stop(LEAVE).await {
        tracing::warn!(%error, "the actors' threads did not end in time");
    }
    let journal = data.journal;
    let closing = move || {
        journal.close();
        if let Some(reads) = &reads {
            reads.close();
        }
        access.close();
    };
    if tokio::task::spawn_blocking(closing).await.is_err() {
        tracing::error!("closing the journal was broken off");
    }
}
