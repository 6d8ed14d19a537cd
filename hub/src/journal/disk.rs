//! The few things that the flusher asks of the file system, behind a trait, so that a disk can fail on purpose.
//!
//! A `SegmentFile` on which anything has failed is dropped and never written to again: after a failed
//! `fdatasync` the kernel may have forgotten the pages, and a second one would report success for nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::faults;

/// Room on the file system, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// In all.
    pub total: u64,
    /// What this process may still use.
    pub free: u64,
}

/// A segment that is being written to.
pub(super) trait SegmentFile: Send {
    /// Appends all bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// `fdatasync`.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file off behind `len` bytes.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

/// A file system.
pub(super) trait Disk: Send + Sync {
    /// Makes the file, 0600, or opens it where it is there; to append to.
    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;
    /// Makes a new file's name durable.
    fn sync_folder(&self, dir: &Path) -> io::Result<()>;
    /// The room that is left.
    fn space(&self, dir: &Path) -> io::Result<Space>;
}

/// The one of the operating system.
pub(super) struct OsDisk;

impl Disk for OsDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(OpenOptions::new().create(true).append(true).mode(0o600).open(path)?))
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        space(dir)
    }
}

/// The room on the file system that `dir` is on.
///
/// # Errors
/// The file system doesn't say.
pub fn space(dir: &Path) -> io::Result<Space> {
    let found = rustix::fs::statvfs(dir)?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    let free = if faults::strike("disk", "space").is_err() { 0 } else { bytes(found.f_bavail) };
    Ok(Space { total: bytes(found.f_blocks), free })
}

impl SegmentFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.sync_all()
    }
}
