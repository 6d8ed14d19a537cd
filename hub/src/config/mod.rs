//! The configuration: one TOML file, laid over the defaults, with the environment laid over both.
//!
//! It is read and validated whole before anything is opened, and every mistake is named with its file and line or its
//! variable, its key and what was expected. What the configuration names is only looked for here, and nothing reads the
//! environment: it is handed in. Relative paths are relative to the working directory.

mod de;
pub mod error;
mod fit;
mod overrides;
mod secrets;
pub mod sections;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub use error::{ConfigError, Mistake, Origin};
pub use sections::{
    BreakerConfig, GovernanceConfig, HttpConfig, LimitsConfig, Rate, StoreConfig, SyncConfig, TlsConfig,
};

use crate::access::{AuthConfig, PoliciesConfig};
use crate::adapters::{AdapterConfig, AdapterName};
use crate::journal::JournalConfig;
use crate::notify::NatsConfig;
use de::Fault;
use fit::Finding;
use tree::{Node, Tree};

/// The defaults, which are the documentation too.
pub const DEFAULTS: &str = include_str!("default.toml");
/// What is read where no file is named, if it is there.
pub const USUAL_FILE: &str = "hub.toml";

const SECTIONS: [&str; 10] =
    ["http", "auth", "store", "journal", "governance", "sync", "policies", "limits", "nats", "adapters"];
/// Beyond this no configuration is sensible.
const LARGEST_FILE: u64 = 1024 * 1024;
/// Mistakes that are looked for in one section.
const MOST_MISTAKES: usize = 50;

/// The whole configuration, valid in itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the hub listens.
    pub http: HttpConfig,
    /// Whose tokens it takes.
    pub auth: AuthConfig,
    /// Where its data lives.
    pub store: StoreConfig,
    /// Where the entries are kept.
    pub journal: JournalConfig,
    /// Rules about archiving and retention.
    pub governance: GovernanceConfig,
    /// How it delivers.
    pub sync: SyncConfig,
    /// Where the policies are.
    pub policies: PoliciesConfig,
    /// How many requests it takes.
    pub limits: LimitsConfig,
    /// Where it announces changes.
    pub nats: Option<NatsConfig>,
    /// The adapters.
    pub adapters: BTreeMap<AdapterName, AdapterConfig>,
}

impl Config {
    /// Reads `file`, or `hub.toml` where none is named and it is there, and lays `env` over it.
    ///
    /// # Errors
    /// The file can't be read, or all mistakes that were found.
    pub fn load(file: Option<&Path>, env: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let (name, text) = Self::read(file)?;
        Self::parse(&name, &text, env)
    }

    /// As `load`, for a hub that is to serve: every secret that the configuration names, and its certificate, have to be
    /// there too. The commands that need none do not ask for them.
    ///
    /// # Errors
    /// As `load`, and each secret that can't be had, by its place and never by its value, and each file of the
    /// certificate that can't be read.
    pub fn load_to_serve(file: Option<&Path>, env: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let (name, text) = Self::read(file)?;
        let mut reader = Reader::new(&text, env).map_err(|mistake| ConfigError::new(&name, vec![mistake]))?;
        let config = reader.config();
        if let Some(config) = &config {
            reader.secrets(config, env);
            reader.certificate(config);
        }
        reader.outcome(&name, config)
    }

    /// The file of the local key pair.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.auth.key.clone().unwrap_or_else(|| self.store.path.join("hub.key"))
    }

    /// The adapters that are configured.
    #[must_use]
    pub fn adapter_names(&self) -> Vec<AdapterName> {
        self.adapters.keys().copied().collect()
    }

    fn read(file: Option<&Path>) -> Result<(String, String), ConfigError> {
        let path = file.unwrap_or_else(|| Path::new(USUAL_FILE));
        let name = path.display().to_string();
        let fail = |message: String| {
            ConfigError::new(&name, vec![Mistake { origin: Origin::Default, key: String::new(), message }])
        };
        let text = match std::fs::metadata(path) {
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Ok(about) if about.len() > LARGEST_FILE => {
                return Err(fail(format!("expected at most {LARGEST_FILE} bytes")));
            }
            _ => std::fs::read_to_string(path).map_err(|error| fail(format!("it can't be read: {error}")))?,
        };
        Ok((name, text))
    }

    /// Reads `text`, the content of the file `name`, and lays `env` over it.
    ///
    /// # Errors
    /// All mistakes that were found.
    pub fn parse(name: &str, text: &str, env: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(text, env).map_err(|mistake| ConfigError::new(name, vec![mistake]))?;
        let config = reader.config();
        reader.outcome(name, config)
    }
}

/// Whether a fault only says that something was taken out, which has been named already.
fn explained(fault: &Fault, removed: &[Vec<String>]) -> bool {
    match fault.missing {
        Some(key) => removed.contains(&[fault.path.as_slice(), &[key.to_owned()]].concat()),
        None => removed.iter().any(|gone| gone.len() > fault.path.len() && gone.starts_with(&fault.path)),
    }
}

