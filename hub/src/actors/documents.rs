//! The contents of documents: files named by their digest, written whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use uuid::Uuid;

/// Keeps a content under its path. The same content twice is one file.
///
/// # Errors
/// The disk does not take it.
pub async fn keep(path: PathBuf, content: Bytes) -> io::Result<()> {
    let write = tokio::task::spawn_blocking(move || write(&path, &content));
    write.await.unwrap_or_else(|_| Err(io::Error::other("the writing of a document was broken off")))
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let beside = path.with_extension(Uuid::now_v7().to_string());
    let written = private(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    let named = written.and_then(|()| std::fs::rename(&beside, path));
    if named.is_err() {
        // What is left of a failed write is of no use, and its removal may fail for the same reason.
        let _ = std::fs::remove_file(&beside);
    }
    named
}

fn private(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
