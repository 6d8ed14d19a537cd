//! JSON objects at rest: kept as text, a tenth of the size of their parsed form, and parsed where they are looked into.

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Stored(Option<Box<RawValue>>);

impl Stored {
    /// Keeps an object.
    pub fn keep(object: &impl Serialize) -> Self {
        // JSON that was parsed or made here can always be written out again.
        Stored(to_raw_value(object).ok())
    }

    /// The object, parsed.
    pub fn load(&self) -> Map<String, Value> {
        let text = self.0.as_deref().map_or("{}", RawValue::get);
        serde_json::from_str(text).unwrap_or_default()
    }
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A state written out at once, without a parsed copy of it in between.
pub(crate) type Snapshot = Option<Box<RawValue>>;

/// Writes a state out.
pub(crate) fn snapshot(state: &impl Serialize) -> Snapshot {
    to_raw_value(state).ok()
}

/// A list that is made while it is written out.
pub(crate) struct Each<F>(pub F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
