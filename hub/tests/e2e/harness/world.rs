//! A hub with everything around it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use chrono::Utc;
use hub::access::{Grant, LocalKey};
use parking_lot::{Mutex as Lock, RwLock};

use super::process::{self, Ended, Process};
use super::{Member, Outside, run_aside, until};

/// The adapters against the simulation, as `hub demo` has them.
const ADAPTERS: &str = include_str!("../../../src/startup/demo.toml");

const SYNC: &str = "retry = [\"100ms\", \"200ms\", \"500ms\", \"1s\", \"1s\", \"2s\", \"2s\", \"5s\", \"5s\"]
breaker = { failures = 20, window_s = 5, open_s = 1 }";

/// What is different from the usual.
#[derive(Clone)]
pub struct Config {
    /// Sections and keys beside the usual ones.
    pub more: String,
    /// `[limits]`.
    pub limits: String,
    /// The adapters' part, in which `{plugins}`, `{secrets}`, `{backends}` and the world's own `{folder}` are filled in.
    pub adapters: String,
    /// `[policies]` path.
    pub policies: PathBuf,
    /// `[http]` listen.
    pub listen: String,
    /// `[sync]`.
    pub sync: String,
    /// Where the outside systems are, `http://…`; the world starts its own where nobody says so.
    pub outside: Option<String>,
    /// Variables of the hub's process.
    pub env: Vec<(&'static str, &'static str)>,
    /// Keys of `[http]` beside the usual ones.
    pub more_http: String,
    /// Whether the end of the world finds fault with what is parked or owed.
    pub strict: bool,
}

impl Default for Config {
    fn default() -> Self {
        let rate = "{ per_second = 100000, burst = 100000 }";
        Self {
            more: String::new(),
            limits: format!("member = {rate}\naddress = {rate}"),
            adapters: ADAPTERS.to_owned(),
            policies: repository().join("policies"),
            listen: "127.0.0.1:0".to_owned(),
            sync: SYNC.to_owned(),
            outside: None,
            env: Vec::new(),
            more_http: String::new(),
            strict: true,
        }
    }
}

/// A hub, its data and its outside systems.
pub struct World {
    folder: tempfile::TempDir,
    config: Config,
    pub outside: Outside,
    hub: Lock<Option<Process>>,
    url: RwLock<String>,
    pub http: reqwest::Client,
    key: LocalKey,
}

/// Worlds that tests share, by name.
static SHARED: Mutex<Vec<(&str, Weak<World>)>> = Mutex::new(Vec::new());

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Where `make plugins` puts the components.
pub fn plugins() -> PathBuf {
    let dist = repository().join("plugins/dist");
    assert!(dist.join("crm.wasm").exists(), "run `make plugins` first: no components in {}", dist.display());
    dist
}

impl World {
    /// The usual world, shared by all who hold it at the same time.
    pub fn shared(name: &'static str) -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|(_, world)| world.strong_count() > 0);
        if let Some(world) = shared.iter().find(|(of, _)| *of == name).and_then(|(_, world)| world.upgrade()) {
            return world;
        }
        let world = Arc::new(run_aside(Self::start(Config::default())));
        shared.push((name, Arc::downgrade(&world)));
        world
    }

    /// A world of one's own.
    pub async fn start(config: Config) -> Self {
        let world = Self::prepare(config).await;
        world.up();
        world
    }

    /// A world whose hub was not started yet.
    pub async fn prepare(config: Config) -> Self {
        let folder = tempfile::Builder::new().prefix("hub-e2e-").tempdir().unwrap();
        let outside = match &config.outside {
            Some(url) => Outside::at(url),
            None => Outside::start().await,
        };
        let data = folder.path().join("data");
        let key = LocalKey::open(&data.join("hub.key")).unwrap();
        // Compiled components are kept from one world to the next.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
        std::fs::create_dir_all(&cache).unwrap();
        std::os::unix::fs::symlink(cache, data.join("cache")).unwrap();
        let secrets = folder.path().join("secrets");
        std::fs::create_dir(&secrets).unwrap();
        for (name, secret) in [("basic", "hub:secret"), ("key", "secret-key"), ("api-key", "ApiKey secret")] {
            std::fs::write(secrets.join(name), secret).unwrap();
        }
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        let (hub, url) = (Lock::new(None), RwLock::default());
        Self { folder, config, outside, hub, url, http, key }
    }

