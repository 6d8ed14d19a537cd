//! A disk that fails, fills up or waits on purpose.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use parking_lot::Mutex;

use super::super::disk::{Disk, OsDisk, SegmentFile, Space};

#[derive(Default)]
pub struct Plan {
    /// The next write stores so many bytes and fails.
    pub short_write: Option<usize>,
    /// The next `fdatasync` fails.
    pub fail_sync: bool,
    /// Every opening fails.
    pub fail_open: bool,
    /// What is said to be free of 1,000 MiB.
    pub free: Option<u64>,
    /// Each `fdatasync` waits for a message.
    pub gate: Option<Receiver<()>>,
    /// Bytes of each durable flush.
    pub flushes: Vec<usize>,
}

#[derive(Clone, Default)]
pub struct PlannedDisk(pub Arc<Mutex<Plan>>);

struct PlannedFile {
    file: Box<dyn SegmentFile>,
    plan: Arc<Mutex<Plan>>,
    pending: usize,
    broken: bool,
}

impl Disk for PlannedDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        if self.0.lock().fail_open {
            return Err(io::Error::other("planned"));
        }
        let file = OsDisk.open(path)?;
        Ok(Box::new(PlannedFile { file, plan: self.0.clone(), pending: 0, broken: false }))
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        OsDisk.sync_folder(dir)
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        match self.0.lock().free {
            Some(free) => Ok(Space { total: 1000 << 20, free }),
            None => OsDisk.space(dir),
        }
    }
}

impl SegmentFile for PlannedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        assert!(!self.broken, "a file that had failed was written to");
        if let Some(short) = self.plan.lock().short_write.take() {
            self.broken = true;
            self.file.append(&bytes[..short.min(bytes.len())])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.pending += bytes.len();
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        assert!(!self.broken, "a file that had failed was synced");
        let gate = self.plan.lock().gate.clone();
        if let Some(gate) = gate.filter(|_| self.pending > 0) {
            gate.recv().unwrap();
        }
        let mut plan = self.plan.lock();
        if std::mem::take(&mut plan.fail_sync) {
            self.broken = true;
            return Err(io::Error::other("planned"));
        }
        if self.pending > 0 {
            plan.flushes.push(std::mem::take(&mut self.pending));
        }
        self.file.sync()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file.cut(len)
    }
}
