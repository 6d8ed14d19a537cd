//! Where records are kept: hot ones in memory, all of them in sled, and those that sled does not have yet in between.
//!
//! sled is trusted with nothing that the journal can't make again: it is opened under `catch_unwind`, follows the fold on a
//! thread of its own, and is thrown away on any doubt. The fold is the only writer.

use std::fs::DirBuilder;
use std::hash::BuildHasher as _;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::HashMap;
use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard, RwLock};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::follow::{Batch, history_key};
use super::record::{ClientRecord, DeviceRecord, Record};
use crate::domain::delivery::Adapter;
use crate::journal;

/// The memory that hot records may take, in bytes of estimated weight.
const HOT_BYTES: u64 = 48 * 1024 * 1024;
/// sled's own page cache, in bytes.
const SLED_CACHE_BYTES: u64 = 24 * 1024 * 1024;
/// The free space that sled is left to find, in bytes: several of its segments.
const SPARE: u64 = 4 * 1024 * 1024;
/// Parts of what sled does not have yet, each with a lock of its own.
const STRIPES: usize = 64;

/// Why the store can't be used as it is.
#[derive(Debug, Error)]
pub enum StoreError {
    /// sled says so.
    #[error("the read model can't be read: {0}")]
    Sled(#[from] sled::Error),
    /// sled panicked.
    #[error("the read model is damaged: opening it failed inside the store")]
    Panicked,
    /// A record does not have the shape that this version writes.
    #[error("the read model holds a record that can't be read: {0}")]
    Shape(#[from] rmp_serde::decode::Error),
    /// A record can't be written, which none of ours is.
    #[error("the read model can't take a record: {0}")]
    Unwritable(#[from] rmp_serde::encode::Error),
    /// What is there was made by another version, or another set of adapters.
    #[error("the read model was made for {found}, this is {wanted}")]
    Stale {
        /// What its mark says.
        found: String,
        /// What it would have to say.
        wanted: String,
    },
    /// The records do not add up to the digest that was kept with the position.
    #[error("the read model's records do not add up to its position")]
    Digest,
    /// The folder can't be made or removed.
    #[error("the read model's folder: {0}")]
    Io(#[from] std::io::Error),
}

#[derive(Clone)]
struct ByJson;

impl Weighter<String, Record> for ByJson {
    fn weight(&self, _: &String, record: &Record) -> u64 {
        match record {
            // The struct, its strings and the rendered JSON; measured at about 5 KB for a full corporate client.
            Record::Client(record) => 4_000 + 600 * record.links.len() as u64,
            Record::Device(_) => 800,
        }
    }
}

/// The records that sled does not have yet, each with the entry that made it. The lock around them also keeps a reader from
/// putting an old record over a new one.
type Pending = HashMap<String, (u64, Record)>;

/// The records.
pub struct Store {
    tree: sled::Tree,
    _db: sled::Db,
    hot: Cache<String, Record, ByJson>,
    pending_history: RwLock<HashMap<String, Vec<u64>>>,
    stripes: [Mutex<Pending>; STRIPES],
    hasher: RandomState,
    configured: Arc<[Adapter]>,
    folder: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, whatever its content.
    ///
    /// # Errors
    /// The folder can't be made, or sled refuses it, or panics.
    pub fn open(folder: &Path, configured: &[Adapter]) -> Result<Self, StoreError> {
        // sled makes its files readable for others; the folder is not.
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let config = sled::Config::new().path(folder).cache_capacity(SLED_CACHE_BYTES).flush_every_ms(Some(1_000));
        // Nothing of what a panic may have left half done is used again.
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open()));
        let db = opened.map_err(|_| StoreError::Panicked)??;
        let tree = db.open_tree("state")?;
        Ok(Self {
            tree,
            _db: db,
            hot: Cache::with_weighter(20_000, HOT_BYTES, ByJson),
            pending_history: RwLock::default(),
            stripes: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::default(),
            configured: configured.into(),
            folder: folder.to_owned(),
        })
    }

    /// Whether sled may be given more to write.
    pub(super) fn has_room(&self) -> bool {
        // Where the file system doesn't say, sled will.
        journal::space(&self.folder).map_or(true, |space| space.free >= SPARE)
    }

    /// The adapters of today's configuration.
    #[must_use]
    pub fn configured(&self) -> Arc<[Adapter]> {
        self.configured.clone()
    }

    /// The tree, for scans on start and for the follower.
    pub(super) const fn tree(&self) -> &sled::Tree {
        &self.tree
    }

    fn stripe(&self, reference: &str) -> MutexGuard<'_, Pending> {
        let [first, others @ ..] = &self.stripes;
        let index = usize::try_from(self.hasher.hash_one(reference) % STRIPES as u64).unwrap_or(0);
        index.checked_sub(1).and_then(|other| others.get(other)).unwrap_or(first).lock()
    }

    /// The fold's new version of a record, made by entry `seq`. It is hot only where it was before: a portfolio that is
    /// imported displaces nothing that is asked for.
    pub(super) fn put(&self, seq: u64, record: &Record) {
        let reference = record.reference();
        let mut pending = self.stripe(reference);
        pending.insert(reference.to_owned(), (seq, record.clone()));
        if self.hot.contains_key(reference) {
            // Refused where it has just gone cold.
            drop(self.hot.replace(reference.to_owned(), record.clone(), true));
        }
    }

    /// An entry of a client's history that sled does not have yet.
    pub(super) fn put_history(&self, reference: &str, seq: u64) {
        self.pending_history.write().entry(reference.to_owned()).or_default().push(seq);
    }

    /// sled has the batch: what waited for that need not be kept any more.
    pub(super) fn followed(&self, batch: &Batch) {
        let seq = batch.mark.seq;
        for reference in batch.records.iter().map(Record::reference) {
            let mut pending = self.stripe(reference);
            if pending.get(reference).is_some_and(|(newest, _)| *newest <= seq) {
                pending.remove(reference);
            }
        }
        let mut history = self.pending_history.write();
        for (reference, _) in &batch.history {
            if let Some(waiting) = history.get_mut(reference) {
                waiting.retain(|waiting| *waiting > seq);
                if waiting.is_empty() {
                    history.remove(reference);
                }
            }
        }
    }

    /// The entries of a client's history below `before`, newest first, at most `most`.
    ///
    /// # Errors
    /// sled can't be read.
    pub fn history(&self, reference: &str, before: u64, most: usize) -> Result<Vec<u64>, StoreError> {
        let waiting = self.pending_history.read().get(reference).cloned().unwrap_or_default();
        let range = history_key(reference, 0)..history_key(reference, before);
        let kept = self.tree.range(range).keys().rev().take(most);
        let created = match self.get(reference) {
            Some(Record::Client(record)) => Some(record.created),
            _ => None,
        };
        let mut seqs: Vec<u64> = waiting.into_iter().chain(created).filter(|seq| *seq < before).collect();
        for key in kept {
            seqs.extend(seq_of(&key?));
        }
        seqs.sort_unstable_by(|a, b| b.cmp(a));
        seqs.dedup();
        seqs.truncate(most);
        Ok(seqs)
    }

    /// A record by its reference, as the fold last left it.
    #[must_use]
    pub fn get(&self, reference: &str) -> Option<Record> {
        if let Some(record) = self.hot.get(reference) {
            return Some(record);
        }
        let pending = self.stripe(reference);
        if let Some((_, record)) = pending.get(reference) {
            return Some(record.clone());
        }
        let record = self.read(reference)?;
        self.hot.insert(reference.to_owned(), record.clone());
        Some(record)
    }

    /// A record from the bytes that the follower wrote.
    pub(super) fn decode(&self, reference: &str, bytes: &[u8]) -> Result<Record, StoreError> {
        if reference.starts_with("DV-") {
            return Ok(Record::Device(Arc::new(unpack::<DeviceRecord>(bytes)?)));
        }
        let record = unpack::<ClientRecord>(bytes)?;
        Ok(Record::Client(Arc::new(record.under(self.configured()))))
    }

    /// Reads from sled. A record that can't be read is reported and missing; the next start finds the damage and rebuilds.
    fn read(&self, reference: &str) -> Option<Record> {
        let bytes = match self.tree.get(key(reference)) {
            Ok(bytes) => bytes?,
            Err(error) => {
                tracing::error!(%error, reference, "the read model can't be read");
                return None;
            }
        };
        match self.decode(reference, &bytes) {
            Ok(record) => Some(record),
            Err(error) => {
                tracing::error!(%error, reference, "the read model holds a damaged record");
                None
            }
        }
    }
}

/// The entry's number at the end of a history key.
fn seq_of(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The key of a record.
pub(super) fn key(reference: &str) -> Vec<u8> {
    [b"r/", reference.as_bytes()].concat()
}

/// Appends a record's bytes.
pub(super) fn encode(record: &Record, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
    match record {
        Record::Client(record) => pack(record.as_ref(), bytes),
        Record::Device(record) => pack(record.as_ref(), bytes),
    }
}

/// MessagePack without the names of the members, which are half of a record and told by the schema: nothing that is kept
/// may leave a member out. Values take the form that they have in JSON, since what stands in a tagged enum is read in no
/// other.
pub(super) fn pack<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
    Ok(value.serialize(&mut rmp_serde::Serializer::new(bytes).with_human_readable())?)
}

/// Reads what `pack` has written.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    Ok(T::deserialize(&mut rmp_serde::Deserializer::from_read_ref(bytes).with_human_readable())?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::domain::client::{Client, Mark, Status};
    use crate::domain::delivery::{Delivery, Link};
    use crate::domain::event::Created;
    use crate::domain::validate::{Mode, Tree, draft};
    use crate::state::open::SCHEMA;

