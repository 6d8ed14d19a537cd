//! From a file to an adapter that can be called: each check in its order, nothing taken over before the last.
//!
//! Digest, size, contract, limits, links, endpoints with their secrets, and at last the component's own description,
//! which is the first code of it that runs, in the sandbox as every other call and without a way out of it. What the
//! description does not name the component may not use.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::runtime::Handle;
use tracing::Instrument as _;
use wasmtime::Cache;
use wasmtime::component::{Component, HasSelf, Linker};

use super::AdapterName;
use super::bindings::types::Description;
use super::bindings::{HostWorld, core_banking, crm, identity, kyc, messaging};
use super::config::{AdapterConfig, Digest};
use super::contract::{self, Contract, ContractError};
use super::description;
use super::egress::{Egress, EgressError};
use super::engine;
use super::footprint::{Footprint, NotAComponent};
use super::guest::{Grants, Guest};
use super::host_store::SmallStore;
use super::outcome::Fault;
use super::ready::{CallFrame, Ready};
use super::registry::{self, RegistryError};
use super::report::LoadedInfo;
use super::runtime::{GuestRuntime, Lanes, Pace};
use super::signature::{self, SignatureError};
use super::source::ComponentSource;
use super::ticker::Ticker;
use super::wasi;
use super::world::{Linked, World};

/// The largest component, in bytes; one from Python has 18 MB.
pub const MAX_COMPONENT_BYTES: u64 = 128 * 1024 * 1024;

/// How long a component may take to describe itself: the start of the hub waits for it.
const LONGEST_DESCRIPTION: Duration = Duration::from_secs(5);

/// Why a component was not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// There is no `[adapters.<name>]`.
    #[error("the adapter `{0}` is not configured")]
    NotConfigured(AdapterName),
    /// The file.
    #[error("the component `{}` can't be read: {source}", path.display())]
    Unreadable {
        /// As configured.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Its registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A file is not in a registry.
    #[error("`registry` is for a component that is in one (`oci://…`); `{}` is a file", .0.display())]
    NoRegistry(PathBuf),
    /// The file is too large.
    #[error("the component `{}` is larger than {MAX_COMPONENT_BYTES} bytes", .0.display())]
    TooLarge(PathBuf),
    /// Another file than the one that is pinned.
    #[error("its digest is {found}; the configuration allows only {expected}")]
    Digest {
        /// As configured.
        expected: Digest,
        /// Of the file.
        found: Digest,
    },
    /// Nobody who is trusted has signed it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Not a component that an instance can be made of.
    #[error(transparent)]
    NotAComponent(#[from] NotAComponent),
    /// It begins with more memory than it is allowed.
    #[error("it begins with {needed} bytes of memory; `memory_mib` allows {allowed}")]
    Memory {
        /// By the component.
        needed: u64,
        /// By the configuration.
        allowed: usize,
    },
    /// It does not fit the contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// It can't be compiled.
    #[error("it can't be compiled: {0}")]
    Compile(String),
    /// Its types differ from the contract's.
    #[error("it can't be linked: {0}")]
    Link(String),
    /// One of its endpoints can't be used.
    #[error(transparent)]
    Endpoint(#[from] EgressError),
    /// It failed when it was asked what it is.
    #[error("`describe` failed: {0}")]
    Describe(Fault),
    /// What it says of itself can't be.
    #[error("`describe`: {0}")]
    Description(String),
    /// The turn did not come.
    #[error("another component has been on its way in for too long")]
    Busy,
    /// The host is stopping, or could not do the work.
    #[error("the host could not load it: {0}")]
    Host(String),
}

impl LoadError {
    /// Why, for whoever asks from outside and for what is kept: no path of this machine, no byte of a file and no word
    /// of the compiler's. All of it is logged.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Unreadable { .. } => "the component's file can't be read".to_owned(),
            Self::Registry(_) => "the component can't be had from its registry".to_owned(),
            Self::NoRegistry(_) => "`registry` is configured for a component that is a file".to_owned(),
            Self::TooLarge(_) => format!("the component is larger than {MAX_COMPONENT_BYTES} bytes"),
            Self::Signature(error) => error.told(),
            Self::Compile(_) => "it can't be compiled".to_owned(),
            Self::Link(_) => "its types differ from the contract's".to_owned(),
            Self::Endpoint(_) => "one of its endpoints can't be used as it is configured".to_owned(),
            Self::Describe(_) => "it failed when it was asked what it is".to_owned(),
            Self::Host(_) => "the host could not load it".to_owned(),
            Self::NotAComponent(NotAComponent::Malformed(_)) => "it is not a WebAssembly component".to_owned(),
            Self::NotConfigured(_)
            | Self::Busy
            | Self::Digest { .. }
            | Self::NotAComponent(_)
            | Self::Memory { .. }
            | Self::Contract(_)
            | Self::Description(_) => self.to_string(),
        }
    }
}

