//! Events into a JetStream stream, each exactly once and in order.
//!
//! The stream's own last message says how far the hub has come. The first event after that look must follow the stream's last
//! sequence, each further one the event before it by its id; so a late answer, a retry or a second
//! hub can neither repeat nor reorder. Whatever goes wrong, the answer is the same: look again.

use std::collections::VecDeque;
use std::future::IntoFuture;

use async_nats::Client;
use async_nats::jetstream::context::{
    Context, ContextBuilder, GetStreamErrorKind, PublishAckFuture, PublishError, PublishErrorKind, RequestErrorKind,
};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{Config, Stream};
use async_nats::jetstream::{self, ErrorCode};
use serde::de::IgnoredAny;
use tokio_util::sync::CancellationToken;

use super::cloud_event::{Outgoing, SEQ_HEADER, is_announced};
use super::config::NatsConfig;
use super::link::ANSWER_WITHIN;
use super::notifier::SessionError;
use super::progress::Progress;
use super::source::{Entries, Source, SourceEntry};

/// Events under way at once. All of them repeat the look when one fails.
const WINDOW: usize = 256;
/// Messages looked back over for one that this journal has sent.
const LOOK_BACK: u64 = 64;

pub(super) struct JetStream {
    context: Context,
    stream: Stream,
}

/// What the next event must follow.
enum After {
    Sequence(u64),
    Event(String),
}

/// An event under way.
type Flying = (u64, std::pin::Pin<Box<<PublishAckFuture as IntoFuture>::IntoFuture>>);

impl JetStream {
    /// Finds or makes the stream; `None` where the server has no JetStream.
    pub(super) async fn open(client: &Client, config: &NatsConfig) -> Result<Option<Self>, SessionError> {
        let context = ContextBuilder::new()
            .timeout(ANSWER_WITHIN)
            .ack_timeout(ANSWER_WITHIN)
            .max_ack_inflight(WINDOW * 2)
            .build(client.clone());
        if !Self::is_there(&context).await? {
            return Ok(None);
        }
        let stream = Self::stream(&context, config).await?;
        Ok(Some(Self { context, stream }))
    }