    /// The digest of all members of the records of today's schema.
    const SHAPE: &str = "596b9893e19f387daea377c96122ffd77ac76f515a11d865c951710a3cf5c237";

    fn person() -> Value {
        json!({
            "kind": "individual", "email": "ada@example.org", "tags": ["vip"],
            "individual": {
                "givenName": "Ada", "familyName": "Moss", "dateOfBirth": "1985-03-02", "nationality": "GB",
                "nationalId": "QQ654321B",
            },
        })
    }

    fn company() -> Value {
        json!({
            "kind": "corporate", "name": "Moss Ltd", "phone": "+442079460000", "segment": "sme", "language": "en",
            "corporate": {
                "legalName": "Moss Limited", "registrationNumber": "08123456", "incorporatedOn": "2012-04-03",
                "contacts": [{"name": "Ada Moss", "email": "ada@example.org"}],
            },
            "address": {"city": "London", "country": "GB"}, "assignedTo": ["m-1"],
        })
    }

    fn client(sent: &Value) -> Client {
        let at = DateTime::UNIX_EPOCH;
        let profile = draft(&Tree::from(sent), Utc::now().date_naive(), Mode::Create).unwrap().profile;
        let created = Created { profile, external_reference: None, status: Status::Active, onboarding: true };
        Client::created("CL-1", "o", &created, Mark { entry: Uuid::nil(), seq: 7, version: 1, at, member: "m-1" })
    }

