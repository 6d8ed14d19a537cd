//! The composition root: one short step for each stage of starting, in the order in which the stages need each other.

pub mod data;

use std::future::Future;

use crate::config::Config;
use crate::telemetry::Metrics;

/// What is told when requests can be taken.
pub struct Serving {
    /// `http://` or `https://` with the address that it really has.
    pub url: String,
}

/// Why the hub does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The server is not part of this program yet.
    #[error("the server is not part of this program yet")]
    Absent,
}

/// Serves until `stop` ends. `ready` is called once requests can be taken.
///
/// # Errors
/// See [`StartError`].
#[expect(clippy::unused_async, reason = "the server waits")]
pub async fn serve(
    _config: Config,
    _metrics: Metrics,
    _ready: impl FnOnce(&Serving),
    _stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    Err(StartError::Absent)
}

/// As `serve`, beside simulated outside systems.
///
/// # Errors
/// See [`StartError`].
pub async fn demo(
    config: Config,
    metrics: Metrics,
    ready: impl FnOnce(&Serving),
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    serve(config, metrics, ready, stop).await
}
