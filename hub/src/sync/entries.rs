//! Events as journal entries: which stream each belongs to, and who did it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::HUB;
use crate::domain::delivery::Adapter;
use crate::domain::event::Event;
use crate::journal::{Actor, AppendError, NewEntry, RequestKey};
use crate::telemetry::TraceContext;

/// Who did it, through what.
#[derive(Debug, Clone)]
pub struct By {
    /// The organisation.
    pub org: String,
    /// The member.
    pub actor: Actor,
    /// The operation's code; empty for the hub itself.
    pub action: Cow<'static, str>,
    /// The request's id.
    pub request_id: String,
    /// Where the request is idempotent.
    pub key: Option<RequestKey>,
}

impl By {
    /// The hub itself, for an organisation; `about` stands for the request.
    #[must_use]
    pub fn hub(org: &str, about: &str) -> Self {
        Self {
            org: org.to_owned(),
            actor: Actor { member: HUB.to_owned(), roles: Vec::new(), address: None },
            action: Cow::default(),
            request_id: about.to_owned(),
            key: None,
        }
    }

    /// The entry of an event in `stream`, of the trace that the current task works for.
    ///
    /// # Errors
    /// The event can't be written, which no event of ours is.
    pub fn entry(&self, stream: String, event: Event) -> Result<NewEntry, AppendError> {
        self.clone().into_entry(stream, event)
    }

    /// The same, from who writes no more.
    ///
    /// # Errors
    /// As `entry`.
    pub fn into_entry(self, stream: String, event: Event) -> Result<NewEntry, AppendError> {
        let data = event.data().map_err(|_| AppendError::Invalid("an event that can't be written as JSON"))?;
        let exact = event.is_exact();
        debug_assert!(!exact || Event::from_entry(event.kind(), &data).is_ok_and(|read| read.as_ref() == Some(&event)));
        Ok(NewEntry {
            org: self.org,
            stream,
            kind: event.kind().into(),
            actor: self.actor,
            action: self.action,
            request_id: self.request_id,
            trace: TraceContext::current().map(|trace| trace.to_string()),
            key: self.key,
            data,
            event: exact.then(|| Arc::new(event)),
        })
    }
}

/// The stream of a client's profile and status.
#[must_use]
pub fn client_stream(reference: &str) -> String {
    format!("client/{reference}")
}

/// The stream of a device.
#[must_use]
pub fn device_stream(reference: &str) -> String {
    format!("device/{reference}")
}

/// The stream of a client's screening.
#[must_use]
pub fn kyc_stream(reference: &str) -> String {
    format!("kyc/{reference}")
}

/// The stream of what one adapter is owed for a client or device.
#[must_use]
pub fn delivery_stream(adapter: Adapter, lane: &str) -> String {
    format!("delivery/{}/{lane}", adapter.as_str())
}

/// The stream that an event on a client belongs to.
#[must_use]
pub fn stream_of(event: &Event, reference: &str) -> String {
    match event {
        Event::KycChecked(_) | Event::KycReviewed(_) | Event::DocumentReceived(_) | Event::DocumentChecked(_) => {
            kyc_stream(reference)
        }
        Event::RelationshipRefreshed(_) => format!("relationship/{reference}"),
        _ => client_stream(reference),
    }
}
