//! What the hub says about itself: log lines, trace context and metrics.
//!
//! It knows names and numbers only. No personal data and no secret may be handed to it. Nothing here is global but the
//! subscriber that `log::init` installs: metrics are handed to whoever records them.

pub mod handles;
mod json;
pub mod log;
pub mod metrics;
mod process;
pub mod trace;

pub use handles::{Http, JournalWriter};
pub use log::{LogError, LogFormat, LogGuard, LogOptions};
pub use metrics::Metrics;
pub use trace::TraceContext;
