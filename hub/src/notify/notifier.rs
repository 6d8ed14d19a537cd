//! The notifier's own loop: connect, publish and listen until something breaks, wait, again.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::config::{Credentials, NatsConfig};
use super::core::Core;
use super::hint::{self, DeviceHint};
use super::jetstream::JetStream;
use super::link::Link;
use super::progress::Progress;
use super::source::{Source, SourceError};
use super::status::NotifyStatus;

/// Waits between two connections: the first, and the longest that doubling leads to.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// The part of a wait that chance may take off.
const JITTER: f64 = 0.2;
/// For what is under way when the hub stops.
const LEAVE_WITHIN: Duration = Duration::from_secs(3);

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("can't connect: {0}")]
    Connect(String),
    #[error("the connection was lost")]
    Lost,
    #[error("JetStream: {0}")]
    JetStream(String),
    #[error("JetStream is not there any more")]
    JetStreamGone,
    #[error("the stream does not end where it should")]
    Conflict,
    #[error("an event was not taken: {0}")]
    Publish(String),
    #[error("an entry can't be written as an event: {0}")]
    Event(#[from] serde_json::Error),
    #[error("the journal is closed")]
    Closed,
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Publishes the journal to NATS and hands on device hints. Keeps nothing from one [`Notifier::run`] to the next.
#[derive(Debug)]
pub struct Notifier<S> {
    config: NatsConfig,
    credentials: Credentials,
    source: Arc<S>,
    hints: mpsc::Sender<DeviceHint>,
    status: watch::Sender<NotifyStatus>,
}

impl<S: Source> Notifier<S> {
    /// A notifier that hands device hints to `hints`; when that is full they are dropped and counted.
    pub fn new(config: NatsConfig, credentials: Credentials, source: Arc<S>, hints: mpsc::Sender<DeviceHint>) -> Self {
        Self { config, credentials, source, hints, status: watch::Sender::default() }
    }

    /// How it is, now and later.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<NotifyStatus> {
        self.status.subscribe()
    }

    /// Works until `leaving` is done, through any trouble with NATS.
    ///
    /// # Errors
    /// The journal can't be read or written.
    pub async fn run(&self, leaving: impl Future<Output = ()> + Send) -> Result<(), SourceError> {
        let stop = CancellationToken::new();
        let mut progress = Progress::load(&*self.source, &self.status).await?;
        let worked = {
            let mut work = pin!(self.work(&mut progress, &stop));
            let mut leaving = pin!(leaving);
            tokio::select! {
                biased;
                worked = &mut work => worked,
                () = &mut leaving => {
                    stop.cancel();
                    tokio::time::timeout(LEAVE_WITHIN, work).await.unwrap_or(Ok(()))
                }
            }
        };
        self.status.send_modify(|status| status.connected = false);
        worked?;
        progress.mark().await;
        Ok(())
    }

    /// One connection after the other, until told to stop.
    async fn work(&self, progress: &mut Progress<'_, S>, stop: &CancellationToken) -> Result<(), SourceError> {
        let (mut wait, mut had_jetstream) = (BACKOFF.0, false);
        loop {
            let before = progress.position();
            let ended = self.session(progress, &mut had_jetstream, stop).await;
            match ended {
                Ok(()) => return Ok(()),
                Err(SessionError::Source(error)) => return Err(error),
                Err(error) => self.log(&error),
            }
            if progress.position() > before {
                wait = BACKOFF.0;
            }
            let pause = wait.mul_f64(1.0 - JITTER * rand::random::<f64>());
            wait = (wait * 2).min(BACKOFF.1);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One connection, from beginning to end. `Ok` when told to stop.
    async fn session(
        &self,
        progress: &mut Progress<'_, S>,
        had_jetstream: &mut bool,
        stop: &CancellationToken,
    ) -> Result<(), SessionError> {
        let link = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            link = Link::connect(&self.config, &self.credentials) => link?,
        };
        let events = link.client.subscribe(hint::SUBJECTS).await.map_err(|_| SessionError::Lost)?;
        let publish = async {
            let jetstream = JetStream::open(&link.client, &self.config).await?;
            // A server that is starting up may not have it yet: what was exactly once must not become less.
            if jetstream.is_none() && *had_jetstream {
                return Err(SessionError::JetStreamGone);
            }
            *had_jetstream = jetstream.is_some();
            self.show_connected(*had_jetstream);
            match jetstream {
                Some(mut stream) => stream.publish(&self.config, progress, stop).await,
                None => Core::open(&link.client).await?.publish(&self.config, progress, stop).await,
            }
        };
        tokio::select! {
            ended = publish => ended,
            () = self.listen(events) => Err(SessionError::Lost),
            () = link.lost.cancelled() => Err(SessionError::Lost),
        }
    }

    /// Hands device hints on until the subscription ends.
    async fn listen(&self, mut events: Subscriber) {
        while let Some(event) = events.next().await {
            match hint::read(&event.subject, &event.payload) {
                Ok(hint) => {
                    let taken = self.hints.try_send(hint).is_ok();
                    self.status.send_modify(|status| {
                        let counter = if taken { &mut status.hints } else { &mut status.hints_dropped };
                        *counter = counter.saturating_add(1);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, bytes = event.payload.len(), "device event dropped");
                    self.status.send_modify(|status| status.hints_malformed = status.hints_malformed.saturating_add(1));
                }
            }
        }
    }

    fn show_connected(&self, jetstream: bool) {
        tracing::info!(url = self.config.url.as_str(), jetstream, "connected to NATS");
        self.status.send_modify(|status| (status.connected, status.jetstream) = (true, jetstream));
    }

    /// A trouble that lasts is logged once.
    fn log(&self, error: &SessionError) {
        let reason = error.to_string();
        self.status.send_if_modified(|status| {
            let news = status.connected || status.last_failure.as_ref() != Some(&reason);
            if news {
                tracing::warn!(reason, position = status.position, "notifications wait");
            }
            status.connected = false;
            status.last_failure = Some(reason);
            news
        });
    }
}
