//! The searchable attributes of every client, in memory, by organisation: what lists and searches run over.
//!
//! A row holds no more than what can be searched or sorted by; what is shown comes from the record.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use unicode_normalization::UnicodeNormalization;

use crate::domain::client::{Client, Status};
use crate::domain::kyc::KycStatus;
use crate::domain::profile::{Address, Corporate, Individual, Kind};

/// One client's searchable attributes.
#[derive(Debug)]
pub struct Row {
    /// `CL-…`.
    pub reference: Box<str>,
    /// A business or a person.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// How its screening stands.
    pub kyc: KycStatus,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When profile or status last changed.
    pub updated_at: DateTime<Utc>,
    /// The display name.
    pub name: Box<str>,
    /// The name as it is sorted and compared: NFC, lower case.
    pub folded: Box<str>,
    /// E-mail.
    pub email: Option<Box<str>>,
    /// Phone.
    pub phone: Option<Box<str>>,
    /// Segment.
    pub segment: Option<Arc<str>>,
    /// Language.
    pub language: Option<Arc<str>>,
    /// Tags.
    pub tags: Box<[Arc<str>]>,
    /// Members who look after the client.
    pub assigned_to: Box<[Arc<str>]>,
    /// The caller's own reference.
    pub external_reference: Option<Box<str>>,
    /// The address.
    pub address: Option<Box<Address>>,
    /// A business's own attributes.
    pub corporate: Option<Box<Corporate>>,
    /// A person's own attributes.
    pub individual: Option<Box<Individual>>,
}

/// Texts that many clients share, kept once.
#[derive(Debug, Default)]
struct Interner(HashSet<Arc<str>>);

impl Interner {
    fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(kept) = self.0.get(text) {
            return kept.clone();
        }
        let kept: Arc<str> = Arc::from(text);
        self.0.insert(kept.clone());
        kept
    }
}

/// Text as it is compared: Unicode normal form NFC, lower case.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase().nfc().collect() }
}

/// What lists are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// The folded name.
    Name,
    /// When the client was accepted.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// Where it stands, by the name of the status.
    Status,
}

/// The order of a list. Equal values are ordered by reference, so that the order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// The other way round.
    pub descending: bool,
}

/// A place between two rows: the sort value and reference of the last row that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorKey {
    /// The sort value, as text that sorts like the value.
    pub value: String,
    /// The reference.
    pub reference: String,
}

impl Sort {
    /// The sort value of a row as text that sorts like it.
    fn value(self, row: &Row) -> std::borrow::Cow<'_, str> {
        match self.by {
            SortBy::Name => row.folded.as_ref().into(),
            SortBy::Status => row.status.as_str().into(),
            SortBy::CreatedAt => sortable(row.created_at).into(),
            SortBy::UpdatedAt => sortable(row.updated_at).into(),
        }
    }

    fn compare(self, a: &Row, b: &Row) -> Ordering {
        let order = match self.by {
            SortBy::Name => a.folded.cmp(&b.folded),
            SortBy::Status => a.status.as_str().cmp(b.status.as_str()),
            SortBy::CreatedAt => a.created_at.cmp(&b.created_at),
            SortBy::UpdatedAt => a.updated_at.cmp(&b.updated_at),
        };
        let order = order.then_with(|| a.reference.cmp(&b.reference));
        if self.descending { order.reverse() } else { order }
    }

    /// Whether the row comes behind the cursor.
    fn is_behind(self, row: &Row, cursor: &CursorKey) -> bool {
        let value = self.value(row);
        let order = value.as_ref().cmp(&cursor.value).then_with(|| row.reference.as_ref().cmp(&cursor.reference));
        if self.descending { order == Ordering::Less } else { order == Ordering::Greater }
    }
}

fn sortable(at: DateTime<Utc>) -> String {
    format!("{:020}", at.timestamp_millis())
}

/// The part of a list that was asked for.
#[derive(Debug)]
pub struct Selected {
    /// References in order.
    pub references: Vec<String>,
    /// Where the next part begins.
    pub next: Option<CursorKey>,
    /// How many rows match in all.
    pub total: usize,
}

/// The rows of every organisation.
#[derive(Debug, Default)]
pub struct Rows {
    orgs: RwLock<HashMap<String, Arc<RwLock<OrgRows>>>>,
    interner: parking_lot::Mutex<Interner>,
}

#[derive(Debug, Default)]
struct OrgRows {
    rows: HashMap<Arc<str>, Arc<Row>>,
}

impl Rows {
    /// Puts the newest row of a client in place of its last.
    pub fn put(&self, client: &Client) {
        let row = Arc::new(self.row(client));
        let org = self.org(&client.org).unwrap_or_else(|| self.orgs.write().entry(client.org.clone()).or_default().clone());
        org.write().rows.insert(Arc::from(client.reference.as_str()), row);
    }

    fn org(&self, org: &str) -> Option<Arc<RwLock<OrgRows>>> {
        self.orgs.read().get(org).cloned()
    }

    fn row(&self, client: &Client) -> Row {
        let profile = &client.profile;
        let mut interner = self.interner.lock();
        let mut keep = |text: &String| interner.keep(text);
        Row {
            reference: client.reference.as_str().into(),
            kind: profile.kind,
            status: client.status,
            kyc: client.kyc.status,
            created_at: client.created_at,
            updated_at: client.updated_at,
            name: profile.name.as_str().into(),
            folded: folded(&profile.name).into(),
            email: profile.email.as_deref().map(Into::into),
            phone: profile.phone.as_deref().map(Into::into),
            segment: profile.segment.as_ref().map(&mut keep),
            language: profile.language.as_ref().map(&mut keep),
            tags: profile.tags.iter().map(&mut keep).collect(),
            assigned_to: profile.assigned_to.iter().map(&mut keep).collect(),
            external_reference: client.external_reference.as_deref().map(Into::into),
            address: profile.address.clone().map(Box::new),
            corporate: profile.corporate.clone().map(Box::new),
            individual: profile.individual.clone().map(Box::new),
        }
    }

    /// The rows of one organisation that `wanted` lets through, in order, from behind the cursor.
    pub fn select(
        &self,
        org: &str,
        wanted: impl Fn(&Row) -> bool,
        (sort, after): (Sort, Option<&CursorKey>),
        limit: usize,
    ) -> Selected {
        let mut matching: Vec<Arc<Row>> = match self.org(org) {
            Some(org) => org.read().rows.values().filter(|row| wanted(row)).cloned().collect(),
            None => Vec::new(),
        };
        let total = matching.len();
        if let Some(cursor) = after {
            matching.retain(|row| sort.is_behind(row, cursor));
        }
        let more = matching.len() > limit;
        if more {
            matching.select_nth_unstable_by(limit, |a, b| sort.compare(a, b));
            matching.truncate(limit);
        }
        matching.sort_unstable_by(|a, b| sort.compare(a, b));
        let next = matching.last().filter(|_| more).map(|row| CursorKey {
            value: sort.value(row).into_owned(),
            reference: row.reference.to_string(),
        });
        Selected { references: matching.iter().map(|row| row.reference.to_string()).collect(), next, total }
    }

    /// How many clients there are, over all organisations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orgs.read().values().map(|org| org.read().rows.len()).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
