//! The free space below which the journal takes no more changes.
//!
//! A full disk is met early and politely: what is left is for the state and for the operator. It is looked at
//! again all the time, so the journal recovers by itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::disk::{Disk, Space};

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Or earlier, when so many bytes have been written.
const LOOK_AFTER_BYTES: usize = 1 << 20;

/// How much of the file system stays free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// Of the whole file system, in per cent.
    pub percent: u8,
    /// At least so many bytes.
    pub at_least: u64,
}

impl Default for Reserve {
    fn default() -> Self {
        Self { percent: 5, at_least: 8 << 20 }
    }
}

impl Reserve {
    fn spared(self, space: Space) -> bool {
        let share = space.total / 100 * u64::from(self.percent);
        space.free >= share.max(self.at_least)
    }
}

/// Watches the room that is left.
pub(super) struct Room {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    reserve: Reserve,
    looked: Option<Instant>,
    written: usize,
    enough: bool,
}

impl Room {
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf, reserve: Reserve) -> Self {
        Self { disk, dir, reserve, looked: None, written: 0, enough: true }
    }

    /// Whether so many more bytes may be written.
    pub fn admits(&mut self, bytes: usize) -> bool {
        self.written += bytes;
        let due = self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY);
        if due || self.written >= LOOK_AFTER_BYTES {
            self.look();
        }
        self.enough
    }

    fn look(&mut self) {
        self.looked = Some(Instant::now());
        self.written = 0;
        // Where the file system doesn't say, the write itself will.
        let Ok(space) = self.disk.space(&self.dir) else { return };
        let enough = self.reserve.spared(space);
        if enough != self.enough {
            let Space { total, free } = space;
            if enough {
                tracing::info!(total, free, "the journal has room again");
            } else {
                tracing::error!(total, free, "the journal refuses changes: too little free space");
            }
        }
        self.enough = enough;
    }
}
