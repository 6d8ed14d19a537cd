//! One connection to NATS, from its first byte to its loss.
//!
//! The client's own reconnecting is not used: what was under way when a connection broke is unknown, so the notifier
//! ends with the connection, makes another and reads the position anew.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};
use tokio_util::sync::CancellationToken;

use super::config::{Credentials, NatsConfig};
use super::notifier::SessionError;

/// For the connection, and for each answer of the server: longer than a change of leader's vote, shorter than an operator's patience.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// After two of these without a sign of life the server is taken for lost.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Attempts of the client by itself after a loss, which nobody waits for: enough for it to end.
const OWN_ATTEMPTS: usize = 2;

pub(super) struct Link {
    pub(super) client: Client,
    pub(super) lost: CancellationToken,
}

impl Link {
    pub(super) async fn connect(config: &NatsConfig, credentials: &Credentials) -> Result<Self, SessionError> {
        let lost = CancellationToken::new();
        let told = lost.clone();
        let options = ConnectOptions::new()
            .name("clients-hub")
            .connection_timeout(ANSWER_WITHIN)
            .request_timeout(Some(ANSWER_WITHIN))
            .ping_interval(PING_EVERY)
            .max_reconnects(OWN_ATTEMPTS)
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    told.cancel();
                }
                std::future::ready(())
            });
        let options = match credentials.clone() {
            Credentials::None => options,
            Credentials::User { user, password } => options.user_and_password(user, password),
            Credentials::Token(token) => options.token(token),
        };
        let connecting = options.connect(config.url.as_str());
        match tokio::time::timeout(ANSWER_WITHIN * 2, connecting).await {
            Ok(Ok(client)) => Ok(Self { client, lost }),
            Ok(Err(error)) => Err(SessionError::Connect(error.to_string())),
            Err(_) => Err(SessionError::Connect("timed out".to_owned())),
        }
    }
}
