//! Clients, tokens, and a store that holds so many of them already.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use futures::executor::block_on;
use hub::access::{Grant, LocalKey};
use hub::domain::client::Status;
use hub::domain::event::{Created, Event};
use hub::domain::reference::{CLIENT, reference};
use hub::domain::validate::{Mode, Tree, draft};
use hub::journal::{Actor, Append, Claim, Journal};
use hub::startup::data;
use hub::sync::entries::{By, client_stream};
use serde_json::{Value, json};
use uuid::Uuid;

/// The organisation that all of them belong to.
pub const ORG: &str = "demo";
/// Entries of one append.
const TOGETHER: usize = 500;

/// A company as a caller sends it, each with a registration number of its own.
pub fn company(number: u64) -> Value {
    json!({
        "kind": "corporate",
        "name": format!("Northwind Trading {number} GmbH"),
        "corporate": {
            "legalName": format!("Northwind Trading {number} Gesellschaft mit beschränkter Haftung"),
            "registrationNumber": format!("HRB {number}"),
            "taxId": format!("DE{number:09}"),
            "industry": "4690",
            "incorporatedOn": "2004-05-17",
            "contacts": [
                { "name": "Ada Lovelace", "role": "CFO", "email": format!("ada.{number}@northwind.example"), "phone": "+4930123456" },
            ],
        },
        "email": format!("office.{number}@northwind.example"),
        "phone": "+4930123450",
        "address": { "line1": "Unter den Linden 1", "city": "Berlin", "postalCode": "10117", "country": "DE" },
        "segment": "sme",
        "language": "de",
        "tags": ["import", "priority"],
        "assignedTo": [format!("m-{}", number % 64)],
    })
}

/// A store with so many active clients, and their references.
pub fn filled(store: &Path, clients: u64) -> Vec<String> {
    let data = data::open(store, &[], None, |_, _| {}).unwrap();
    let by = By {
        org: ORG.to_owned(),
        actor: Actor { member: "m-0".into(), roles: vec!["RP001".into()], address: None },
        action: "CL003".into(),
        request_id: "import".to_owned(),
        key: None,
    };
    let references: Vec<String> = (0..clients).map(|_| reference(CLIENT, Uuid::now_v7())).collect();
    for (first, together) in (0..clients).step_by(TOGETHER).zip(references.chunks(TOGETHER)) {
        let mut append = Append::default();
        for (number, reference) in (first..).zip(together) {
            let profile = draft(&Tree::from(&company(number)), Utc::now().date_naive(), Mode::Create).unwrap().profile;
            append.claims.extend(profile.claims(ORG).into_iter().map(Claim::lasting));
            let (external_reference, status) = (None, Status::Active);
            let created = Created { profile, external_reference, status, onboarding: false };
            append.entries.push(by.entry(client_stream(reference), Event::ClientCreated(created)).unwrap());
        }
        block_on(data.journal.append(append)).unwrap();
    }
    references
}

/// Tokens of so many administrators, signed with the store's own key.
pub fn tokens(store: &Path, members: usize) -> Vec<String> {
    let key = LocalKey::open(&store.join("hub.key")).unwrap();
    let sign = |member: usize| {
        key.sign(&Grant {
            member: format!("m-{member}"),
            org: ORG.to_owned(),
            roles: vec!["RP001".to_owned()],
            clients: Vec::new(),
            subscription: Some("active".to_owned()),
            from: Utc::now(),
            lifetime: Duration::from_secs(6 * 3600),
        })
    };
    (0..members).map(sign).collect()
}

/// A folder on the disk that the target folder is on, which goes with the value.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}
