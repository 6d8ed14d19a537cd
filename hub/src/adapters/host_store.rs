//! `store.get` and `store.set`: a few KiB of an adapter's own, in memory, where its configuration allows it.
//!
//! For what may be lost: a session token, a cursor. It is gone when the hub stops, and outlives a reload.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::bindings::store::Host;
use super::guest::Guest;

/// Names and values together, in bytes (`wit/host.wit`).
const MAX_BYTES: usize = 16 * 1024;
/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// What one adapter keeps.
#[derive(Debug, Default)]
pub struct SmallStore(Mutex<BTreeMap<String, Vec<u8>>>);

impl SmallStore {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().get(name).cloned()
    }

    fn set(&self, name: String, value: Vec<u8>) -> Result<(), String> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(format!("the name must have 1 to {MAX_NAME_BYTES} bytes"));
        }
        let mut kept = self.0.lock();
        let others: usize =
            kept.iter().filter(|(other, _)| **other != name).map(|(other, value)| other.len() + value.len()).sum();
        let total = others.saturating_add(name.len()).saturating_add(value.len());
        if total > MAX_BYTES {
            return Err(format!("{total} bytes in all; at most {MAX_BYTES} are kept"));
        }
        kept.insert(name, value);
        Ok(())
    }
}

impl Host for Guest {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.grants.store.as_ref().and_then(|store| store.get(&name)))
    }

    fn set(&mut self, name: String, value: Vec<u8>) -> wasmtime::Result<Result<(), String>> {
        Ok(match &self.grants.store {
            Some(_) if self.record.reads_only() => Err("a shadow call may only read".to_owned()),
            Some(store) => store.set(name, value),
            None => Err(format!(
                "the configuration gives this adapter no store; add `store = true` to [adapters.{}]",
                self.grants.adapter
            )),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_within_the_bound_of_all() {
        let store = SmallStore::default();
        assert_eq!(store.get("token"), None);
        assert_eq!(store.set("token".to_owned(), vec![1]), Ok(()));
        assert_eq!(store.get("token"), Some(vec![1]));
        assert!(store.set("big".to_owned(), vec![0; MAX_BYTES - 8]).is_err());
        assert_eq!(store.set("token".to_owned(), vec![0; MAX_BYTES - 5]), Ok(()));
        assert!(store.set("x".to_owned(), Vec::new()).is_err());
        assert!(store.set(String::new(), Vec::new()).is_err());
    }
}
