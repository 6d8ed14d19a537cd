//! The decision log's files: JSON Lines, named by their number, 0600, bounded in their total size. The oldest goes first.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A segment is this part of what is kept …
const PARTS: u64 = 16;
/// … and at most so large.
const LARGEST: u64 = 16 << 20;
const ENDING: &str = ".jsonl";

/// A segment that is there.
struct Segment {
    number: u64,
    bytes: u64,
}

/// All segments, the newest of them open.
pub(super) struct Segments {
    folder: PathBuf,
    keep: u64,
    all: VecDeque<Segment>,
    out: Option<BufWriter<File>>,
}

impl Segments {
    /// The segments in `folder`, which may take `keep` bytes together.
    pub(super) fn open(folder: &Path, keep: u64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut all = VecDeque::new();
        for path in files(folder)? {
            let Some(number) = number(&path) else { continue };
            all.push_back(Segment { number, bytes: fs::metadata(&path)?.len() });
        }
        let mut segments = Self { folder: folder.to_owned(), keep, all, out: None };
        segments.reopen()?;
        Ok(segments)
    }

    /// Writes one line, which ends with a newline.
    ///
    /// # Errors
    /// It is not written; the next one is tried in a file of its own.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.try_write(line);
        if written.is_err() {
            self.out = None;
        }
        written
    }

    fn try_write(&mut self, line: &[u8]) -> io::Result<()> {
        let bytes = line.len() as u64;
        let full = self.all.back().is_some_and(|newest| newest.bytes > 0 && newest.bytes + bytes > self.largest());
        if full || self.out.is_none() {
            self.flush()?;
            self.next()?;
        }
        if let (Some(out), Some(newest)) = (&mut self.out, self.all.back_mut()) {
            out.write_all(line)?;
            newest.bytes += bytes;
        }
        Ok(())
    }

    /// Hands what was written to the file system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.as_mut().map_or(Ok(()), BufWriter::flush);
        if flushed.is_err() {
            self.out = None;
        }
        flushed
    }

    fn largest(&self) -> u64 {
        (self.keep / PARTS).clamp(1, LARGEST)
    }

    /// Goes on with the newest segment. A line that a crash has left unfinished is ended there.
    fn reopen(&mut self) -> io::Result<()> {
        let Some(newest) = self.all.back_mut() else { return self.next() };
        let path = path(&self.folder, newest.number);
        let mut file = OpenOptions::new().read(true).append(true).open(path)?;
        let mut last = [b'\n'];
        if newest.bytes > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if last != *b"\n" {
            file.write_all(b"\n")?;
            newest.bytes += 1;
        }
        self.out = Some(BufWriter::new(file));
        Ok(())
    }

    fn next(&mut self) -> io::Result<()> {
        self.make_room()?;
        let number = self.all.back().map_or(1, |newest| newest.number + 1);
        let new = OpenOptions::new().create_new(true).append(true).mode(0o600).open(path(&self.folder, number))?;
        self.all.push_back(Segment { number, bytes: 0 });
        self.out = Some(BufWriter::new(new));
        Ok(())
    }

    /// Removes the oldest until another whole segment fits.
    fn make_room(&mut self) -> io::Result<()> {
        let mut total: u64 = self.all.iter().map(|segment| segment.bytes).sum();
        while total + self.largest() > self.keep {
            let Some(oldest) = self.all.front() else { return Ok(()) };
            match fs::remove_file(path(&self.folder, oldest.number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => total -= oldest.bytes,
            }
            self.all.pop_front();
        }
        Ok(())
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}{ENDING}"))
}

fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(ENDING)?.parse().ok()
}

/// The segments in a folder, oldest first.
///
/// # Errors
/// The folder can't be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let mut files: Vec<PathBuf> =
        entries.iter().map(fs::DirEntry::path).filter(|path| number(path).is_some()).collect();
    files.sort_unstable_by_key(|path| number(path));
    Ok(files)
}