/// A component that was not loaded.
#[derive(Debug, Error)]
#[error("{why}")]
pub struct Refused {
    /// SHA-256 of the file, where it could be read.
    pub digest: Option<Digest>,
    /// Why.
    pub why: LoadError,
}

impl From<LoadError> for Refused {
    fn from(why: LoadError) -> Self {
        Self { digest: None, why }
    }
}

/// What all adapters share.
pub struct Services {
    /// Compiled code.
    pub cache: Cache,
    /// The folder for components from registries.
    pub components: PathBuf,
    /// The clock of the sandbox.
    pub ticker: Arc<Ticker>,
    /// The threads for components.
    pub guests: GuestRuntime,
    /// The hub's own runtime, for HTTP.
    pub io: Handle,
}

/// An adapter that has passed every check.
pub struct Loaded {
    /// What is called.
    pub ready: Arc<Ready>,
    /// All that the operator gives; it has been granted what it says that it uses.
    pub given: Arc<Grants>,
    /// What it says of itself.
    pub description: Description,
    /// What is shown of it.
    pub info: LoadedInfo,
}

impl Loaded {
    /// The same, taking over once more.
    #[must_use]
    pub fn again(&self) -> Self {
        let info = LoadedInfo { loaded_at: chrono::Utc::now(), ..self.info.clone() };
        let (ready, given) = (Arc::clone(&self.ready), Arc::clone(&self.given));
        Self { ready, given, description: self.description.clone(), info }
    }

    /// The same, with what is given to a component that was loaded after it: credentials may be others by then.
    #[must_use]
    pub fn given_as(&self, newer: &Self) -> Self {
        let (ready, given) = (self.ready.granted(newer.given.to_call(&self.description)), Arc::clone(&newer.given));
        Self { ready, given, description: self.description.clone(), info: self.info.clone() }
    }
}

/// Loads the component of an adapter.
///
/// # Errors
/// The first check that failed.
pub async fn load(
    services: &Services,
    name: AdapterName,
    config: &AdapterConfig,
    store: Option<Arc<SmallStore>>,
) -> Result<Loaded, Refused> {
    let file = file(services, config).await?;
    let work = {
        let (config, cache, io) = (config.clone(), services.cache.clone(), services.io.clone());
        move || prepare(name, (&file, &config), &cache, Side { store, io })
    };
    let prepared = tokio::task::spawn_blocking(work).await.map_err(|ended| LoadError::Host(ended.to_string()))??;
    services.ticker.add(&prepared.ready.engine);
    let refused = |why| Refused { digest: Some(prepared.digest), why };
    let given = Arc::clone(&prepared.ready.grants);
    let description = describe(services, name, config, prepared.ready.granted(given.to_describe())).await;
    let description = description.map_err(refused)?;
    description::check(name, &description).map_err(|why| refused(LoadError::Description(why)))?;
    let ready = prepared.ready.granted(given.to_call(&description));
    let info = LoadedInfo {
        digest: prepared.digest,
        signed_by: prepared.signed_by,
        bytes: prepared.bytes,
        contract: prepared.contract.version.to_string(),
        world: format!("{name}-adapter"),
        imports: prepared.contract.imports,
        footprint: prepared.footprint,
        warnings: description::warnings(name, &description, config),
        description: (&description).into(),
        loaded_at: chrono::Utc::now(),
    };
    Ok(Loaded { ready, given, description, info })
}

/// The component's file, pulled from its registry where it is in one.
async fn file(services: &Services, config: &AdapterConfig) -> Result<PathBuf, LoadError> {
    match (&config.component, &config.registry) {
        (ComponentSource::File(path), None) => Ok(path.clone()),
        (ComponentSource::File(path), Some(_)) => Err(LoadError::NoRegistry(path.clone())),
        (ComponentSource::Registry(artifact), access) => {
            let access = access.clone().unwrap_or_default();
            Ok(registry::fetch(artifact, &access, &services.components).await?)
        }
    }
}

/// Everything of a component but its own word.
struct Prepared {
    ready: Arc<Ready>,
    digest: Digest,
    signed_by: Option<String>,
    bytes: usize,
    footprint: Footprint,
    contract: Contract,
}

