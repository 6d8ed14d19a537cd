//! A hub in a folder of its own, without adapters, and members who ask it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Full};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::access::{Grant, LocalKey, Tokens, testing};
use crate::actors::adapters::AdapterDesk;
use crate::actors::commands::{Commands, Shards};
use crate::actors::{ActorSystem, Tree};
use crate::adapters::Adapters;
use crate::domain::device::Enrolment;
use crate::domain::event::Event;
use crate::http::views::{Health, Part, PolicyView};
use crate::http::{ConnectionLimits, Front, HttpContext, Insight, Limits, Look, Proxies, Rate, Uploads};
use crate::journal::{Append, Journal as _};
use crate::startup::data::{self, Data};
use crate::state::history::HistoryPage;
use crate::state::{ClientRecord, State};
use crate::sync::accounts::Accounts;
use crate::sync::documents::Documents;
use crate::sync::entries::{By, device_stream};
use crate::telemetry::Metrics;

/// What the tests let the hub say of itself.
struct Told {
    state: State,
    journal: Arc<crate::journal::FileJournal>,
    health: Arc<Mutex<Option<Health>>>,
}

impl Insight for Told {
    fn readiness(&self) -> Vec<Part> {
        // Without a health to tell, this is the handler that panics.
        let status = self.health.lock().unwrap();
        vec![Part { name: "journal".into(), status, detail: None }]
    }

    fn policies(&self) -> PolicyView {
        PolicyView { digest: String::new(), since: Utc::now(), files: Vec::new(), findings: Vec::new() }
    }

    fn history(&self, org: &str, reference: &str, before: Option<u64>, limit: usize) -> Result<HistoryPage, String> {
        let page = self.state.history(self.journal.as_ref(), (org, reference), before, limit);
        page.map_err(|error| error.to_string())
    }

    fn viewed(&self, _: &ClientRecord) {}

    fn looked(&self, _: Look<'_>) {}
}

/// A running hub. Its parts end with it.
pub struct House {
    pub hub: Arc<HttpContext>,
    pub health: Arc<Mutex<Option<Health>>>,
    front: Front,
    key: LocalKey,
    journal: Arc<crate::journal::FileJournal>,
    _system: ActorSystem,
    _folder: TempDir,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{:?}", self.body))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl House {
    pub async fn open() -> Self {
        Self::with_limits(10_000, 10_000).await
    }

    /// A hub that takes so many requests a second, and no burst.
    pub async fn with_limits(address: u32, member: u32) -> Self {
        Self::with(address, member, u32::MAX).await
    }

    /// A hub that takes so many connections from one address.
    pub async fn with_connections(address: u32) -> Self {
        Self::with(10_000, 10_000, address).await
    }

    async fn with(address: u32, member: u32, connections: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Data { journal, state, .. } = data::open(folder.path(), &[], None, |_, _| {}).unwrap();
        let adapters = Adapters::load(&BTreeMap::new(), &folder.path().join("cache"), None).await.unwrap();
        let (key, access) = (LocalKey::open(&folder.path().join("hub.key")).unwrap(), Arc::new(testing::access()));
        let system = ActorSystem::start().unwrap();
        let tree = Tree::new(&system);
        let shards = Shards {
            journal: journal.clone(),
            state: state.clone(),
            access: access.clone(),
            accounts: Accounts::new(adapters.clone()),
            documents: Documents::open(folder.path()).unwrap(),
            open_accounts_block_archive: false,
        };
        let commands = Commands::start(&tree, shards).unwrap();
        while !tree.degraded().is_empty() {
            tokio::task::yield_now().await;
        }
        let health = Arc::new(Mutex::new(Some(Health::Ok)));
        let kept = journal.clone();
        let rate = |rate| Rate { per_second: NonZeroU32::new(rate).unwrap(), burst: NonZeroU32::new(rate).unwrap() };
        let hub = Arc::new(HttpContext {
            state: state.clone(),
            commands,
            access,
            tokens: Arc::new(Tokens::local(&key)),
            metrics: Arc::new(Metrics::new(None)),
            limits: Limits::new(rate(address), rate(member)),
            secure: false,
            connections: ConnectionLimits { total: NonZeroU32::MAX, address: NonZeroU32::new(connections).unwrap() },
            proxies: Proxies::default(),
            tree,
            swaps: AdapterDesk::new(adapters.clone(), journal.clone(), folder.path().join("adapters.lock")),
            adapters,
            insight: Arc::new(Told { state, journal, health: health.clone() }),
            uploads: Uploads::default(),
        });
        Self { front: Front::new(hub.clone()), hub, health, key, journal: kept, _system: system, _folder: folder }
    }

    /// A token of a member of `o`.
    pub fn token(&self, member: &str, roles: &[&str]) -> String {
        self.sign(member, "o", roles, Some("active"))
    }

    pub fn sign(&self, member: &str, org: &str, roles: &[&str], subscription: Option<&str>) -> String {
        self.key.sign(&Grant {
            member: member.into(),
            org: org.into(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            clients: Vec::new(),
            subscription: subscription.map(Into::into),
            from: Utc::now(),
            lifetime: Duration::from_secs(600),
        })
    }

    /// A request of an administrator.
    pub fn ask(&self, method: &str, path: &str) -> http::request::Builder {
        self.ask_as(&self.token("m", &["RP001", "OP001"]), method, path)
    }

    pub fn ask_as(&self, token: &str, method: &str, path: &str) -> http::request::Builder {
        http::Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {token}"))
    }

    pub async fn send(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Reply {
        let request = request.body(Full::new(body.into())).unwrap();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let (head, body) = self.front.answer(request, address).await.into_parts();
        Reply { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub async fn code(&self, request: http::request::Builder, body: impl Into<Bytes>) -> String {
        self.send(request, body).await.code()
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.ask("GET", path), "").await
    }

    pub async fn put(&self, method: &str, path: &str, body: &Value) -> Reply {
        let request = self.ask(method, path).header(CONTENT_TYPE, "application/json");
        self.send(request, body.to_string()).await
    }

    /// A new client's reference.
    pub async fn client(&self, number: u32) -> String {
        let reply = self.put("POST", "/clients/profile", &company(number)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{:?}", reply.body);
        reply.json()["reference"].as_str().unwrap().to_owned()
    }
}

impl House {
    /// A device of a client of `o`, as the identity system would have it listed.
    pub async fn device(&self, client: &str) -> String {
        let device_type = serde_json::from_value(json!("mobile")).unwrap();
        let enrolled = Event::DeviceEnrolled(Enrolment {
            client: client.to_owned(),
            external_id: format!("of-{client}"),
            device_type,
            model: None,
            label: None,
            active: true,
            locked: false,
            enrolled_at: None,
        });
        let reference = format!("DV-{client}");
        let entry = By::hub("o", "test").entry(device_stream(&reference), enrolled).unwrap();
        self.journal.append(Append { entries: vec![entry], ..Append::default() }).await.unwrap();
        reference
    }
}

/// A corporate client as a caller writes it.
pub fn company(number: u32) -> Value {
    json!({"kind": "corporate", "name": format!("Company {number:03}"),
        "corporate": {"legalName": "Company Ltd", "registrationNumber": number.to_string()}})
}
