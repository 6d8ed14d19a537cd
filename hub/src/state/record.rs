//! The records that are served: a client or a device with what it owes to the outside systems, and their JSON.
//!
//! A record is never changed in place: the fold makes a new one. Its JSON is made once, when it is first asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::view;
use crate::domain::client::{Client, Relationship};
use crate::domain::delivery::{Adapter, Link};
use crate::domain::device::Device;

/// A client with all that is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientRecord {
    /// The client. Deliveries change the record without it, and remember what they were about to send.
    pub client: Arc<Client>,
    /// What each adapter is or was owed; shared by the record's versions, each of which changes one.
    pub links: BTreeMap<Adapter, Arc<Link>>,
    /// The journal entry that accepted it, where its history begins.
    pub created: u64,
    /// The references of its devices, in the order of their enrolment.
    #[serde(default)]
    pub devices: Vec<String>,
    /// What the CRM knew when it was last asked.
    #[serde(default)]
    pub relationship: Option<Relationship>,
    /// The adapters of today's configuration, which are the ones that are shown.
    #[serde(skip)]
    configured: Arc<[Adapter]>,
    /// Its JSON up to the one member that differs for each reader, the last one: `"starred":`.
    #[serde(skip)]
    rendered: OnceLock<Bytes>,
}

/// A device with what is owed for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRecord {
    /// The device.
    pub device: Device,
    /// The commands that the identity system is owed.
    #[serde(default)]
    pub link: Link,
}

impl ClientRecord {
    /// The record of a client that has just been accepted.
    #[must_use]
    pub fn new(client: Client, configured: Arc<[Adapter]>) -> Self {
        let (links, created, rendered) = (BTreeMap::new(), client.seq, OnceLock::new());
        Self { client: Arc::new(client), links, created, devices: Vec::new(), relationship: None, configured, rendered }
    }

    /// The adapters that are shown, each with its link.
    pub fn shown(&self) -> impl Iterator<Item = (Adapter, Cow<'_, Link>)> {
        self.configured.iter().map(|adapter| (*adapter, self.link(*adapter)))
    }

    /// What one adapter is owed, which is nothing where nothing ever was.
    #[must_use]
    pub fn link(&self, adapter: Adapter) -> Cow<'_, Link> {
        self.links.get(&adapter).map_or_else(|| Cow::Owned(Link::default()), |link| Cow::Borrowed(&**link))
    }

    /// What one adapter is owed, to be changed.
    pub(super) fn link_mut(&mut self, adapter: Adapter) -> &mut Link {
        Arc::make_mut(self.links.entry(adapter).or_default())
    }

    /// The record as it was read back, under today's configuration.
    pub(super) fn under(mut self, configured: Arc<[Adapter]>) -> Self {
        self.configured = configured;
        self
    }

    /// The same record, to be changed.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { rendered: OnceLock::new(), ..self.clone() }
    }

    /// The whole client as CL002 answers it.
    #[must_use]
    pub fn body(&self, starred: bool) -> Bytes {
        ended(self.rendered.get_or_init(|| view::client(self).into()), starred)
    }

    /// The client as lists show it.
    #[must_use]
    pub fn summary(&self, starred: bool) -> Bytes {
        ended(&view::summary(self), starred)
    }
}

impl DeviceRecord {
    /// The device as CL007 answers it.
    #[must_use]
    pub fn body(&self) -> Bytes {
        view::device(self).into()
    }
}

fn ended(up_to_starred: &[u8], starred: bool) -> Bytes {
    let end: &[u8] = if starred { b"true}" } else { b"false}" };
    [up_to_starred, end].concat().into()
}

/// Either kind of record, for the parts that keep them.
#[derive(Debug, Clone)]
pub enum Record {
    /// A client.
    Client(Arc<ClientRecord>),
    /// A device.
    Device(Arc<DeviceRecord>),
}

impl Record {
    /// `CL-…` or `DV-…`.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Self::Client(record) => &record.client.reference,
            Self::Device(record) => &record.device.reference,
        }
    }

    /// Whether it is the very same record, not only an equal one.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Client(one), Self::Client(other)) => Arc::ptr_eq(one, other),
            (Self::Device(one), Self::Device(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// The version of its stream.
    #[must_use]
    pub fn version(&self) -> u64 {
        match self {
            Self::Client(record) => record.client.version,
            Self::Device(record) => record.device.version,
        }
    }
}
