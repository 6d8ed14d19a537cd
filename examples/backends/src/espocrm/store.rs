//! The records and what they are looked up by.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::stored::Stored;

use super::Refusal;
use super::record::{EntityType, Record, is_indexed};

/// An entity type, an attribute and its value.
type IndexKey = (EntityType, String, String);

/// A record at rest.
pub(super) struct Kept {
    pub kind: EntityType,
    pub attributes: Stored,
}

impl Kept {
    fn keep(record: &Record) -> Self {
        Kept { kind: record.kind, attributes: Stored::keep(&record.attributes) }
    }

    pub fn load(&self) -> Record {
        Record { kind: self.kind, attributes: self.attributes.load() }
    }
}

/// All records.
#[derive(Default)]
pub(super) struct Store {
    pub records: Vec<Kept>,
    by_id: HashMap<String, usize>,
    /// Places by attribute and value, for the attributes that are looked up.
    index: HashMap<IndexKey, BTreeSet<usize>>,
}

impl Store {
    /// A record by its id, and its place.
    pub fn record(&self, kind: EntityType, id: &str) -> Result<(usize, Record), Refusal> {
        let at = self.by_id.get(id).copied();
        let found = at.and_then(|at| Some((at, self.records.get(at)?)));
        let found = found.filter(|(_, kept)| kept.kind == kind);
        found.map(|(at, kept)| (at, kept.load())).ok_or_else(Refusal::not_found)
    }

    /// The records of a kind; only those that one of these equal attributes leads to, where there is an index for it.
    pub fn candidates<'s, 'q>(
        &'s self,
        kind: EntityType,
        mut equals: impl Iterator<Item = (&'q str, &'q str)>,
    ) -> Box<dyn Iterator<Item = Record> + 's> {
        let places = equals.find_map(|(attribute, value)| self.looked_up(kind, attribute, value));
        let found: Box<dyn Iterator<Item = &Kept>> = match places {
            Some(places) => Box::new(places.into_iter().filter_map(|at| self.records.get(at))),
            None => Box::new(self.records.iter()),
        };
        Box::new(found.filter(move |kept| kept.kind == kind).map(Kept::load))
    }

    fn looked_up(&self, kind: EntityType, attribute: &str, value: &str) -> Option<BTreeSet<usize>> {
        if attribute == "id" {
            return Some(self.by_id.get(value).copied().into_iter().collect());
        }
        let key = (kind, attribute.to_owned(), value.to_owned());
        is_indexed(attribute).then(|| self.index.get(&key).cloned().unwrap_or_default())
    }

    /// Records of the same name and the same external reference.
    pub fn duplicates(&self, record: &Record) -> Vec<Map<String, Value>> {
        let Some((attribute, value)) = record.reference_attribute() else {
            return Vec::new();
        };
        let same_reference = self.candidates(record.kind, std::iter::once((attribute, value)));
        let same = same_reference.filter(|other| other.name() == record.name() && other.text(attribute) == Some(value));
        same.map(|record| record.attributes).collect()
    }

    /// Adds a record.
    pub fn insert(&mut self, record: &Record) {
        let at = self.records.len();
        self.by_id.insert(record.id().to_owned(), at);
        for key in index_keys(record) {
            self.index.entry(key).or_default().insert(at);
        }
        self.records.push(Kept::keep(record));
    }

    /// Puts a changed record in the place of the old one.
    pub fn replace(&mut self, at: usize, record: &Record) {
        let Some(place) = self.records.get_mut(at) else {
            return;
        };
        let old = place.load();
        *place = Kept::keep(record);
        for key in index_keys(&old) {
            if let Some(places) = self.index.get_mut(&key) {
                places.remove(&at);
                if places.is_empty() {
                    self.index.remove(&key);
                }
            }
        }
        for key in index_keys(record) {
            self.index.entry(key).or_default().insert(at);
        }
    }
}

fn index_keys(record: &Record) -> impl Iterator<Item = IndexKey> + '_ {
    let texts = record.attributes.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    texts.filter(|(name, _)| is_indexed(name)).map(|(name, text)| (record.kind, name.clone(), text.to_owned()))
}
