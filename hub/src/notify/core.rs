//! Events to whoever listens, where there is no JetStream.
//!
//! Nobody acknowledges these, so each batch is followed by a message to the hub itself: a connection keeps its order,
//! and when that one arrives the server has had the batch.

use async_nats::{Client, Subject, Subscriber};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;

use super::cloud_event::{Outgoing, is_announced};
use super::config::NatsConfig;
use super::link::ANSWER_WITHIN;
use super::notifier::SessionError;
use super::progress::Progress;
use super::source::{Entries, Source};

/// Events between two looks at whether they arrived.
const BATCH: usize = 256;

pub(super) struct Core {
    client: Client,
    echo: Subject,
    echoes: Subscriber,
}

impl Core {
    pub(super) async fn open(client: &Client) -> Result<Self, SessionError> {
        let echo = Subject::from(client.new_inbox());
        let echoes = client.subscribe(echo.clone()).await.map_err(|_| SessionError::Lost)?;
        Ok(Self { client: client.clone(), echo, echoes })
    }

    /// Publishes from the position on until told to stop.
    pub(super) async fn publish<S: Source>(
        &mut self,
        config: &NatsConfig,
        progress: &mut Progress<'_, S>,
        stop: &CancellationToken,
    ) -> Result<(), SessionError> {
        let mut entries = progress.source().entries(progress.position().saturating_add(1)).await?;
        loop {
            let mut next = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                next = entries.next() => Some(next?.ok_or(SessionError::Closed)?),
            };
            let (mut batch, mut through) = (Vec::new(), progress.position());
            while let Some(entry) = next.take() {
                through = entry.seq;
                if is_announced(&entry.kind) {
                    batch.push(Outgoing::of(&entry, &config.subject)?);
                }
                if batch.len() < BATCH {
                    next = entries.next().now_or_never().transpose()?.flatten();
                }
            }
            self.send(&batch).await?;
            for event in batch {
                progress.published(event.seq).await;
            }
            progress.passed(through);
        }
    }

    async fn send(&mut self, batch: &[Outgoing]) -> Result<(), SessionError> {
        if batch.is_empty() {
            return Ok(());
        }
        for event in batch {
            let sent = self.client.publish_with_headers(event.subject.clone(), event.headers(), event.payload.clone());
            sent.await.map_err(|error| SessionError::Publish(error.to_string()))?;
        }
        self.client.publish(self.echo.clone(), Bytes::new()).await.map_err(|_| SessionError::Lost)?;
        let echo = tokio::time::timeout(ANSWER_WITHIN, self.echoes.next()).await;
        echo.ok().flatten().map(|_| ()).ok_or(SessionError::Lost)
    }
}
