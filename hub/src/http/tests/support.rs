//! A front with stand-ins behind it.

use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::Utc;
use tokio::sync::Semaphore;

use crate::access::{Access, Tokens};
use crate::actors::TreeReport;
use crate::actors::command::ParkedView;
use crate::actors::commands::Commands;
use crate::adapters::AdapterReport;
use crate::domain::delivery::Adapter;
use crate::http::views::{Health, Part, PolicyView};
use crate::http::{Front, HttpContext, Insight, Limits, Rate, UPLOADS};
use crate::state::State;
use crate::state::history::HistoryPage;
use crate::telemetry::Metrics;

struct Quiet;

impl Insight for Quiet {
    fn readiness(&self) -> Vec<Part> {
        vec![Part { name: "journal".into(), status: Health::Ok, detail: None }]
    }

    fn tree(&self) -> TreeReport {
        TreeReport { actors: Vec::new(), abandoned_threads: 0 }
    }

    fn adapters(&self) -> Vec<AdapterReport> {
        Vec::new()
    }

    fn policies(&self) -> PolicyView {
        PolicyView { digest: String::new(), since: Utc::now(), files: Vec::new(), findings: Vec::new() }
    }

    fn parked(&self, _: Option<Adapter>) -> Vec<ParkedView> {
        Vec::new()
    }

    fn history(&self, _: &str, _: &str, _: Option<u64>, _: usize) -> Result<HistoryPage, String> {
        Ok(HistoryPage { items: Vec::new(), next: None })
    }

    fn viewed(&self, _: &str, _: &str) {}
}

pub fn front() -> Front {
    front_with(1_000, 1_000)
}

pub fn front_with(address: u32, member: u32) -> Front {
    Front::new(context(address, member))
}

/// A hub that takes so many requests a second.
pub fn context(address: u32, member: u32) -> Arc<HttpContext> {
    let rate = |rate| Rate { per_second: NonZeroU32::new(rate).unwrap(), burst: NonZeroU32::new(rate).unwrap() };
    Arc::new(HttpContext {
        state: State,
        commands: Commands,
        access: Arc::new(Access),
        tokens: Arc::new(Tokens),
        metrics: Arc::new(Metrics::new(None)),
        limits: Limits::new(rate(address), rate(member)),
        insight: Arc::new(Quiet),
        uploads: Semaphore::new(UPLOADS),
    })
}
