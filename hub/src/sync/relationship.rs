//! What the CRM knows of a relationship: read after each delivery, and now and then when the client is viewed.

use chrono::{TimeDelta, Utc};

use super::convert;
use super::devices::FollowError;
use super::entries::{By, stream_of};
use super::work::Worker;
use crate::domain::client::Relationship;
use crate::domain::delivery::Adapter;
use crate::domain::event::{Event, Refreshed};
use crate::journal::Append;
use crate::state::ClientRecord;

/// A view asks the CRM again when what is known is older than this.
const VIEWED_MINUTES: i64 = 15;

/// Whether a view of the client is a reason to ask the CRM.
#[must_use]
pub fn is_stale(record: &ClientRecord) -> bool {
    let link = record.link(Adapter::Crm);
    let asked = record.relationship.as_ref().and_then(|relationship| relationship.as_of);
    link.external_id.is_some() && asked.is_none_or(|asked| Utc::now() - asked >= TimeDelta::minutes(VIEWED_MINUTES))
}

/// Asks the CRM, and writes down what it says.
///
/// # Errors
/// The CRM or the journal did not answer.
pub async fn refresh(worker: &Worker, client: &str) -> Result<(), FollowError> {
    let Some(record) = worker.state.any_client(client) else { return Ok(()) };
    let Some(contact) = record.link(Adapter::Crm).external_id.clone() else { return Ok(()) };
    let told = worker.caller.adapters.relationship(&contact).await?;
    let relationship: Relationship = convert::relationship(told, Utc::now());
    let event = Event::RelationshipRefreshed(Refreshed { relationship });
    let entry = By::hub(&record.client.org, &contact).entry(stream_of(&event, client), event)?;
    worker.journal.append(Append { entries: vec![entry], ..Append::default() }).await?;
    Ok(())
}