    /// A delivery of each kind of payload.
    fn deliveries(body: &Client) -> Vec<Delivery> {
        let at = DateTime::UNIX_EPOCH;
        let payloads = [
            json!({"is": "mirror", "body": body}),
            json!({"is": "mirror", "body": null}),
            json!({"is": "devices"}),
            json!({"is": "document", "id": "DC-1"}),
            json!({"is": "device-state", "active": true, "locked": false, "reason": null}),
            json!({"is": "transfer", "from": "CL-1", "to": "CL-2"}),
            json!({"is": "pin-reset", "resetId": "PR-1"}),
            json!({"is": "message", "template": "welcome", "to": {"name": "Ada Moss", "email": "ada@example.org", "phone": null}, "language": "en",
                "device": "DV-1", "deviceType": "mobile", "byPhone": true, "at": at}),
        ];
        let delivery = |payload| {
            json!({"key": "k", "function": "verify", "owing": 7, "version": 1, "payload": payload, "progress": "unknown",
                "attempts": 3, "since": at, "nextAt": at, "error": "why", "parked": null, "uncertain": true})
        };
        payloads.into_iter().map(|payload| serde_json::from_value(delivery(payload)).unwrap()).collect()
    }

    /// A client with all that one can have, and a device.
    fn records(sent: &Value) -> (ClientRecord, DeviceRecord) {
        let (mut client, at) = (client(sent), DateTime::UNIX_EPOCH);
        let document = json!({"id": "DC-1", "type": "passport", "status": "pending", "mediaType": "image/png", "digest": "00",
            "size": 1, "submittedAt": at});
        client.kyc.documents.push(serde_json::from_value(document).unwrap());
        let mut all = deliveries(&client);
        let mirror = Some(all.remove(0));
        let commands = all.into_iter().map(Arc::new).collect();
        let link = Link { mirror, commands, at: Some(at), ..Link::default() };
        let mut record = ClientRecord::new(client, Arc::default());
        record.links.insert(Adapter::Messaging, Arc::new(link.clone()));
        record.devices.push("DV-1".into());
        let relationship = json!({"openCases": 1, "communications": [{"at": "t", "channel": "call", "subject": "s"}],
            "feedback": [{"at": "t", "score": 9}]});
        record.relationship = serde_json::from_value(relationship).unwrap();
        let device = json!({"device": {"reference": "DV-1", "org": "o", "client": "CL-1", "externalId": "x", "type": "mobile",
            "active": true, "locked": false, "activeBeforeLock": false, "enrolledAt": at, "updatedAt": at, "removed": false,
            "version": 1, "entry": Uuid::nil(), "seq": 8}, "link": link});
        (record, serde_json::from_value(device).unwrap())
    }

