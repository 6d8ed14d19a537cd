//! The actors: shards for clients and devices, the links, the notifier, the watch over policies and components.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::announce::Announced;
use super::links::{self, Linked, Links};
use crate::access::{self, Access, PolicyChange};
use crate::actors::adapter_watch;
use crate::actors::adapters::AdapterDesk;
use crate::actors::commands::{Commands, Shards};
use crate::actors::{ActorSystem, Lifeline, RestartPolicy, Seat, TaskSpec, Tree, TreeError, supervise_task};
use crate::adapters::{SecretError, SecretRef};
use crate::config::Config;
use crate::domain::delivery::Adapter;
use crate::domain::event::{Event, PolicyChanged};
use crate::journal::{Append, AppendError, Journal, NewEntry};
use crate::notify::{Credentials, DeviceHint, NatsConfig, NatsConfigError, Notifier, NotifyStatus};
use crate::sync::accounts::Accounts;
use crate::sync::entries::By;

/// Device hints from outside that may wait.
const DEVICE_HINTS: usize = 1_000;
/// The stream of policy changes.
const POLICY: &str = "policy";

/// The running actors, and the ways in.
pub struct Running {
    /// The thread that they run on.
    pub system: ActorSystem,
    /// How each of them is.
    pub tree: Tree,
    /// The way in for commands.
    pub commands: Commands,
    /// The links to the outside systems.
    pub links: Links,
    /// How the notifier is, where there is one.
    pub notify: Option<watch::Receiver<NotifyStatus>>,
}

/// Why the actors can't be started.
#[derive(Debug, thiserror::Error)]
pub enum ActorsError {
    /// No thread can be had.
    #[error("the actors' threads: {0}")]
    Thread(#[from] std::io::Error),
    /// The tree refuses a name.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The credentials of `[nats]` can't be had.
    #[error("[nats]: {0}")]
    Nats(#[from] NatsError),
}

/// Why the credentials of `[nats]` can't be had.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// They are not whole.
    #[error(transparent)]
    Config(#[from] NatsConfigError),
    /// A secret is not where it is said to be.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Starts all of them.
///
/// # Errors
/// See [`ActorsError`].
pub fn start(
    config: &Config,
    linked: &Linked,
    access: &Arc<Access>,
    desk: &AdapterDesk,
) -> Result<Running, ActorsError> {
    let system = ActorSystem::start()?;
    let tree = Tree::new(&system);
    let shards = Shards {
        journal: linked.journal.clone(),
        state: linked.state.clone(),
        access: access.clone(),
        accounts: Accounts::new(linked.adapters.clone()),
        documents: linked.documents.clone(),
        open_accounts_block_archive: config.governance.open_accounts_block_archive,
    };
    let commands = Commands::start(&tree, shards)?;
    let concurrency: BTreeMap<Adapter, usize> =
        config.adapters.iter().map(|(name, adapter)| (*name, adapter.concurrency.get() as usize)).collect();
    let links = links::start(&tree, linked, &config.sync, &concurrency)?;
    let notify = config.nats.as_ref().map(|nats| supervise_notifier(&tree, linked, nats, &links)).transpose()?;
    if config.policies.watch {
        supervise_policies(&tree, access.clone(), config.policies.path.clone(), linked.journal.clone())?;
    }
    supervise_adapters(&tree, desk.clone())?;
    Ok(Running { system, tree, commands, links, notify })
}

fn supervise_notifier(
    tree: &Tree,
    linked: &Linked,
    config: &NatsConfig,
    links: &Links,
) -> Result<watch::Receiver<NotifyStatus>, ActorsError> {
    let credentials = credentials(config)?;
    let (sender, inbound) = mpsc::channel::<DeviceHint>(DEVICE_HINTS);
    tokio::spawn(links::pass_on(inbound, linked.clone(), links.clone()));
    let source = Arc::new(Announced::new(linked.journal.clone(), linked.state.clone()));
    let notifier = Arc::new(Notifier::new(config.clone(), credentials, source, sender));
    let status = notifier.status();
    let factory = move |lifeline: Lifeline| {
        let notifier = notifier.clone();
        async move { notifier.run(lifeline.leaving()).await.map_err(|error| error.to_string()) }
    };
    let (name, policy) = ("notifier".to_owned(), RestartPolicy::default());
    supervise_task(tree, "", TaskSpec { name, seat: Seat::Own, factory, policy })?;
    Ok(status)
}

fn credentials(config: &NatsConfig) -> Result<Credentials, NatsError> {
    config.credentials(|place| {
        let place = SecretRef::try_from(place.as_str().to_owned()).map_err(|_| NatsConfigError::Secret)?;
        Ok(place.resolve()?.expose().to_owned())
    })
}

fn supervise_adapters(tree: &Tree, desk: AdapterDesk) -> Result<(), TreeError> {
    let factory = move |lifeline: Lifeline| {
        let desk = desk.clone();
        async move {
            tokio::select! {
                () = adapter_watch::watch(desk) => {}
                () = lifeline.leaving() => {}
            }
            Ok(())
        }
    };
    let (name, policy) = ("adapters".to_owned(), RestartPolicy::default());
    supervise_task(tree, "", TaskSpec { name, seat: Seat::Own, factory, policy })
}

fn supervise_policies(
    tree: &Tree,
    access: Arc<Access>,
    folder: PathBuf,
    journal: Arc<dyn Journal>,
) -> Result<(), TreeError> {
    let factory = move |lifeline: Lifeline| {
        let (access, folder, journal) = (access.clone(), folder.clone(), journal.clone());
        async move {
            let leaving = async move { lifeline.leaving().await };
            access::watch(access, folder, leaving, move |change| note(&journal, change)).await;
            Ok(())
        }
    };
    let (name, policy) = ("policies".to_owned(), RestartPolicy::default());
    supervise_task(tree, "", TaskSpec { name, seat: Seat::Own, factory, policy })
}

/// Writes a change of the policies down, beside the watch: what is in force is in force whether or not the journal takes it.
fn note(journal: &Arc<dyn Journal>, change: PolicyChange) {
    let journal = journal.clone();
    tokio::spawn(async move {
        let in_force = change.is_in_force();
        let changed = PolicyChanged { from: Some(change.old), to: change.new, in_force };
        let append = policy_entry(changed).map(|entry| Append { entries: vec![entry], ..Append::default() });
        let noted = async { journal.append(append?).await };
        if let Err(error) = noted.await {
            tracing::error!(%error, "a change of the policies is not in the journal");
        }
    });
}

/// A change of the policies, for the journal.
///
/// # Errors
/// The entry can't be made, which none of ours is.
pub fn policy_entry(changed: PolicyChanged) -> Result<NewEntry, AppendError> {
    By::hub("", POLICY).entry(POLICY.to_owned(), Event::PolicyChanged(changed))
}
