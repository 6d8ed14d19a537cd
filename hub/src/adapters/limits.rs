//! What one call may allocate: memory, tables and instances, each summed over the whole store.
//!
//! Set before the component is instantiated, since its first pages are allocated then, and never changed.

use wasmtime::{Error, ResourceLimiter};

/// The bounds of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of all linear memories together.
    pub memory_bytes: usize,
    /// Elements of all tables together.
    pub table_elements: usize,
    /// Core instances, memories and tables, each.
    pub items: usize,
}

/// What was asked for beyond the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// More memory than this many bytes.
    Memory(usize),
    /// More table elements than this.
    Table(usize),
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "it asked for more than its {} MiB of memory", bytes >> 20),
            Self::Table(elements) => write!(f, "it asked for more than its {elements} table elements"),
        }
    }
}

/// Counts what one store has.
#[derive(Debug)]
pub struct Limits {
    bounds: Bounds,
    memory_bytes: usize,
    table_elements: usize,
    last_growth: Growth,
    denied: Option<Denied>,
}

#[derive(Clone, Copy, Debug)]
enum Growth {
    None,
    Memory(usize),
    Table(usize),
}

impl Limits {
    /// Nothing allocated yet.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, memory_bytes: 0, table_elements: 0, last_growth: Growth::None, denied: None }
    }

    /// What it has of memory, in bytes: no memory ever shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// What was refused last, if anything: the likely cause of a trap that follows.
    pub fn denied(&self) -> Option<Denied> {
        self.denied
    }

    /// A growth that was granted did not happen: it is not counted.
    fn take_back(&mut self) {
        match std::mem::replace(&mut self.last_growth, Growth::None) {
            Growth::Memory(bytes) => self.memory_bytes = self.memory_bytes.saturating_sub(bytes),
            Growth::Table(elements) => self.table_elements = self.table_elements.saturating_sub(elements),
            Growth::None => {}
        }
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let total = self.memory_bytes.saturating_add(growth);
        if total > self.bounds.memory_bytes {
            self.denied = Some(Denied::Memory(self.bounds.memory_bytes));
            return Ok(false);
        }
        self.memory_bytes = total;
        self.last_growth = Growth::Memory(growth);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let total = self.table_elements.saturating_add(growth);
        if total > self.bounds.table_elements {
            self.denied = Some(Denied::Table(self.bounds.table_elements));
            return Ok(false);
        }
        self.table_elements = total;
        self.last_growth = Growth::Table(growth);
        Ok(true)
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
        Limits::new(Bounds { memory_bytes: 10 * PAGE, table_elements: 100, items: 8 })
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
