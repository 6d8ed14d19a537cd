//! Opening a journal: lock, key, verification, the one kind of damage that may be cut off, and what the
//! operator is told about it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::anchor;
use super::claims::ClaimsKey;
use super::entry::Head;
use super::error::{Broken, OpenError};
use super::flusher::FlushObserver;
use super::removal::{Removed, remove_behind};
use super::reserve::Reserve;
use super::segment::Segment;
use super::survey::{Damage, Survey, survey};

/// How a file journal is opened.
#[derive(Clone)]
pub struct Options {
    /// The journal's own folder, made where it is missing.
    pub path: PathBuf,
    /// A segment that would grow beyond so many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// The free space that is left alone.
    pub reserve: Reserve,
    /// Told of every flush.
    pub observer: Option<Arc<dyn FlushObserver>>,
}

impl Options {
    /// The defaults: segments of 64 MiB, a reserve of 5 % and at least 8 MiB, nobody observing.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), segment_bytes: 64 << 20, reserve: Reserve::default(), observer: None }
    }
}

/// What was found on opening.
#[derive(Debug, Clone)]
pub struct OpenReport {
    /// Entries, all verified.
    pub entries: u64,
    /// Segments.
    pub segments: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// The newest entry.
    pub head: Head,
    /// Whether the file `head` said how far entries were answered. Where it did not, whole entries that were cut off the
    /// end don't show.
    pub end_known: bool,
    /// What had to be cut off.
    pub cut: Option<Cut>,
    /// How long all this took.
    pub took: Duration,
}

/// The end of a flush that never ended, cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The first damage.
    pub broken: Broken,
    /// The first entry that is gone.
    pub from: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
    /// The file in the journal's folder that has them now.
    pub kept: Option<String>,
}

/// A folder that is locked, and verified.
pub(super) struct Opened {
    pub lock: Lock,
    pub key: ClaimsKey,
    pub survey: Survey,
    pub end_known: bool,
    pub cut: Option<Cut>,
    pub took: Duration,
}

/// Does all of it but start the threads.
pub(super) fn open_folder(dir: &Path) -> Result<Opened, OpenError> {
    let began = Instant::now();
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(OpenError::io(dir))?;
    let lock = lock(dir)?;
    let mut survey = look(dir)?;
    let end_known = survey.end_known;
    let key = open_key(dir, &survey)?;
    let mut cut = None;
    if let Some(damage) = survey.damage.take() {
        cut = Some(cut_off(dir, &survey.segments, damage)?);
        survey = look(dir)?;
        if let Some(Damage { broken, boundary, .. }) = survey.damage {
            return Err(OpenError::Damaged { broken, cut_at: boundary.seq });
        }
    }
    Ok(Opened { lock, key, survey, end_known, cut, took: began.elapsed() })
}

/// Verifies the whole journal in `dir`.
pub(super) fn look(dir: &Path) -> Result<Survey, OpenError> {
    let anchor = anchor::read(dir).map_err(OpenError::io(dir))?;
    let segments = Segment::list(dir).map_err(OpenError::io(dir))?;
    survey(segments, anchor, &mut |_| {}).map_err(OpenError::io(dir))
}

fn open_key(dir: &Path, survey: &Survey) -> Result<ClaimsKey, OpenError> {
    let fresh = survey.segments.is_empty() || survey.bytes == 0;
    let key = ClaimsKey::open(dir, fresh)?;
    match anchor::read(dir).map_err(OpenError::io(dir))? {
        Some(anchor) if anchor.claims_key != key.fingerprint() => Err(ClaimsKey::foreign(dir)),
        _ => Ok(key),
    }
}

fn cut_off(dir: &Path, segments: &[Segment], damage: Damage) -> Result<Cut, OpenError> {
    let Damage { broken, boundary, unfinished } = damage;
    if !unfinished {
        return Err(OpenError::Damaged { broken, cut_at: boundary.seq });
    }
    let Removed { bytes, kept } = remove_behind(dir, segments, boundary).map_err(OpenError::io(dir))?;
    let cut = Cut { broken, from: boundary.seq, bytes, kept };
    let Broken { segment, offset, fault, .. } = &cut.broken;
    let (from, kept) = (cut.from, cut.kept.as_deref().unwrap_or_default());
    tracing::warn!(segment, offset, %fault, from, bytes, kept, "cut off an unfinished flush");
    Ok(cut)
}

/// The folder is this process's while this lives.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would leave it to a child that is just being started, until that has executed its program.
        self.0.unlock().unwrap_or_default();
    }
}

/// Takes the folder for this process.
pub(super) fn lock(dir: &Path) -> Result<Lock, OpenError> {
    let path = dir.join("lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&path).map_err(OpenError::io(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(held(dir, &mut file)),
        Err(TryLockError::Error(error)) => return Err(OpenError::io(path)(error)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(OpenError::io(path))?;
    Ok(Lock(file))
}

/// The process that holds the journal in `dir`, as it wrote itself down; `None` where nobody does, or nothing is there.
///
/// # Errors
/// The file can't be read.
pub fn holder(dir: &Path) -> Result<Option<String>, OpenError> {
    let path = dir.join("lock");
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::io(path)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(written(&mut file))),
        Err(TryLockError::Error(error)) => Err(OpenError::io(path)(error)),
    }
}

/// The process id in a lock's file.
fn written(file: &mut File) -> String {
    let mut pid = String::new();
    match file.take(32).read_to_string(&mut pid) {
        Ok(_) if !pid.trim().is_empty() => pid.trim().to_owned(),
        _ => "(unknown)".to_owned(),
    }
}

fn held(dir: &Path, file: &mut File) -> OpenError {
    let pid = written(file);
    let path = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    OpenError::Held { path, pid }
}
