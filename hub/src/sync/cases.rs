//! Cases that the KYC system has not decided yet: asked about again and again, until it has or a member was faster.
//!
//! A question has no effect there, so that it is no delivery: only a case that has come to an end becomes an entry. What
//! a case says is about what was screened then; a client that was changed since is screened again.

use super::convert;
use super::devices::FollowError;
use super::work::Worker;
use crate::domain::delivery::Adapter;
use crate::domain::kyc::KycStatus;
use crate::state::ClientRecord;

/// The case that a client's screening waits for, and the digest of what was screened.
fn open_case(record: &ClientRecord) -> Option<(String, String)> {
    let client = &record.client;
    let waits = client.kyc.status == KycStatus::Review && !client.status.is_gone();
    let screened = client.kyc.screened.clone().filter(|_| waits)?;
    Some((record.link(Adapter::Kyc).external_id.clone()?, screened))
}

/// Asks how the case stands, and writes down what came of it.
///
/// # Errors
/// The KYC system or the journal did not answer.
pub async fn ask(worker: &Worker, client: &str) -> Result<(), FollowError> {
    let Some(record) = worker.state.any_client(client) else { return Ok(()) };
    let Some((case, screened)) = open_case(&record) else { return Ok(()) };
    let told = worker.caller.adapters.case_status(&case).await?;
    let verdict = convert::verdict(told, screened);
    if verdict.status == KycStatus::Review {
        return Ok(());
    }
    let still_open = |record: &ClientRecord| open_case(record).is_some_and(|(open, _)| open == case);
    Ok(worker.judged(client, &verdict, still_open).await?)
}
