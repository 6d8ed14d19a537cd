//! The tree as Prometheus metrics, collected when they are scraped.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::node::{ActorReport, ActorState};
use super::tree::Tree;

impl Collector for Tree {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let report = self.report();
        let of =
            |value: fn(&ActorReport) -> u64| report.actors.iter().map(move |actor| (actor.name.as_str(), value(actor)));
        gauges(
            &mut encoder,
            "hub_mailbox_depth",
            "Messages that wait or are being handled",
            of(|actor| u64::try_from(actor.mailbox_depth).unwrap_or(u64::MAX)),
        )?;
        gauges(
            &mut encoder,
            "hub_actor_up",
            "1 while the actor runs",
            of(|actor| u64::from(actor.state == ActorState::Running)),
        )?;
        counters(
            &mut encoder,
            "hub_mailbox_overloaded",
            "Messages refused by a full mailbox",
            of(|actor| actor.overloaded),
        )?;
        counters(&mut encoder, "hub_actor_restarts", "Times the actor was made again", of(|actor| actor.restarts))?;
        let hung = ConstGauge::new(u64::from(report.abandoned_threads));
        let metric = encoder.encode_descriptor(
            "hub_actor_threads_abandoned",
            "Threads given up because an actor blocked them",
            None,
            MetricType::Gauge,
        )?;
        hung.encode(metric)
    }
}

fn gauges<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (&'a str, u64)>,
) -> Result<(), std::fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (actor, value) in values {
        ConstGauge::new(value).encode(metric.encode_family(&[("actor", actor)])?)?;
    }
    Ok(())
}

fn counters<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (&'a str, u64)>,
) -> Result<(), std::fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (actor, value) in values {
        ConstCounter::new(value).encode(metric.encode_family(&[("actor", actor)])?)?;
    }
    Ok(())
}
