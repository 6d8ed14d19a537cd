//! What a decision leaves behind: which attempt comes next, and what is owed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::client::{Client, Mark, Status};
use super::delivery::{Adapter, Attempted, Failed, Function, Link, Parked, Progress};
use super::due::{mirror_due, mirror_since, screening_lapses};
use super::event::Created;
use super::kyc::KycStatus;
use super::validate::{Mode, Tree, draft};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn client(version: u64) -> Client {
    let json =
        json!({"kind": "corporate", "name": "A", "corporate": {"legalName": "A Ltd", "registrationNumber": "1"}});
    let profile = draft(&Tree::from(&json), at(0).date_naive(), Mode::Create).unwrap().profile;
    let data = Created { profile, external_reference: None, status: Status::Active, onboarding: true };
    Client::created("CL-1", "o", &data, Mark { entry: Uuid::nil(), seq: 1, version, at: at(0), member: "m" })
}

/// A link with a mirror of version 1 that was set aside.
fn link(function: Function, reason: &str) -> Link {
    let mut link = Link::default();
    let key = || "k".to_owned();
    link.attempted(
        &Attempted { key: key(), function, version: 1, owing: 1, attempt: 9 },
        Some(&client(1).into()),
        DateTime::UNIX_EPOCH,
    );
    link.parked(&Parked { key: key(), function, reason: reason.to_owned(), error: "no".to_owned(), call: None });
    link
}

#[test]
fn what_surely_had_no_effect_gives_way_to_a_newer_version() {
    for reason in ["rejected", "retries-used-up"] {
        let mut link = link(Function::UpsertContact, reason);
        link.retried("k");
        let mirror = link.mirror.as_ref().unwrap();
        assert_eq!((mirror.progress, mirror.attempts, &mirror.parked), (Progress::Retrying, 0, &None));
        assert_eq!(mirror_due(Adapter::Crm, &client(1), &link), None);
        assert_eq!(mirror_due(Adapter::Crm, &client(2), &link), Some(Function::UpsertContact));
    }
}

#[test]
fn what_may_have_had_an_effect_is_repeated_as_it_is() {
    let mut link = link(Function::UpsertContact, "outcome-unknown");
    link.retried("k");
    assert_eq!(link.mirror.as_ref().map(|mirror| mirror.progress), Some(Progress::Pending));
    assert_eq!(mirror_due(Adapter::Crm, &client(2), &link), None);
    // An attempt that surely had no effect tells nothing of the one before the decision.
    let (key, function) = ("k".to_owned(), Function::UpsertContact);
    let failed = Failed { key, function, unknown: false, error: "503".to_owned(), next_at: at(9), call: None };
    link.failed(&failed);
    assert_eq!(link.mirror.as_ref().map(|mirror| mirror.progress), Some(Progress::Unknown));
    assert_eq!(mirror_due(Adapter::Crm, &client(2), &link), None);
}

#[test]
fn a_mirror_that_was_given_up_is_owed_again_with_the_next_version() {
    let mut link = link(Function::UpsertContact, "rejected");
    link.discarded("k", at(1));
    assert!(link.is_idle());
    assert_eq!(mirror_due(Adapter::Crm, &client(1), &link), None);
    assert_eq!(mirror_due(Adapter::Crm, &client(2), &link), Some(Function::UpsertContact));
}

#[test]
fn a_screening_that_was_given_up_is_owed_again_when_the_client_changes() {
    let mut link = link(Function::Verify, "rejected");
    assert_eq!(mirror_due(Adapter::Kyc, &client(1), &link), None);
    link.discarded("k", at(1));
    assert_eq!(mirror_due(Adapter::Kyc, &client(1), &link), None);
    assert_eq!(mirror_due(Adapter::Kyc, &client(2), &link), Some(Function::Verify));
}

#[test]
fn a_screening_that_has_lapsed_is_repeated_until_it_is_set_aside() {
    let mut client = client(1);
    let expires = at(0) + TimeDelta::days(1);
    (client.kyc.status, client.kyc.expires_at) = (KycStatus::Approved, Some(expires));
    assert_eq!(screening_lapses(&client, &Link::default()), Some(expires));
    let mut link = link(Function::Verify, "rejected");
    assert_eq!(screening_lapses(&client, &link), None, "set aside, it waits for a decision");
    link.discarded("k", at(1));
    assert_eq!(screening_lapses(&client, &link), None);
    client.version = 2;
    assert_eq!(screening_lapses(&client, &link), Some(expires));
}

#[test]
fn a_repetition_is_owed_since_what_it_repeats_and_not_since_its_next_attempt() {
    let (function, key) = (Function::UpsertContact, "k".to_owned());
    let mut link = Link::default();
    link.attempted(
        &Attempted { key: key.clone(), function, version: 1, owing: 1, attempt: 1 },
        Some(&client(1).into()),
        at(50),
    );
    let error = String::new();
    link.failed(&Failed { key, function, unknown: false, error, next_at: at(90), call: None });
    let owed = Some(client(1).updated_at);
    assert_eq!(link.owed_since(at(80)), owed);
    // A newer version in its place is as late as the one that never arrived.
    let newer = Attempted { key: "l".into(), function, version: 2, owing: 2, attempt: 1 };
    let changed = Client { updated_at: at(60), ..client(2) };
    link.attempted(&newer, Some(&changed.into()), at(99));
    assert_eq!(link.owed_since(at(99)), owed);
}

#[test]
fn a_screening_that_has_expired_is_owed_since_then() {
    let mut client = client(1);
    let expires = client.updated_at + TimeDelta::days(30);
    client.kyc.expires_at = Some(expires);
    let later = expires + TimeDelta::hours(1);
    assert_eq!(mirror_since(Function::Verify, &client, later), expires);
    assert_eq!(mirror_since(Function::UpsertContact, &client, later), client.updated_at);
    assert_eq!(mirror_since(Function::Verify, &client, client.updated_at), client.updated_at);
}