/// What comes from the host's side.
struct Side {
    store: Option<Arc<SmallStore>>,
    io: Handle,
}

fn prepare(
    name: AdapterName,
    (file, config): (&Path, &AdapterConfig),
    cache: &Cache,
    side: Side,
) -> Result<Prepared, Refused> {
    let bytes = read(file)?;
    let digest = Digest::of(&bytes);
    check(name, (file, config), cache, (bytes, digest, side)).map_err(|why| Refused { digest: Some(digest), why })
}

fn check(
    name: AdapterName,
    (file, config): (&Path, &AdapterConfig),
    cache: &Cache,
    (bytes, digest, side): (Vec<u8>, Digest, Side),
) -> Result<Prepared, LoadError> {
    if let Some(expected) = config.digest.filter(|expected| *expected != digest) {
        return Err(LoadError::Digest { expected, found: digest });
    }
    let signed_by = signature::demand(file, digest, &config.trusted_keys)?;
    let footprint = Footprint::of(&bytes)?;
    let allowed = config.memory_bytes();
    if usize::try_from(footprint.memory_bytes).map_or(true, |needed| needed > allowed) {
        let needed = footprint.memory_bytes;
        return Err(LoadError::Memory { needed, allowed });
    }
    let compile = |error: wasmtime::Error| LoadError::Compile(format!("{error:#}"));
    let engine = engine::make(&footprint, config.concurrency.get(), cache).map_err(compile)?;
    let component = Component::new(&engine, &bytes).map_err(compile)?;
    let contract = check_contract(name, &component)?;
    let grants = Arc::new(Grants {
        adapter: name,
        settings: config.settings_as_text(),
        egress: Egress::new(name, config)?,
        store: side.store,
        io: side.io,
    });
    let linked = link(name, &component).map_err(|error| LoadError::Link(format!("{error:#}")))?;
    let ready =
        Arc::new(Ready { bounds: engine::bounds(&footprint, allowed), engine, linked, grants, pace: Pace::default() });
    Ok(Prepared { ready, digest, signed_by, bytes: bytes.len(), footprint, contract })
}

/// Reads a component, up to the largest that is loaded.
pub fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    crate::file::read(path, MAX_COMPONENT_BYTES).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => LoadError::TooLarge(path.to_owned()),
        _ => LoadError::Unreadable { path: path.to_owned(), source },
    })
}

fn check_contract(name: AdapterName, component: &Component) -> Result<Contract, ContractError> {
    let engine = component.engine();
    let shape = component.component_type();
    let imports: Vec<&str> = shape.imports(engine).map(|(import, _)| import).collect();
    let exports: Vec<&str> = shape.exports(engine).map(|(export, _)| export).collect();
    contract::check(name, imports.into_iter(), exports.into_iter())
}

fn link(name: AdapterName, component: &Component) -> wasmtime::Result<Linked> {
    let mut linker = Linker::<Guest>::new(component.engine());
    HostWorld::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    wasi::add_to_linker(&mut linker)?;
    Linked::new(name, linker.instantiate_pre(component)?)
}

async fn describe(
    services: &Services,
    name: AdapterName,
    config: &AdapterConfig,
    ready: Arc<Ready>,
) -> Result<Description, LoadError> {
    let lanes = services.guests.lanes().ok_or_else(|| LoadError::Host("it is stopping".to_owned()))?;
    let frame = CallFrame::until(Instant::now() + config.deadline().min(LONGEST_DESCRIPTION), None);
    let span = tracing::info_span!("adapter_call", adapter = name.as_str(), function = "describe");
    async {
        match name {
            AdapterName::CoreBanking => ask::<core_banking::CoreBankingAdapter>(ready, &lanes, frame).await,
            AdapterName::Crm => ask::<crm::CrmAdapter>(ready, &lanes, frame).await,
            AdapterName::Kyc => ask::<kyc::KycAdapter>(ready, &lanes, frame).await,
            AdapterName::Identity => ask::<identity::IdentityAdapter>(ready, &lanes, frame).await,
            AdapterName::Messaging => ask::<messaging::MessagingAdapter>(ready, &lanes, frame).await,
        }
    }
    .instrument(span)
    .await
    .map_err(LoadError::Describe)
}

async fn ask<W: World>(ready: Arc<Ready>, lanes: &Lanes, frame: CallFrame) -> Result<Description, Fault> {
    ready.run::<W, _, _>(lanes, frame, (), |world, store| Box::pin(world.describe(store))).await
}