/// Takes one section after the other out of the tree and keeps what is wrong.
struct Reader {
    root: Node,
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn new(text: &str, env: &BTreeMap<String, String>) -> Result<Self, Mistake> {
        let given = Node::parse(text, true)?;
        let defaults = Node::parse(DEFAULTS, false)?;
        let mut root = defaults.clone();
        // The one section that is not there by default: its other keys have defaults once somebody asks for it.
        let asked = given.get("nats").is_some() || env.keys().any(|name| name.to_uppercase().starts_with("HUB_NATS__"));
        if !asked {
            root.remove(&["nats".to_owned()]);
        }
        root.merge(given);
        let mistakes = overrides::lay(&mut root, env, &defaults);
        Ok(Self { root, mistakes })
    }

    fn outcome(self, name: &str, config: Option<Config>) -> Result<Config, ConfigError> {
        match config {
            Some(config) if self.mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError::new(name, self.mistakes)),
        }
    }

    fn secrets(&mut self, config: &Config, env: &BTreeMap<String, String>) {
        for (path, error) in secrets::missing(config, env) {
            self.mistake(&[], &path, self.root.origin_of(&path), error.to_string());
        }
    }

    fn certificate(&mut self, config: &Config) {
        let files = config.http.tls.iter().flat_map(|tls| [("cert", &tls.cert), ("key", &tls.key)]);
        for (key, file) in files {
            if let Err(error) = crate::file::open(file) {
                let path = ["http", "tls", key].map(str::to_owned);
                let message = format!("{} can't be read: {error}", file.display());
                self.mistake(&[], &path, self.root.origin_of(&path), message);
            }
        }
    }

    fn config(&mut self) -> Option<Config> {
        self.refuse_unknown(&[], &SECTIONS, "section");
        self.refuse_unknown(&["adapters"], &AdapterName::ALL.map(AdapterName::as_str), "adapter");
        let http = self.section(&["http"], |_: &HttpConfig| Vec::new());
        let auth = self.section(&["auth"], fit::auth);
        let store = self.section(&["store"], |_: &StoreConfig| Vec::new());
        let journal = self.section(&["journal"], |_: &JournalConfig| Vec::new());
        let governance = self.section(&["governance"], |_: &GovernanceConfig| Vec::new());
        let sync = self.section(&["sync"], |_: &SyncConfig| Vec::new());
        let policies = self.section(&["policies"], |_: &PoliciesConfig| Vec::new());
        let limits = self.section(&["limits"], |_: &LimitsConfig| Vec::new());
        let nats = self.root.get("nats").is_some().then(|| self.section(&["nats"], fit::nats));
        let adapters =
            AdapterName::ALL.into_iter().filter_map(|name| Some((name, self.adapter(name.as_str())?))).collect();
        Some(Config {
            http: http?,
            auth: auth?,
            store: store?,
            journal: journal?,
            governance: governance?,
            sync: sync?,
            policies: policies?,
            limits: limits?,
            nats: nats.flatten(),
            adapters,
        })
    }

    fn adapter(&mut self, name: &str) -> Option<AdapterConfig> {
        self.root.get("adapters")?.get(name)?;
        self.section(&["adapters", name], |_: &AdapterConfig| Vec::new())
    }

    /// Reads the section at `path`. After a mistake it is read again without the value that was wrong, so that all are
    /// found at once.
    fn section<T: DeserializeOwned>(&mut self, path: &[&str], findings: impl Fn(&T) -> Vec<Finding>) -> Option<T> {
        let mut node = path.iter().try_fold(&self.root, |node, name| node.get(name))?.clone();
        let mut removed: Vec<Vec<String>> = Vec::new();
        let read: T = loop {
            let fault = match T::deserialize(&node) {
                Ok(read) => break read,
                Err(fault) => fault,
            };
            if removed.len() >= MOST_MISTAKES {
                return None;
            }
            let value: Vec<String> =
                fault.path.iter().take_while(|key| key.parse::<usize>().is_err()).cloned().collect();
            if !explained(&fault, &removed) {
                let origin = fault.origin.unwrap_or_else(|| node.origin.clone());
                self.mistake(path, &fault.path, origin, fault.message);
            }
            if value.is_empty() || !node.remove(&value) {
                return None;
            }
            removed.push(value);
        };
        for (key, message) in findings(&read) {
            let key = [key.to_owned()];
            self.mistake(path, &key, node.origin_of(&key), message);
        }
        Some(read)
    }

    fn refuse_unknown(&mut self, path: &[&str], known: &[&str], what: &str) {
        let Some(node) = path.iter().try_fold(&self.root, |node, name| node.get(name)) else { return };
        let accepted = known.join(", ");
        let Tree::Table(members) = &node.value else {
            let (origin, message) = (node.origin.clone(), format!("expected a table for each {what}: {accepted}"));
            return self.mistake(path, &[], origin, message);
        };
        let unknown = members.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        let unknown: Vec<_> = unknown.map(|(name, node)| (name.clone(), node.origin.clone())).collect();
        for (name, origin) in unknown {
            self.mistake(path, &[name], origin, format!("there is no such {what}; accepted: {accepted}"));
        }
    }

    fn mistake(&mut self, section: &[&str], below: &[String], origin: Origin, message: String) {
        let keys: Vec<&str> = section.iter().copied().chain(below.iter().map(String::as_str)).collect();
        self.mistakes.push(Mistake { origin, key: keys.join("."), message });
    }
}

#[cfg(test)]
mod tests;
