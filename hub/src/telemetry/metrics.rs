//! Every metric of the hub, in one place, with its name, unit and help.
//!
//! Labels have few values each: actions, statuses, adapters and actors, never clients, members or organisations.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use tracing_appender::non_blocking::ErrorCounter;

use super::handles::{Http, JournalWriter, RequestLabels};
use super::process::Process;

/// The type of what `render` answers.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds, from a read out of memory to a slow outside system.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// Entries in one flush of the journal.
const ENTRIES: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    action: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    adapter: String,
    function: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FunctionLabels {
    adapter: String,
    function: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLabels {
    by: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The hub's metrics. Cheap to clone; clones record into the same series.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<RwLock<Registry>>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histograms<ActionLabels>,
    calls: Family<CallLabels, Counter>,
    call_seconds: Histograms<FunctionLabels>,
    journal: JournalWriter,
    rate_limited: Family<ByLabels, Counter>,
}

impl Metrics {
    /// All metrics at zero. `dropped_lines` is the log's counter (`LogGuard::dropped`), where there is a log.
    #[must_use]
    pub fn new(dropped_lines: Option<ErrorCounter>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process { dropped_lines }));
        let r = &mut registry;
        Self {
            requests: family(r, "hub_http_requests", "Requests answered"),
            request_seconds: seconds(r, "hub_http_request_duration_seconds", "Time to answer a request"),
            calls: family(r, "hub_adapter_calls", "Calls of adapters"),
            call_seconds: seconds(r, "hub_adapter_call_duration_seconds", "Time of an adapter call"),
            journal: JournalWriter {
                flush_seconds: one(r, "hub_journal_flush_seconds", "Time to make a group durable", histogram()),
                entries: one(r, "hub_journal_entries", "Entries made durable", Counter::default()),
                group_entries: one(r, "hub_journal_group_entries", "Entries in one flush", Histogram::new(ENTRIES)),
            },
            rate_limited: family(r, "hub_rate_limited", "Requests refused by a rate limit"),
            registry: Arc::new(RwLock::new(registry)),
        }
    }

    /// Lets another part of the hub register what it counts itself.
    pub fn extend(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.registry.write());
    }

    /// Requests of `action` (`CL001`, …): resolve once for each route.
    #[must_use]
    pub fn http(&self, action: &'static str) -> Http {
        let duration = self.request_seconds.get_or_create_owned(&ActionLabels { action });
        Http::new(action, self.requests.clone(), duration)
    }

    /// A call of an adapter's function came to `outcome` (`ok`, `retry`, `unknown`, `reject`, …).
    pub fn adapter_called(&self, adapter: &str, function: &'static str, outcome: &'static str, took: Duration) {
        let adapter = adapter.to_owned();
        let labels = FunctionLabels { adapter: adapter.clone(), function };
        self.call_seconds.get_or_create_owned(&labels).observe(took.as_secs_f64());
        self.calls.get_or_create_owned(&CallLabels { adapter, function, outcome }).inc();
    }

    /// The journal's writer.
    #[must_use]
    pub fn journal(&self) -> JournalWriter {
        self.journal.clone()
    }

    /// Requests refused by the limit `by` (`address`, `member`): resolve once.
    #[must_use]
    pub fn rate_limited(&self, by: &'static str) -> Counter {
        self.rate_limited.get_or_create_owned(&ByLabels { by })
    }

    /// All series as OpenMetrics text, of type `CONTENT_TYPE`.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a string can't fail; a metric that failed to encode would leave the rest readable.
        if text::encode(&mut out, &self.registry.read()).is_err() {
            tracing::warn!("metrics could not be rendered whole");
        }
        out
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(None)
    }
}

fn one<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn family<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    one(registry, name, help, M::default())
}

fn seconds<L>(registry: &mut Registry, name: &str, help: &str) -> Histograms<L>
where
    L: Clone + std::hash::Hash + Eq,
    Histograms<L>: Metric + Clone,
{
    one(registry, name, help, Family::new_with_constructor(histogram as fn() -> Histogram))
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_what_was_recorded() {
        let metrics = Metrics::default();
        let http = metrics.http("CL002");
        http.answered(200, Duration::from_micros(300));
        http.answered(200, Duration::from_micros(300));
        http.answered(418, Duration::from_secs(2));
        metrics.adapter_called("crm", "upsert-contact", "ok", Duration::from_millis(4));
        metrics.journal().flushed(7, Duration::from_micros(150));
        metrics.rate_limited("member").inc();
        let text = metrics.render();
        for line in [
            "hub_http_requests_total{action=\"CL002\",status=\"200\"} 2",
            "hub_http_requests_total{action=\"CL002\",status=\"418\"} 1",
            "hub_http_request_duration_seconds_count{action=\"CL002\"} 3",
            "hub_adapter_calls_total{adapter=\"crm\",function=\"upsert-contact\",outcome=\"ok\"} 1",
            "hub_journal_entries_total 7",
            "hub_journal_group_entries_sum 7.0",
            "hub_rate_limited_total{by=\"member\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(text.contains("process_resident_memory_bytes "));
        assert!(text.ends_with("# EOF\n"));
    }
}
