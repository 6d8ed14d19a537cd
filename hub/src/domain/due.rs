//! What a mirror owes, derived from the client and what was delivered: nothing is queued that can be worked out.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::client::{Client, Status};
use super::delivery::{Adapter, Delivery, Function, Link, Progress};
use super::kyc::{DocumentStatus, KycStatus, screening_subject};

/// The idempotency key of a delivery: stable over restarts and rebuilds. `part` tells apart what one entry owes twice.
#[must_use]
pub fn delivery_key(owing: Uuid, adapter: Adapter, function: Function, part: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(owing.as_bytes());
    for text in [adapter.as_str(), function.as_str(), part] {
        digest.update(b"/");
        digest.update(text.as_bytes());
    }
    hex::encode(digest.finalize()).chars().take(40).collect()
}

/// The digest of what a screening of the client looks at.
#[must_use]
pub fn screening_digest(client: &Client) -> String {
    hex::encode(Sha256::digest(screening_subject(&client.profile))).chars().take(32).collect()
}

/// What `adapter` is to be asked for so that it has the newest version; `None` where it has it, or is owed none.
#[must_use]
pub fn mirror_due(adapter: Adapter, client: &Client, link: &Link) -> Option<Function> {
    let superseded = link.mirror.as_ref().is_none_or(|mirror| match mirror.progress {
        Progress::Parked | Progress::Retrying => client.version > mirror.version,
        Progress::Pending | Progress::Attempted | Progress::Unknown => false,
    });
    if !superseded {
        return None;
    }
    match adapter {
        Adapter::Kyc => (screening_due(client) && !screening_given_up(client, link)).then_some(Function::Verify),
        Adapter::Messaging => None,
        _ if !client.mirrored || link.version >= client.version => None,
        _ if client.status.is_gone() && link.external_id.is_some() => Some(closing(adapter)),
        // A client that is gone before anybody knew it need not be known, unless a device is on its way to it.
        _ if client.status.is_gone() && !link.expected => None,
        _ => Some(opening(adapter, link)),
    }
}

/// Whether the mirror's delivery has nothing more to bring: it surely had no effect, the client has moved on since, and
/// nothing newer is owed in its place, as for one that was archived before anybody knew it.
#[must_use]
pub fn is_moot(adapter: Adapter, client: &Client, link: &Link) -> bool {
    let surpassed = |mirror: &Delivery| mirror.progress == Progress::Retrying && client.version > mirror.version;
    link.mirror.as_ref().is_some_and(surpassed) && mirror_due(adapter, client, link).is_none()
}

/// Since when a mirror's function is owed for the client as it is, seen from `at`: since it changed; a screening also since
/// its documents were checked, or since the one before has expired.
#[must_use]
pub fn mirror_since(function: Function, client: &Client, at: DateTime<Utc>) -> DateTime<Utc> {
    if function != Function::Verify {
        return client.updated_at;
    }
    let checked = client.kyc.documents.iter().filter_map(|document| document.checked_at);
    let expired = client.kyc.expires_at.filter(|expires| *expires <= at);
    checked.chain(expired).fold(client.updated_at, DateTime::max)
}

const fn closing(adapter: Adapter) -> Function {
    match adapter {
        Adapter::CoreBanking => Function::CloseCustomer,
        Adapter::Crm => Function::ArchiveContact,
        _ => Function::Disable,
    }
}

const fn opening(adapter: Adapter, link: &Link) -> Function {
    match adapter {
        Adapter::CoreBanking => Function::UpsertCustomer,
        Adapter::Crm => Function::UpsertContact,
        _ if link.external_id.is_none() => Function::Provision,
        _ => Function::Update,
    }
}

/// Whether the client has to be screened: never yet, other data than what was screened, expired, or documents have come since.
fn screening_due(client: &Client) -> bool {
    let kyc = &client.kyc;
    let wanted = client.onboarding || kyc.screened.is_some();
    if !wanted || client.status.is_gone() || client.status == Status::Rejected {
        return false;
    }
    match kyc.status {
        KycStatus::Pending | KycStatus::Expired => true,
        KycStatus::NeedsDocuments if documents_arrived(client) => true,
        _ => kyc.screened.as_ref().is_some_and(|screened| *screened != screening_digest(client)),
    }
}

/// Whether the client's screening has passed, but not for ever, and is to be repeated. A screening of this version that is under way
/// or set aside is that repetition.
#[must_use]
pub fn screening_lapses(client: &Client, link: &Link) -> Option<DateTime<Utc>> {
    let begun = link.mirror.as_ref().is_some_and(|mirror| mirror.version >= client.version);
    let lapses = client.kyc.status == KycStatus::Approved
        && !client.status.is_gone()
        && !begun
        && !screening_given_up(client, link);
    client.kyc.expires_at.filter(|_| lapses)
}

/// Whether an operator gave the screening up, and neither the client nor its documents have changed since.
fn screening_given_up(client: &Client, link: &Link) -> bool {
    let newest = client.kyc.documents.iter().filter_map(|document| document.checked_at).max();
    link.given_up.is_some_and(|at| link.version >= client.version && newest.is_none_or(|newest| newest < at))
}

fn documents_arrived(client: &Client) -> bool {
    let verified = client.kyc.documents.iter().filter(|document| document.status == DocumentStatus::Verified);
    verified.filter_map(|document| document.checked_at).max() > client.kyc.checked_at
}
