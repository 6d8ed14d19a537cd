//! How the hub itself is: what readiness, administration and metrics are told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::Utc;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::sync::watch;

use super::links::Links;
use crate::access::Access;
use crate::actors::Tree;
use crate::adapters::{AdapterState, Adapters};
use crate::domain::delivery::Adapter;
use crate::http::views::{FindingView, Health, Part, PolicyView};
use crate::http::{Insight, Look};
use crate::journal::reads::{ReadsLog, View};
use crate::journal::{Actor, FileJournal, Journal};
use crate::notify::NotifyStatus;
use crate::state::history::HistoryPage;
use crate::state::{ClientRecord, Following, State};
use crate::sync::relationship;
use crate::telemetry::TraceContext;

/// What readiness says of an adapter that works while its outside system does not.
const AWAY: &str = "its outside system does not answer; it is tried again from time to time";

/// Everything that can tell how it is.
pub struct Parts {
    /// The truth.
    pub journal: Arc<FileJournal>,
    /// What is so.
    pub state: State,
    /// The adapters.
    pub adapters: Adapters,
    /// The policies.
    pub access: Arc<Access>,
    /// The actors.
    pub tree: Tree,
    /// The notifier, where there is one.
    pub notify: Option<watch::Receiver<NotifyStatus>>,
    /// The record of views, where there is to be one.
    pub reads: Option<Arc<ReadsLog>>,
    /// The links to the outside systems.
    pub links: Links,
}

impl Insight for Parts {
    fn readiness(&self) -> Vec<Part> {
        let mut parts = vec![self.journal_part(), self.state_part(), self.policy_part(), self.actors_part()];
        parts.extend(self.adapters.report().into_iter().map(|report| {
            let (status, detail) = match report.state {
                AdapterState::Up if self.links.is_away(report.name) => (Health::Degraded, Some(AWAY.to_owned())),
                AdapterState::Up => (Health::Ok, None),
                // Nobody has shown a token: why is for /admin/adapters.
                AdapterState::Down { .. } => (Health::Degraded, Some("its component is not loaded".to_owned())),
                AdapterState::Quarantined { .. } => (Health::Degraded, Some("its component is quarantined".to_owned())),
            };
            part(&format!("adapter/{}", report.name), status, detail)
        }));
        parts.push(self.nats_part());
        parts
    }

    fn policies(&self) -> PolicyView {
        let report = self.access.report();
        let findings = report.findings.into_iter().map(|finding| FindingView {
            file: finding.file,
            line: u64::try_from(finding.line).unwrap_or(0),
            column: u64::try_from(finding.column).unwrap_or(0),
            detail: match finding.expected.is_empty() {
                true => finding.message,
                false => format!("{}; expected {}", finding.message, finding.expected),
            },
        });
        PolicyView {
            digest: report.digest,
            since: report.since,
            files: report.files.into_iter().map(|file| file.name).collect(),
            findings: findings.collect(),
        }
    }

    fn history(&self, org: &str, reference: &str, before: Option<u64>, limit: usize) -> Result<HistoryPage, String> {
        let page = self.state.history(self.journal.as_ref(), (org, reference), before, limit);
        page.map_err(|error| error.to_string())
    }

    fn viewed(&self, client: &ClientRecord) {
        if relationship::is_stale(client) {
            self.links.hint(Adapter::Crm, &client.client.reference);
        }
    }

    fn looked(&self, look: Look<'_>) {
        let Some(reads) = &self.reads else { return };
        let Look { permit, reference, request_id, address } = look;
        let (member, roles) = (permit.member().to_owned(), permit.caller().roles().to_vec());
        reads.viewed(View {
            org: permit.org().to_owned(),
            reference: reference.to_owned(),
            actor: Actor { member, roles, address: Some(address.to_string()) },
            action: permit.action().as_str(),
            request_id: request_id.to_owned(),
            trace: TraceContext::current().map(|trace| trace.to_string()),
            decision: permit.decision_id().to_string(),
            at: Utc::now(),
        });
    }
}

impl Parts {
    fn views(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(reads) = &self.reads else { return Ok(()) };
        let counts = reads.counts();
        let all = [
            ("hub_reads_recorded", "Views of clients that are on the record", &counts.recorded),
            ("hub_reads_lost", "Views of clients that are missing on the record", &counts.lost),
        ];
        for (name, help, count) in all {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(count.load(Ordering::Relaxed)).encode(metric)?;
        }
        Ok(())
    }

