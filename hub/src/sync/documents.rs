//! The contents of KYC documents: files named by their digest, whole or not at all.
//!
//! A content is written beside the others first and gets its name when the command that hands it in has been decided,
//! before the entry that names it. What is refused, or breaks off, leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

/// The folder of the contents that have no name yet.
const INCOMING: &str = "incoming";

/// The folder of the contents. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Documents(Arc<Path>);

impl Documents {
    /// Opens the folder, which is made where it is missing, and removes what a hub that died was writing.
    ///
    /// # Errors
    /// The folder can't be used.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let incoming = folder.join(INCOMING);
        private_folder(&incoming)?;
        for left in fs::read_dir(incoming)? {
            fs::remove_file(left?.path())?;
        }
        Ok(Self(folder.into()))
    }

    /// Writes a content, without its name yet.
    ///
    /// # Errors
    /// The disk does not take it.
    pub async fn stage(&self, digest: &str, content: Bytes) -> io::Result<Staged> {
        let beside = self.0.join(INCOMING).join(Uuid::now_v7().to_string());
        let staged = Staged { beside, path: self.0.join(digest) };
        blocking(move || {
            if !staged.path.exists() {
                write(&staged.beside, &content)?;
            }
            Ok(staged)
        })
        .await
    }

    /// The content with this digest.
    ///
    /// # Errors
    /// It is not there, or can't be read.
    pub async fn read(&self, digest: &str) -> io::Result<Vec<u8>> {
        tokio::fs::read(self.0.join(digest)).await
    }
}

/// A content that is written; without a name it is removed when this is dropped.
#[derive(Debug)]
pub struct Staged {
    beside: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Gives the content its name, durably. The same content twice is one file, and naming it again changes nothing.
    ///
    /// # Errors
    /// The disk does not take it.
    pub async fn keep(&self) -> io::Result<()> {
        let (beside, path) = (self.beside.clone(), self.path.clone());
        blocking(move || {
            match fs::rename(beside, &path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => {}
                named => named?,
            }
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        })
        .await
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It is gone where it has its name; what can't be removed is removed at the next start.
        let _ = fs::remove_file(&self.beside);
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the writing of a document was broken off")))
}
