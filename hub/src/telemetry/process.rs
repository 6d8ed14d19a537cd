//! What is read from the system or from elsewhere in the process at the moment of a scrape.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use tracing_appender::non_blocking::ErrorCounter;

/// Resident memory, and log lines that were dropped.
#[derive(Debug)]
pub struct Process {
    /// The log's own counter, where there is a log.
    pub dropped_lines: Option<ErrorCounter>,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if let Some(bytes) = std::fs::read_to_string("/proc/self/status").ok().as_deref().and_then(resident_bytes) {
            let help = "Resident memory of the process, in bytes";
            let out = encoder.encode_descriptor("process_resident_memory_bytes", help, None, MetricType::Gauge)?;
            ConstGauge::new(bytes).encode(out)?;
        }
        if let Some(dropped) = &self.dropped_lines {
            let help = "Log lines that found the queue full";
            let out = encoder.encode_descriptor("hub_log_lines_dropped", help, None, MetricType::Counter)?;
            ConstCounter::new(dropped.dropped_lines() as u64).encode(out)?;
        }
        Ok(())
    }
}

/// `VmRSS` of proc(5), which is in KiB.
fn resident_bytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_line() {
        assert_eq!(resident_bytes("Name:\thub\nVmRSS:\t  12345 kB\nThreads:\t4\n"), Some(12_641_280));
        assert_eq!(resident_bytes("VmRSS: many"), None);
    }
}
