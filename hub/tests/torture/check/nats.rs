//! The stream on NATS: every change that is announced, once, in the order of the journal, under the id of its entry.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use futures::StreamExt as _;
use serde_json::Value;

use super::{Entry, Evidence, Findings};

/// How long the last events may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing more may come from a stream that is read.
const SILENCE: Duration = Duration::from_secs(5);

/// An event as it lies in the stream.
struct Event {
    seq: u64,
    id: String,
    subject: String,
    body: Value,
}

pub async fn look(evidence: &mut Evidence<'_>) -> Findings {
    let mut findings = Findings::new();
    let announced: Vec<Entry> = evidence
        .entries
        .iter()
        .filter(|entry| ["client.", "kyc.", "document.", "device."].iter().any(|family| entry.kind.starts_with(family)))
        .cloned()
        .collect();
    let events = read(evidence.nats_port, announced.len()).await;
    evidence.count("events", events.len());
    if events.len() != announced.len() {
        findings.push(format!("nats: {} events for {} changes", events.len(), announced.len()));
    }
    for (event, entry) in events.iter().zip(&announced) {
        let subject = format!("backoffice.clients.{}.{}", entry.org, entry.kind);
        let wanted = (entry.seq, entry.id.as_str(), subject.as_str());
        let found = (event.seq, event.id.as_str(), event.subject.as_str());
        if found != wanted || event.body["id"] != entry.id.as_str() {
            findings.push(format!("nats: found {found:?} where {wanted:?} was expected"));
            break;
        }
        let version = event.body["data"]["version"].as_u64();
        if matches!(entry.family(), "client" | "device") && version != Some(entry.version) {
            findings
                .push(format!("nats: entry {} of version {} was announced as {version:?}", entry.seq, entry.version));
        }
    }
    findings
}

/// All of the stream, once there is as much in it as there should be, or patience is over.
async fn read(port: u16, expected: usize) -> Vec<Event> {
    let context = jetstream::new(async_nats::connect(format!("127.0.0.1:{port}")).await.unwrap());
    let mut stream = context.get_stream("BACKOFFICE_EVENTS").await.unwrap();
    let started = Instant::now();
    let there = loop {
        let there = usize::try_from(stream.info().await.unwrap().state.messages).unwrap();
        if there >= expected || started.elapsed() > PATIENCE {
            break there;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let consumer = stream.create_consumer(jetstream::consumer::pull::OrderedConfig::default()).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let mut events = Vec::new();
    while events.len() < there {
        let Ok(Some(message)) = tokio::time::timeout(SILENCE, messages.next()).await else { break };
        let message = message.unwrap();
        let header =
            |name: &str| message.headers.as_ref().and_then(|headers| headers.get(name)).map(ToString::to_string);
        events.push(Event {
            seq: header("Hub-Seq").and_then(|seq| seq.parse().ok()).unwrap_or_default(),
            id: header("Nats-Msg-Id").unwrap_or_default(),
            subject: message.subject.to_string(),
            body: serde_json::from_slice(&message.payload).unwrap_or_default(),
        });
    }
    events
}