    /// Asks for the account, of which servers of different age say more or less; that they answer is enough. A cluster
    /// without a leader answers with an error, which is not taken for the absence of JetStream.
    async fn is_there(context: &Context) -> Result<bool, SessionError> {
        match context.request::<_, _, Response<IgnoredAny>>("INFO", &()).await {
            Ok(Response::Ok(_)) => Ok(true),
            Ok(Response::Err { error }) if error.error_code() == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
                Ok(false)
            }
            Ok(Response::Err { error }) => Err(SessionError::JetStream(error.to_string())),
            Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(false),
            Err(error) => Err(SessionError::JetStream(error.to_string())),
        }
    }

    /// A stream that is there keeps its limits; one that is made here has none: how long events are kept is the
    /// operator's to say.
    async fn stream(context: &Context, config: &NatsConfig) -> Result<Stream, SessionError> {
        let subjects = format!("{}.>", config.subject.as_str());
        let stream = match context.get_stream(config.stream.as_str()).await {
            Ok(stream) => stream,
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(inner) if inner.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    tracing::info!(stream = config.stream.as_str(), subjects, "making the stream for events");
                    let name = config.stream.as_str().to_owned();
                    let made =
                        context.create_stream(Config { name, subjects: vec![subjects.clone()], ..Config::default() });
                    made.await.map_err(|error| SessionError::JetStream(error.to_string()))?
                }
                _ => return Err(SessionError::JetStream(error.to_string())),
            },
        };
        let taken = &stream.cached_info().config.subjects;
        if !taken.contains(&subjects) {
            return Err(SessionError::JetStream(format!(
                "the stream `{}` takes {taken:?}, but not `{subjects}`; change it, or `nats.stream`",
                config.stream.as_str()
            )));
        }
        Ok(stream)
    }

    /// Publishes from where the stream ends until told to stop, then waits for what is under way.
    pub(super) async fn publish<S: Source>(
        &mut self,
        config: &NatsConfig,
        progress: &mut Progress<'_, S>,
        stop: &CancellationToken,
    ) -> Result<(), SessionError> {
        let mut after = After::Sequence(self.locate(progress).await?);
        let mut entries = progress.source().entries(progress.position().saturating_add(1)).await?;
        let mut flying: VecDeque<Flying> = VecDeque::with_capacity(WINDOW);
        let mut through = progress.position();
        loop {
            tokio::select! {
                biased;
                Some(sent) = landing(&mut flying) => {
                    progress.published(sent?).await;
                    if flying.is_empty() {
                        progress.passed(through);
                    }
                }
                () = stop.cancelled() => break,
                entry = entries.next(), if flying.len() < WINDOW => {
                    let entry = entry?.ok_or(SessionError::Closed)?;
                    through = entry.seq;
                    if is_announced(&entry.kind) {
                        flying.push_back(self.send(&entry, config, &mut after).await?);
                    } else if flying.is_empty() {
                        progress.passed(through);
                    }
                }
            }
        }
        while let Some(sent) = landing(&mut flying).await {
            progress.published(sent?).await;
        }
        Ok(())
    }

    async fn send(&self, entry: &SourceEntry, config: &NatsConfig, after: &mut After) -> Result<Flying, SessionError> {
        let event = Outgoing::of(entry, &config.subject)?;
        let message = PublishMessage::build()
            .headers(event.headers())
            .payload(event.payload)
            .expected_stream(config.stream.as_str());
        let message = match &*after {
            After::Sequence(sequence) => message.expected_last_sequence(*sequence),
            After::Event(id) => message.expected_last_message_id(id),
        };
        let ack = self.context.send_publish(event.subject, message).await.map_err(|error| publish_error(&error))?;
        *after = After::Event(event.id);
        Ok((event.seq, Box::pin(ack.into_future())))
    }

    /// Finds the newest message in the stream that this journal has sent, and tells `progress`. Gives the stream's last
    /// sequence. Where there is none (a new stream, another hub's, one whose messages have aged away) the position stays.
    async fn locate<S: Source>(&mut self, progress: &mut Progress<'_, S>) -> Result<u64, SessionError> {
        let info = self.stream.info().await.map_err(|error| SessionError::JetStream(error.to_string()))?;
        let (first, last) = (info.state.first_sequence, info.state.last_sequence);
        let oldest = first.max(last.saturating_sub(LOOK_BACK)).max(1);
        for sequence in (oldest..=last).rev() {
            // A message may have been deleted or purged.
            let Some((seq, id)) = self.sent(sequence).await? else { continue };
            if has(progress.source(), seq, &id).await? {
                progress.found(seq);
                return Ok(last);
            }
        }
        if last > 0 {
            tracing::warn!(
                last,
                position = progress.position(),
                "the stream ends with nothing from this journal; going on from the journal's own mark"
            );
        }
        Ok(last)
    }

    /// The journal's `seq` and the id that the message of this sequence carries, if it is there and has both.
    async fn sent(&self, sequence: u64) -> Result<Option<(u64, String)>, SessionError> {
        use jetstream::stream::RawMessageErrorKind as Kind;
        let message = match self.stream.get_raw_message(sequence).await {
            Ok(message) => message,
            Err(error) => match error.kind() {
                Kind::NoMessageFound => return Ok(None),
                Kind::JetStream(inner) if inner.error_code() == ErrorCode::NO_MESSAGE_FOUND => return Ok(None),
                _ => return Err(SessionError::JetStream(error.to_string())),
            },
        };
        let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
        let seq = header(SEQ_HEADER).and_then(|seq| seq.parse().ok());
        Ok(seq.zip(header("Nats-Msg-Id")))
    }
}

/// The oldest event under way, when it is acknowledged; `None` where there is none. Dropping the future loses nothing.
async fn landing(flying: &mut VecDeque<Flying>) -> Option<Result<u64, SessionError>> {
    let (seq, ack) = flying.front_mut()?;
    let (seq, landed) = (*seq, ack.await);
    flying.pop_front();
    Some(landed.map(|_| seq).map_err(|error| publish_error(&error)))
}

fn publish_error(error: &PublishError) -> SessionError {
    match error.kind() {
        PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => SessionError::Conflict,
        _ => SessionError::Publish(error.to_string()),
    }
}

/// Whether the journal's entry of this `seq` has this id.
async fn has<S: Source>(source: &S, seq: u64, id: &str) -> Result<bool, SessionError> {
    if seq == 0 || seq > source.head() {
        return Ok(false);
    }
    let entry = source.entries(seq).await?.next().await?;
    Ok(entry.is_some_and(|entry| entry.seq == seq && entry.id.to_string() == id))
}
