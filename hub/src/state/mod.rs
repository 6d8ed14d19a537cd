//! The read model: records, rows to search, favourites, and who is owed what; folded from the journal.
//!
//! * The fold is the only writer, and it never fails; whoever reads sees whole records.
//! * Folded in memory first; sled follows, a bounded distance behind, and can be deleted at any time.
//! * The organisation comes first in every query: a record of another one is not there.
//! * It knows nothing of HTTP, permissions or adapters' calls.

mod digest;
mod fold;
mod follow;
pub mod history;
pub mod lanes;
mod open;
mod plan;
pub mod record;
mod row;
pub mod rows;
mod shared;
mod stars;
mod store;
pub mod view;

use std::sync::Arc;

pub use self::follow::{Following, Mark};
pub use self::open::{Opened, Writer, discard, open};
pub use self::record::{ClientRecord, DeviceRecord};
pub use self::rows::{CursorKey, Sort, SortBy};
pub use self::store::StoreError;

use self::lanes::{Lanes, Plan};
use self::record::Record;
use self::row::Row;
use self::shared::Shared;
use crate::domain::delivery::Adapter;
use crate::domain::filter::{Attribute, Attributes, Filter};

/// How often a plan is worked out anew because the record seems to have moved; a cold one may only have been read again.
const PLANS: usize = 8;

/// The state as everybody reads it. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Shared>);

/// What a list is to show.
#[derive(Clone, Copy)]
pub struct ListQuery<'a> {
    /// Which clients; archived and erased ones only where it names `status`.
    pub filter: Option<&'a Filter>,
    /// Who reads.
    pub member: &'a str,
    /// Only the reader's favourites.
    pub starred_only: bool,
    /// In which order.
    pub sort: Sort,
    /// Which rows the policy lets the reader see; all where there is none.
    pub visible: Option<Visible<'a>>,
    /// From behind this row.
    pub after: Option<&'a CursorKey>,
    /// At most so many.
    pub limit: usize,
}

/// Says whether a row may be seen.
pub type Visible<'a> = &'a (dyn Fn(&dyn Attributes<Attribute>) -> bool + Sync);

/// A part of a list.
#[derive(Debug)]
pub struct Page {
    /// The clients, in order.
    pub items: Vec<Arc<ClientRecord>>,
    /// Where the next part begins; none at the end.
    pub next: Option<CursorKey>,
    /// How many there are in all.
    pub total: usize,
}

impl State {
    /// How the store follows.
    #[must_use]
    pub fn how_it_follows(&self) -> Following {
        self.0.how_it_follows()
    }

    /// A client of the organisation.
    #[must_use]
    pub fn client(&self, org: &str, reference: &str) -> Option<Arc<ClientRecord>> {
        self.any_client(reference).filter(|record| record.client.org == org)
    }

    /// A device of the organisation.
    #[must_use]
    pub fn device(&self, org: &str, reference: &str) -> Option<Arc<DeviceRecord>> {
        self.any_device(reference).filter(|record| record.device.org == org)
    }

    /// A client of whichever organisation: for the links, which act for all of them.
    #[must_use]
    pub fn any_client(&self, reference: &str) -> Option<Arc<ClientRecord>> {
        match self.0.store.get(reference)? {
            Record::Client(record) => Some(record),
            Record::Device(_) => None,
        }
    }

    /// A device of whichever organisation: for the links, which act for all of them.
    #[must_use]
    pub fn any_device(&self, reference: &str) -> Option<Arc<DeviceRecord>> {
        match self.0.store.get(reference)? {
            Record::Device(record) => Some(record),
            Record::Client(_) => None,
        }
    }

    /// The devices of a client that the identity system still lists, in the order of their enrolment.
    #[must_use]
    pub fn devices_of(&self, org: &str, reference: &str) -> Vec<Arc<DeviceRecord>> {
        let Some(client) = self.client(org, reference) else { return Vec::new() };
        let devices = client.devices.iter().filter_map(|device| self.device(org, device));
        devices.filter(|record| !record.device.removed).collect()
    }

    /// Whether the client is a favourite of the member.
    #[must_use]
    pub fn is_starred(&self, org: &str, member: &str, reference: &str) -> bool {
        self.0.stars.has(org, member, reference)
    }

    /// A part of the organisation's clients. Runs over all of them: not for the thread of a reactor.
    #[must_use]
    pub fn list(&self, org: &str, query: &ListQuery<'_>) -> Page {
        let starred = self.0.stars.of(org, query.member);
        let gone_too = query.filter.is_some_and(|filter| filter.mentions(Attribute::Status));
        let wanted = |row: &Row| {
            let searched = rows::Searched { row, starred: &starred };
            (gone_too || !row.status.is_gone())
                && (!query.starred_only || starred.contains(row.reference()))
                && query.visible.is_none_or(|visible| visible(&searched))
                && query.filter.is_none_or(|filter| filter.matches(&searched))
        };
        let selected = self.0.rows.select(org, wanted, (query.sort, query.after), query.limit);
        let items = selected.references.iter().filter_map(|reference| self.client(org, reference)).collect();
        Page { items, next: selected.next, total: selected.total }
    }

    /// The references of all clients that a filter finds, over all organisations.
    #[must_use]
    pub fn references(&self, filter: &Filter) -> Vec<String> {
        self.0.rows.references(filter)
    }

    /// Who is owed something.
    #[must_use]
    pub fn lanes(&self) -> &Lanes {
        &self.0.lanes
    }

    /// Works a lane out anew from its record, and says when it wants to be looked at.
    pub fn plan_again(&self, adapter: Adapter, lane: &str) -> Plan {
        let mut plan = Plan::default();
        for _ in 0..PLANS {
            let Some(record) = self.0.store.get(lane) else { return plan };
            plan = plan::of(adapter, &record);
            self.0.lanes.set(adapter, lane, plan);
            // The fold may have put a newer record and its plan in place meanwhile, which must not be lost to this one.
            if self.0.store.get(lane).is_some_and(|now| now.is_same(&record)) {
                break;
            }
        }
        plan
    }

    /// The adapters of today's configuration.
    #[must_use]
    pub fn configured(&self) -> &[Adapter] {
        &self.0.configured
    }

    /// The number of the newest journal entry that the state has.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.0.seq()
    }

    /// Up to which entry everything has been announced, as the journal says.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.0.published.load(std::sync::atomic::Ordering::Acquire)
    }

    /// How many clients there are, over all organisations.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.0.rows.len()
    }
}
