//! A NATS server of the test's own, a journal in memory, and a view of what came out.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream;
use chrono::Utc;
use hub::notify::{
    Credentials, DeviceHint, Entries, NatsConfig, Notifier, NotifyStatus, Source, SourceEntry, SourceError,
};
use serde_json::{Value, json, value::to_raw_value};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

pub const LONG: Duration = Duration::from_secs(30);

pub struct Server {
    child: Option<Child>,
    pub port: u16,
    store: Option<TempDir>,
    more: Vec<String>,
}

impl Server {
    /// Knows its port; does not run yet.
    pub fn reserved(jetstream: bool) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = jetstream.then(|| TempDir::new().unwrap());
        Self { child: None, port, store, more: Vec::new() }
    }

    pub async fn started(jetstream: bool) -> Self {
        let mut server = Self::reserved(jetstream);
        server.start().await;
        server
    }

    pub async fn with(more: &[&str]) -> Self {
        let mut server = Self::reserved(false);
        server.more = more.iter().map(ToString::to_string).collect();
        server.start().await;
        server
    }

    pub async fn start(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string()]).args(&self.more);
        if let Some(store) = &self.store {
            command.arg("-js").arg("-sd").arg(store.path());
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nats-server in the PATH");
        self.child = Some(child);
        let address = ("127.0.0.1", self.port);
        tokio::time::timeout(LONG, async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("nats-server takes connections");
    }

    /// Without a chance to tidy up.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn config(&self) -> NatsConfig {
        toml::from_str(&format!("url = 'nats://127.0.0.1:{}'", self.port)).unwrap()
    }

    pub async fn client(&self) -> async_nats::Client {
        async_nats::connect(format!("127.0.0.1:{}", self.port)).await.unwrap()
    }

    /// Every message of the stream: its `Hub-Seq` (0 for others'), headers and body.
    pub async fn messages(&self) -> Vec<(u64, jetstream::message::StreamMessage)> {
        let stream = jetstream::new(self.client().await).get_stream("BACKOFFICE_EVENTS").await.unwrap();
        let mut messages = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            let message = stream.get_raw_message(sequence).await.unwrap();
            let seq = message.headers.get("Hub-Seq").map_or(0, |seq| seq.as_str().parse().unwrap());
            messages.push((seq, message));
        }
        messages
    }

    pub async fn seqs(&self) -> Vec<u64> {
        self.messages().await.into_iter().map(|(seq, _)| seq).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A journal in memory; what was announced can be told from what was not by the parity of `seq`.
pub struct Memory {
    entries: Mutex<Vec<SourceEntry>>,
    head: watch::Sender<u64>,
    pub marks: Mutex<Vec<u64>>,
}

impl Memory {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { entries: Mutex::default(), head: watch::Sender::new(0), marks: Mutex::default() })
    }

    fn append(&self, kind: &str, data: &Value) {
        let mut entries = self.entries.lock().unwrap();
        let seq = entries.len() as u64 + 1;
        entries.push(SourceEntry {
            seq,
            id: Uuid::now_v7(),
            time: Utc::now(),
            org: "org-1".to_owned(),
            stream: format!("client/CL-{seq}"),
            version: 1,
            kind: kind.to_owned(),
            action: "CL004".to_owned(),
            data: Some(to_raw_value(data).unwrap().into()),
        });
        self.head.send_replace(seq);
    }

    /// `count` changes of clients, each followed by a delivery that is not announced.
    pub fn grow(&self, count: u64) {
        for _ in 0..count {
            self.append(
                "client.updated",
                &json!({"changes": [{"pointer": "/email", "from": null, "to": "a@b.example"}]}),
            );
            self.append("delivery.attempted", &json!({}));
        }
    }

    /// The `seq` and id of every change that is to be announced.
    pub fn announced(&self) -> Vec<(u64, String)> {
        let entries = self.entries.lock().unwrap();
        entries
            .iter()
            .filter(|entry| entry.kind.starts_with("client."))
            .map(|entry| (entry.seq, entry.id.to_string()))
            .collect()
    }

    pub fn seqs(&self) -> Vec<u64> {
        self.announced().into_iter().map(|(seq, _)| seq).collect()
    }
}

pub struct Reader {
    journal: Arc<Memory>,
    next: u64,
}

/// What a test shares with the notifier.
pub struct Shared(pub Arc<Memory>);

impl Source for Shared {
    type Entries = Reader;

    async fn entries(&self, seq: u64) -> Result<Reader, SourceError> {
        Ok(Reader { journal: Arc::clone(&self.0), next: seq })
    }

    fn head(&self) -> u64 {
        *self.0.head.borrow()
    }

    async fn published(&self) -> Result<u64, SourceError> {
        Ok(self.0.marks.lock().unwrap().last().copied().unwrap_or(0))
    }

    async fn mark_published(&self, seq: u64) -> Result<(), SourceError> {
        self.0.marks.lock().unwrap().push(seq);
        self.0.append("notify.published", &json!({"seq": seq}));
        Ok(())
    }
}

impl Entries for Reader {
    async fn next(&mut self) -> Result<Option<SourceEntry>, SourceError> {
        let mut head = self.journal.head.subscribe();
        head.wait_for(|head| *head >= self.next).await.unwrap();
        let entry = self.journal.entries.lock().unwrap()[self.next as usize - 1].clone();
        self.next += 1;
        Ok(Some(entry))
    }
}

/// A notifier at work.
pub struct Working {
    pub status: watch::Receiver<NotifyStatus>,
    pub hints: mpsc::Receiver<DeviceHint>,
    leave: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), SourceError>>,
}

impl Working {
    pub fn on(config: NatsConfig, journal: &Arc<Memory>) -> Self {
        Self::with(config, Credentials::None, journal)
    }

    pub fn with(config: NatsConfig, credentials: Credentials, journal: &Arc<Memory>) -> Self {
        let (hints_in, hints) = mpsc::channel(2);
        let notifier = Notifier::new(config, credentials, Arc::new(Shared(Arc::clone(journal))), hints_in);
        let status = notifier.status();
        let (leave, leaving) = oneshot::channel();
        let task = tokio::spawn(async move {
            notifier
                .run(async {
                    let _ = leaving.await;
                })
                .await
        });
        Self { status, hints, leave, task }
    }

    pub async fn until(&mut self, what: &str, test: impl FnMut(&NotifyStatus) -> bool) -> NotifyStatus {
        let found = tokio::time::timeout(LONG, self.status.wait_for(test)).await.map(|status| status.unwrap().clone());
        found.unwrap_or_else(|_| panic!("{what}: {:?}", *self.status.borrow()))
    }

    /// Waits until all up to the newest change has been sent.
    pub async fn caught_up(&mut self, journal: &Memory) {
        let last = journal.seqs().last().copied().unwrap();
        self.until("caught up", |status| status.position >= last).await;
    }

    pub async fn leave(self) {
        self.leave.send(()).unwrap();
        tokio::time::timeout(LONG, self.task).await.unwrap().unwrap().unwrap();
    }
}
