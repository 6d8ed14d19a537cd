//! The searchable attributes of every client, in memory, by organisation: what lists and searches run over.
//!
//! A row holds no more than what can be searched or sorted by; what is shown comes from the record.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use foldhash::HashMap;
use parking_lot::RwLock;

use super::row::Row;
use crate::domain::client::Client;
use crate::domain::filter::{Attribute, Attributes, Filter, Value};

/// A row as one member searches it.
pub struct Searched<'a> {
    /// The row.
    pub row: &'a Row,
    /// The member's favourites.
    pub starred: &'a HashSet<String>,
}

impl Attributes<Attribute> for Searched<'_> {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        match attribute {
            Attribute::Starred => Value::Bool(self.starred.contains(self.row.reference())),
            other => self.row.get(other),
        }
    }

    fn any(&self, attribute: Attribute, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        self.row.any(attribute, test)
    }

    fn any_element(&self, of: Attribute, test: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        self.row.any_element(of, test)
    }
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
            SortBy::Name => row.name().into(),
            SortBy::Status => row.status.as_str().into(),
            SortBy::CreatedAt => sortable(row.created_at).into(),
            SortBy::UpdatedAt => sortable(row.updated_at).into(),
        }
    }

    fn compare(self, a: &Row, b: &Row) -> Ordering {
        let order = match self.by {
            SortBy::Name => a.name().cmp(b.name()),
            SortBy::Status => a.status.as_str().cmp(b.status.as_str()),
            SortBy::CreatedAt => a.created_at.cmp(&b.created_at),
            SortBy::UpdatedAt => a.updated_at.cmp(&b.updated_at),
        };
        let order = order.then_with(|| a.reference().cmp(b.reference()));
        if self.descending { order.reverse() } else { order }
    }

    /// Whether the row comes behind the cursor.
    fn is_behind(self, row: &Row, cursor: &CursorKey) -> bool {
        let value = self.value(row);
        let order = value.as_ref().cmp(&cursor.value).then_with(|| row.reference().cmp(cursor.reference.as_str()));
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
}

#[derive(Debug, Default)]
struct OrgRows {
    rows: foldhash::HashSet<ByReference>,
}

/// A row, found by its reference.
#[derive(Debug, Clone)]
struct ByReference(Arc<Row>);

impl Borrow<str> for ByReference {
    fn borrow(&self) -> &str {
        self.0.reference()
    }
}

impl Hash for ByReference {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.reference().hash(state);
    }
}

impl PartialEq for ByReference {
    fn eq(&self, other: &Self) -> bool {
        self.0.reference() == other.0.reference()
    }
}

impl Eq for ByReference {}

impl Rows {
    /// Puts the newest row of a client in place of its last.
    pub fn put(&self, client: &Client) {
        let row = Arc::new(Row::of(client));
        let org = self.org(&client.org);
        let org = org.unwrap_or_else(|| self.orgs.write().entry(client.org.clone()).or_default().clone());
        org.write().rows.replace(ByReference(row));
    }

    fn org(&self, org: &str) -> Option<Arc<RwLock<OrgRows>>> {
        self.orgs.read().get(org).cloned()
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
            Some(org) => org.read().rows.iter().map(|row| &row.0).filter(|row| wanted(row)).cloned().collect(),
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
        let next = matching
            .last()
            .filter(|_| more)
            .map(|row| CursorKey { value: sort.value(row).into_owned(), reference: row.reference().to_owned() });
        Selected { references: matching.iter().map(|row| row.reference().to_owned()).collect(), next, total }
    }

    /// The references of all clients that a filter finds, over all organisations.
    #[must_use]
    pub fn references(&self, filter: &Filter) -> Vec<String> {
        let orgs: Vec<_> = self.orgs.read().values().cloned().collect();
        let mut found = Vec::new();
        for org in orgs {
            let org = org.read();
            let wanted = org.rows.iter().filter(|row| filter.matches(row.0.as_ref()));
            found.extend(wanted.map(|row| row.0.reference().to_owned()));
        }
        found
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
