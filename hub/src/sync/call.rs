//! One attempt's call to an adapter, and what came of it in the domain's words.

use super::convert;
use super::documents::Documents;
use super::step::{Body, Step};
use crate::adapters::wit::{identity, kyc};
use crate::adapters::{Adapters, CallError};
use crate::domain::client::Client;
use crate::domain::delivery::{Adapter, Function, Payload};
use crate::domain::due::{mirror_due, screening_digest};
use crate::domain::kyc::{Document, DocumentStatus, Verdict};
use crate::state::{ClientRecord, DeviceRecord, State};

/// Whom a step is about.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A client.
    Client(std::sync::Arc<ClientRecord>),
    /// A device.
    Device(std::sync::Arc<DeviceRecord>),
}

/// What a successful call has brought.
#[derive(Debug)]
pub enum Effect {
    /// The outside system took it.
    Receipt {
        /// Its own id.
        external_id: String,
        /// Its remark.
        note: Option<String>,
    },
    /// The devices were compared with what is known.
    Listed,
    /// A screening came to an end.
    Screened(Verdict),
    /// A document's check.
    Document {
        /// Which document.
        id: String,
        /// Verified, refused or not decided.
        status: DocumentStatus,
        /// Why it was refused.
        reason: Option<String>,
    },
}

/// Makes calls.
#[derive(Clone)]
pub struct Caller {
    /// The adapters.
    pub adapters: Adapters,
    /// To look up whom a device is handed to.
    pub state: State,
    /// The contents of documents.
    pub documents: Documents,
}

type Called = Result<Effect, CallError>;

impl Caller {
    /// Makes the call that `step` asks for.
    ///
    /// # Errors
    /// The adapter's disposition, or that it can't be called.
    pub async fn call(&self, adapter: Adapter, subject: &Subject, step: &Step) -> Called {
        match (&step.body, subject) {
            (Body::Mirror(body), Subject::Client(record)) => {
                let external_id = record.link(adapter).external_id.clone();
                self.mirror(step, body, external_id).await
            }
            (Body::Command(payload), Subject::Client(record)) => self.for_client(step, payload, record).await,
            (Body::Command(payload), Subject::Device(record)) => self.for_device(step, payload, record).await,
            (Body::Mirror(_), Subject::Device(_)) => Err(impossible("a device has no mirror")),
        }
    }

    async fn mirror(&self, step: &Step, body: &Client, external_id: Option<String>) -> Called {
        let (adapters, key) = (&self.adapters, step.key.as_str());
        let known = || external_id.clone().ok_or_else(|| impossible("the outside system's id is not known"));
        let reason = || body.status_reason.clone().unwrap_or_else(|| "archived".to_owned());
        let profile = convert::profile(body, external_id.clone());
        let receipt = match step.function {
            Function::UpsertCustomer => adapters.upsert_customer(profile, key).await?,
            Function::CloseCustomer => adapters.close_customer(&known()?, &reason(), key).await?,
            Function::UpsertContact => adapters.upsert_contact(profile, key).await?,
            Function::ArchiveContact => adapters.archive_contact(&known()?, &reason(), key).await?,
            Function::Provision => adapters.provision(profile, key).await?,
            Function::Update => adapters.update_identity(&known()?, profile, key).await?,
            Function::Disable => adapters.disable_identity(&known()?, &reason(), key).await?,
            Function::Verify => {
                let documents = body.kyc.documents.iter().map(convert::document).collect();
                let verdict = adapters.verify(profile, documents, key).await?;
                return Ok(Effect::Screened(convert::verdict(verdict, screening_digest(body))));
            }
            _ => return Err(impossible("not a mirror's function")),
        };
        Ok(Effect::Receipt { external_id: receipt.external_id, note: receipt.note })
    }

    async fn for_client(&self, step: &Step, payload: &Payload, record: &ClientRecord) -> Called {
        if let Payload::Document { id } = payload {
            return self.document(step, id, record).await;
        }
        let message = convert::message(payload, &record.client.reference);
        let message = message.ok_or_else(|| impossible("not a client's command"))?;
        let receipt = self.adapters.send_message(message, &step.key).await?;
        Ok(Effect::Receipt { external_id: receipt.external_id, note: receipt.note })
    }

    async fn document(&self, step: &Step, id: &str, record: &ClientRecord) -> Called {
        let known = record.client.kyc.documents.iter().find(|document| document.id == id);
        let document: &Document = known.ok_or_else(|| impossible("the document is not known"))?;
        let content = self.documents.read(&document.digest).await;
        let content = content.map_err(|_| impossible("the document's content is not there any more"))?;
        let profile = convert::profile(&record.client, None);
        let called = self.adapters.submit_document(profile, convert::document(document), content, &step.key).await?;
        let (status, reason) = match called {
            kyc::DocumentVerdict::Verified => (DocumentStatus::Verified, None),
            kyc::DocumentVerdict::Refused(reason) => (DocumentStatus::Refused, Some(reason)),
            kyc::DocumentVerdict::Pending => (DocumentStatus::Pending, None),
        };
        Ok(Effect::Document { id: id.to_owned(), status, reason })
    }

    async fn for_device(&self, step: &Step, payload: &Payload, record: &DeviceRecord) -> Called {
        let (adapters, key, device) = (&self.adapters, step.key.as_str(), record.device.external_id.as_str());
        let receipt = match payload {
            Payload::DeviceState { active, locked, reason } => {
                let state = identity::DeviceState { active: *active, locked: *locked, reason: reason.clone() };
                adapters.set_device_state(device, state, key).await?
            }
            Payload::Transfer { from, to } => {
                let (from, to) = (self.identity_of(from)?, self.identity_of(to)?);
                adapters.transfer_device(device, &from, &to, key).await?
            }
            Payload::PinReset { .. } => {
                let reset = adapters.reset_pin(device, key).await?;
                return Ok(Effect::Receipt { external_id: reset.id, note: reset.expires_at });
            }
            _ => return Err(impossible("not a device's command")),
        };
        Ok(Effect::Receipt { external_id: receipt.external_id, note: receipt.note })
    }

    /// Whether another lane has to come to its end before `step` can be asked of anybody: a device is handed over
    /// between clients that the identity system knows. It is no attempt: it costs no retry and says nothing of the system.
    #[must_use]
    pub fn must_wait(&self, step: &Step) -> bool {
        let Body::Command(Payload::Transfer { from, to }) = &step.body else { return false };
        let comes = |client: &String| self.state.any_client(client).is_some_and(|record| comes(&record));
        [from, to].into_iter().any(comes)
    }

    fn identity_of(&self, client: &str) -> Result<String, CallError> {
        let known = self.state.any_client(client).as_deref().and_then(identity);
        known.ok_or_else(|| impossible("the identity system has never known the client"))
    }
}

/// Whether the identity system is yet to get to know a client. One that is gone comes only while that is owed.
fn comes(record: &ClientRecord) -> bool {
    let link = record.link(Adapter::Identity);
    let owed = || link.mirror.is_some() || mirror_due(Adapter::Identity, &record.client, &link).is_some();
    link.external_id.is_none() && (!record.client.status.is_gone() || owed())
}

/// The identity system's id of a client.
fn identity(record: &ClientRecord) -> Option<String> {
    record.link(Adapter::Identity).external_id.clone()
}

/// A step that no adapter can be asked for: set aside for an operator rather than repeated for ever.
fn impossible(why: &str) -> CallError {
    CallError::Reject { why: why.to_owned(), field: None }
}