    fn write_config(&self) -> PathBuf {
        let path = self.folder().join("hub.toml");
        let Config { more, more_http, limits, adapters, policies, listen, sync, .. } = &self.config;
        let secrets = self.folder().join("secrets");
        let adapters = adapters
            .replace("{plugins}", plugins().to_str().unwrap())
            .replace("{secrets}", secrets.to_str().unwrap())
            .replace("{folder}", self.folder().to_str().unwrap())
            .replace("{backends}", &self.outside.url);
        let text = format!(
            "[http]\nlisten = \"{listen}\"\n{more_http}\n[store]\npath = \"data\"\n[policies]\npath = \"{}\"\n\
             [limits]\n{limits}\n[sync]\n{sync}\n{more}\n{adapters}",
            policies.display()
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The folder of this world; the hub's data is below `data`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.write_config()
    }

    /// The hub's address.
    pub fn url(&self) -> String {
        self.url.read().clone()
    }

    /// The hub's process.
    pub fn pid(&self) -> u32 {
        self.hub.lock().as_ref().unwrap().id()
    }

    /// Starts the hub.
    pub fn up(&self) {
        if let Err(ended) = self.try_up() {
            panic!("the hub did not start: {}\n{}", ended.status, ended.log);
        }
    }

    /// Starts the hub where that may be refused.
    pub fn try_up(&self) -> Result<(), Ended> {
        let process = Process::start(self.folder(), &self.write_config(), &self.config.env)?;
        self.url.write().clone_from(&process.url);
        *self.hub.lock() = Some(process);
        Ok(())
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.hub.lock().take().unwrap().kill();
    }

    /// SIGTERM, without waiting for the end.
    pub fn terminate(&self) {
        self.hub.lock().as_ref().unwrap().terminate();
    }

    /// SIGTERM; the hub has to leave with 0.
    pub fn down(&self) {
        self.terminate();
        self.left();
    }

    /// Waits for the end after `terminate`; the hub has to leave with 0.
    pub fn left(&self) {
        let process = self.hub.lock().take().unwrap();
        let status = process.wait();
        assert!(status.success(), "the hub left with {status}\n{}", self.log());
    }

    /// Waits for the end of a hub that gives up by itself, and says how it ended.
    #[allow(dead_code, reason = "the torture, which shares this harness, ends its hubs itself")]
    pub async fn fell(&self) -> std::process::ExitStatus {
        let mut process = self.hub.lock().take().unwrap();
        until("the hub ends by itself", || std::future::ready(process.ended())).await
    }

    /// What the hub wrote to stderr.
    pub fn log(&self) -> String {
        process::log(self.folder())
    }

    /// A member with these roles, whose token was signed by the hub's own key.
    pub fn member(&self, org: &str, id: &str, roles: &[&str]) -> Member<'_> {
        self.member_with(org, id, roles, &[], Some("active"))
    }

    /// A member with clients in the token, and a subscription.
    pub fn member_with(
        &self,
        org: &str,
        id: &str,
        roles: &[&str],
        clients: &[&str],
        subscription: Option<&str>,
    ) -> Member<'_> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let token = self.key.sign(&Grant {
            member: id.to_owned(),
            org: org.to_owned(),
            roles: texts(roles),
            clients: texts(clients),
            subscription: subscription.map(str::to_owned),
            from: Utc::now(),
            lifetime: Duration::from_secs(3600),
        });
        Member { world: self, token }
    }

    /// An administrator of an organisation, for a hub whose clock shows another time.
    #[allow(dead_code, reason = "the torture, which shares this harness, leaves the clock alone")]
    pub fn admin_between(&self, org: &str, from: chrono::DateTime<Utc>, lifetime: Duration) -> Member<'_> {
        let token = self.key.sign(&Grant {
            member: "m-1".to_owned(),
            org: org.to_owned(),
            roles: vec!["RP001".to_owned()],
            clients: Vec::new(),
            subscription: Some("active".to_owned()),
            from,
            lifetime,
        });
        Member { world: self, token }
    }

    /// Somebody of an organisation who may do all thirteen.
    pub fn admin(&self, org: &str) -> Member<'_> {
        self.member(org, "m-1", &["RP001"])
    }

    /// The operator.
    pub fn operator(&self) -> Member<'_> {
        self.member("operators", "op-1", &["OP001"])
    }

    /// One sum over the labels of a metric.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.http.get(format!("{}/metrics", self.url())).send().await.unwrap().text().await.unwrap();
        let of = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        text.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Waits until the hub owes nothing to anybody.
    pub async fn settle(&self) {
        until("nothing is owed any more", || async { (self.metric("hub_sync_owed").await == 0.0).then_some(()) }).await;
    }

    async fn ends_well(&self) {
        if self.config.strict {
            self.settle().await;
            let parked = self.operator().get("/admin/sync/parked").await.ok(200);
            assert_eq!(parked["items"], serde_json::json!([]), "deliveries that nobody meant to be parked");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail = log.lines().rev().take(40).collect::<Vec<_>>();
            eprintln!("the hub's log ended with:\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
            return;
        }
        if self.hub.lock().is_some() {
            run_aside(self.ends_well());
            self.down();
        }
    }
}
