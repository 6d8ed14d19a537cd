//! Favourites: which member of which organisation has starred which client.

use std::collections::{HashMap, HashSet};

use parking_lot::RwLock;

/// The favourites of every member.
#[derive(Debug, Default)]
pub struct Stars {
    of_member: RwLock<HashMap<(String, String), HashSet<String>>>,
}

impl Stars {
    /// Sets or takes back a favourite.
    pub fn set(&self, org: &str, member: &str, reference: &str, on: bool) {
        let mut members = self.of_member.write();
        let starred = members.entry((org.to_owned(), member.to_owned())).or_default();
        if on {
            starred.insert(reference.to_owned());
        } else {
            starred.remove(reference);
        }
    }

    /// Whether the client is a favourite of the member.
    #[must_use]
    pub fn has(&self, org: &str, member: &str, reference: &str) -> bool {
        let members = self.of_member.read();
        if members.is_empty() {
            return false;
        }
        members.get(&(org.to_owned(), member.to_owned())).is_some_and(|starred| starred.contains(reference))
    }

    /// All favourites of the member.
    #[must_use]
    pub fn of(&self, org: &str, member: &str) -> HashSet<String> {
        self.of_member.read().get(&(org.to_owned(), member.to_owned())).cloned().unwrap_or_default()
    }
}

/// The key of a favourite in the store. The parts can't hold a NUL: organisations and references have none, and members are checked.
#[must_use]
pub fn key(org: &str, member: &str, reference: &str) -> String {
    format!("{org}\0{member}\0{reference}")
}

/// The parts of a key.
#[must_use]
pub fn parts(key: &str) -> Option<(&str, &str, &str)> {
    let mut parts = key.split('\0');
    Some((parts.next()?, parts.next()?, parts.next()?))
}