    fn packed<T: Serialize>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        pack(value, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for sent in [person(), company()] {
            let (client, device) = records(&sent);
            let (read, read_device): (ClientRecord, DeviceRecord) =
                (unpack(&packed(&client)).unwrap(), unpack(&packed(&device)).unwrap());
            assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&client).unwrap());
            assert_eq!(serde_json::to_value(&read_device).unwrap(), serde_json::to_value(&device).unwrap());
        }
    }

    #[test]
    fn only_a_client_that_was_asked_for_is_hot_and_then_in_its_newest_version() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &[]).unwrap();
        let version = |version: u64| {
            let mut client = client(&person());
            client.version = version;
            Record::Client(Arc::new(ClientRecord::new(client, Arc::default())))
        };
        let seen = || store.get("CL-1").map(|record| record.version());
        store.put(7, &version(1));
        assert_eq!((seen(), store.hot.len()), (Some(1), 0), "it waits for sled, and displaces nothing");
        let mut bytes = Vec::new();
        encode(&version(1), &mut bytes).unwrap();
        store.tree().insert(key("CL-1"), bytes).unwrap();
        let mark = crate::state::Mark { seq: 7, ..crate::state::Mark::default() };
        store.followed(&Batch { records: vec![version(1)], mark, ..Batch::default() });
        assert_eq!((seen(), store.hot.len()), (Some(1), 1), "it was read from sled");
        store.put(8, &version(2));
        assert_eq!((seen(), store.hot.len()), (Some(2), 1), "what is hot is the newest");
    }

    #[test]
    fn a_record_has_the_members_of_its_schema() {
        let (person, device) = records(&person());
        let (company, _) = records(&company());
        let shape = serde_json::to_vec(&(person, company, device, crate::state::Mark::default())).unwrap();
        let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(shape));
        assert_eq!(
            (SCHEMA, digest.as_str()),
            ("7", SHAPE),
            "other members: raise the schema, and put this digest down"
        );
    }
}