    fn journal_part(&self) -> Part {
        match self.journal.trouble() {
            None if self.journal.has_room() => part("journal", Health::Ok, None),
            None => part("journal", Health::Degraded, Some("too little free space: changes are refused".to_owned())),
            Some(reason) => part("journal", Health::Down, Some(reason.to_owned())),
        }
    }

    fn state_part(&self) -> Part {
        match self.state.how_it_follows() {
            Following::Follows => part("state", Health::Ok, None),
            Following::Waits => part("state", Health::Degraded, Some("too little free space: it waits".to_owned())),
            Following::GivenUp => {
                let why = "it can't be written: what is new is in memory only; restart the hub to have it made again";
                part("state", Health::Degraded, Some(why.to_owned()))
            }
        }
    }

    fn policy_part(&self) -> Part {
        let findings = self.access.report().findings.len();
        match findings {
            0 => part("policies", Health::Ok, None),
            _ => part("policies", Health::Degraded, Some(format!("the files on disk have {findings} findings"))),
        }
    }

    fn actors_part(&self) -> Part {
        let failed = [self.tree.failed(), self.tree.degraded()].concat();
        match failed.is_empty() {
            true => part("actors", Health::Ok, None),
            false => part("actors", Health::Degraded, Some(failed.join(", "))),
        }
    }

    fn nats_part(&self) -> Part {
        let Some(notify) = &self.notify else {
            return part("nats", Health::Degraded, Some("not configured: notifications wait".to_owned()));
        };
        let status = notify.borrow();
        match status.connected {
            true => part("nats", Health::Ok, None),
            false => part("nats", Health::Degraded, Some("not connected: notifications wait".to_owned())),
        }
    }
}

fn part(name: &str, status: Health, detail: Option<String>) -> Part {
    Part { name: name.to_owned(), status, detail }
}

/// What is owed and announced, read when it is scraped.
#[derive(Debug)]
pub struct Gauges(pub Arc<Parts>);

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let state = &self.0.state;
        let totals: Vec<_> =
            state.configured().iter().map(|adapter| (*adapter, state.lanes().totals(*adapter))).collect();
        let of = |value: fn(&(usize, usize, Option<chrono::DateTime<Utc>>)) -> f64| {
            totals.iter().map(move |(adapter, totals)| (*adapter, value(totals)))
        };
        gauges(&mut encoder, "hub_sync_owed", "Lanes that are owed something", of(|totals| totals.0 as f64))?;
        gauges(
            &mut encoder,
            "hub_sync_parked",
            "Lanes with a delivery that was set aside",
            of(|totals| totals.1 as f64),
        )?;
        gauges(
            &mut encoder,
            "hub_sync_lag_seconds",
            "Age of the oldest delivery that is owed",
            of(|totals| age(totals.2)),
        )?;
        let clients = ConstGauge::new(state.clients() as f64);
        clients.encode(encoder.encode_descriptor(
            "hub_clients",
            "Clients, archived ones too",
            None,
            MetricType::Gauge,
        )?)?;
        self.0.views(&mut encoder)?;
        let Some(notify) = &self.0.notify else { return Ok(()) };
        let status = notify.borrow().clone();
        let (name, help) = ("hub_notify_published", "Entries announced on NATS");
        ConstCounter::new(status.published).encode(encoder.encode_descriptor(
            name,
            help,
            None,
            MetricType::Counter,
        )?)?;
        let lag =
            ConstGauge::new(self.0.journal.head().seq.saturating_sub(status.position.max(state.published())) as f64);
        lag.encode(encoder.encode_descriptor("hub_notify_lag", "Entries not yet looked at", None, MetricType::Gauge)?)
    }
}

fn age(since: Option<chrono::DateTime<Utc>>) -> f64 {
    since.map_or(0.0, |since| (Utc::now() - since).num_milliseconds().max(0) as f64 / 1_000.0)
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (Adapter, f64)>,
) -> Result<(), std::fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (adapter, value) in values {
        ConstGauge::new(value).encode(metric.encode_family(&[("adapter", adapter.as_str())])?)?;
    }
    Ok(())
}
