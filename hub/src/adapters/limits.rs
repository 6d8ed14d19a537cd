//! What one call may allocate: memory with tables, and instances, each summed over the whole store.
//!
//! Tables are outside of a component's memories, and would be a second memory without a limit were they not counted
//! with them. Set before the component is instantiated, since its first pages are allocated then, and never changed.

use std::sync::Arc;

use wasmtime::component::ResourceTableError;
use wasmtime::{Error, ResourceLimiter};

use super::call_record::CallRecord;

/// What an element of a table takes: a pointer.
const ELEMENT_BYTES: usize = size_of::<usize>();

/// The bounds of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of all linear memories and tables together.
    pub memory_bytes: usize,
    /// Core instances, memories and tables, each.
    pub items: usize,
}

/// What was asked for beyond the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// More memory than this many bytes.
    Memory(usize),
    /// More table elements than fit into this many bytes beside its memories, or into the table.
    Table(usize),
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory(bytes) => {
                write!(f, "it asked for more than its {} MiB of memory; `memory_mib` sets them", bytes >> 20)
            }
            Self::Table(bytes) => {
                write!(f, "it asked for a larger table than it may have within its {} MiB of memory", bytes >> 20)
            }
        }
    }
}

/// Counts what one store has.
#[derive(Debug)]
pub struct Limits {
    bounds: Bounds,
    /// Told of each growth: a call that is ended from outside has no end of its own.
    record: Arc<CallRecord>,
    bytes: usize,
    last_growth: usize,
    denied: Option<Denied>,
}

/// Whether an error says that the host keeps no more objects for a call: streams, timers and others behind WASI.
pub fn is_limit(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(ResourceTableError::Full))
}

impl Limits {
    /// Nothing allocated yet.
    pub fn new(bounds: Bounds, record: Arc<CallRecord>) -> Self {
        Self { bounds, record, bytes: 0, last_growth: 0, denied: None }
    }

    /// What was refused last, if anything: the likely cause of a trap that follows.
    pub fn denied(&self) -> Option<Denied> {
        self.denied
    }

    /// A growth that was granted did not happen: it is not counted.
    fn take_back(&mut self) {
        self.bytes = self.bytes.saturating_sub(std::mem::take(&mut self.last_growth));
    }

    fn grant(&mut self, bytes: usize) -> bool {
        let total = self.bytes.saturating_add(bytes);
        let granted = total <= self.bounds.memory_bytes;
        if granted {
            self.bytes = total;
            self.last_growth = bytes;
            self.record.grown_to(total);
        }
        granted
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let granted = self.grant(desired.saturating_sub(current));
        if !granted {
            self.denied = Some(Denied::Memory(self.bounds.memory_bytes));
        }
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, _: Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        let fits = most.is_none_or(|most| desired <= most);
        let granted = fits && self.grant(desired.saturating_sub(current).saturating_mul(ELEMENT_BYTES));
        if !granted {
            self.denied = Some(Denied::Table(self.bounds.memory_bytes));
        }
        Ok(granted)
    }

    fn table_grow_failed(&mut self, _: Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.bounds.items
    }

    fn tables(&self) -> usize {
        self.bounds.items
    }

    fn memories(&self) -> usize {
        self.bounds.items
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: usize = 64 * 1024;

    fn limits() -> Limits {
        Limits::new(Bounds { memory_bytes: 10 * PAGE, items: 8 }, Arc::default())
    }

    #[test]
    fn two_memories_share_one_bound() {
        let mut limits = limits();
        assert!(limits.memory_growing(0, 6 * PAGE, None).unwrap());
        assert!(!limits.memory_growing(0, 6 * PAGE, None).unwrap());
        assert_eq!(limits.denied(), Some(Denied::Memory(10 * PAGE)));
        assert!(limits.memory_growing(0, 4 * PAGE, None).unwrap());
        assert!(!limits.memory_growing(6 * PAGE, 7 * PAGE, None).unwrap());
    }

    #[test]
    fn tables_share_it_too() {
        let mut limits = limits();
        assert!(limits.memory_growing(0, 9 * PAGE, None).unwrap());
        assert!(limits.table_growing(0, PAGE / ELEMENT_BYTES, None).unwrap());
        assert!(!limits.table_growing(0, 1, None).unwrap());
        assert_eq!(limits.denied(), Some(Denied::Table(10 * PAGE)));
        assert!(!super::Limits::new(limits.bounds, Arc::default()).table_growing(0, 11, Some(10)).unwrap());
    }

    #[test]
    fn a_growth_that_failed_is_not_counted() {
        let mut limits = limits();
        assert!(limits.memory_growing(0, 10 * PAGE, None).unwrap());
        limits.memory_grow_failed(Error::msg("no memory")).unwrap();
        assert!(limits.memory_growing(0, 10 * PAGE, None).unwrap());
    }

    proptest! {
        #[test]
        fn the_sum_never_passes_the_bound(steps in proptest::collection::vec((0usize..3, 0usize..8), 0..40)) {
            let mut limits = limits();
            let mut sizes = [0usize; 3];
            for (memory, pages) in steps {
                let desired = sizes[memory] + pages * PAGE;
                if limits.memory_growing(sizes[memory], desired, None).unwrap() {
                    sizes[memory] = desired;
                }
                prop_assert!(sizes.iter().sum::<usize>() <= 10 * PAGE);
            }
        }
    }
}
