//! The files of a component, looked at from outside: whether they have changed, and what is in them.
//!
//! Times and sizes say cheaply that something may have changed; digests say whether it has.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::config::Digest;
use super::loading;
use super::signature::Signature;

/// How two files look without being read. Equal ones are taken for unchanged: the time of the last change of the inode
/// can't be set back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    component: Option<[i128; 5]>,
    signature: Option<[i128; 5]>,
}

/// What is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// SHA-256 of the component.
    pub component: Digest,
    /// SHA-256 of the signature that lies beside it.
    pub signature: Option<Digest>,
}

impl Stamp {
    /// Looks at a component and its signature. Blocks.
    #[must_use]
    pub fn of(component: &Path) -> Self {
        let look = |path: &Path| std::fs::metadata(path).ok().map(|file| marks(&file));
        Self { component: look(component), signature: look(&Signature::beside(component)) }
    }
}

fn marks(file: &Metadata) -> [i128; 5] {
    const SECOND: i128 = 1_000_000_000;
    let changed = i128::from(file.ctime()) * SECOND + i128::from(file.ctime_nsec());
    let written = i128::from(file.mtime()) * SECOND + i128::from(file.mtime_nsec());
    [i128::from(file.dev()), i128::from(file.ino()), i128::from(file.len()), changed, written]
}

impl Contents {
    /// Reads a component and its signature; nothing where there is no component. Blocks.
    #[must_use]
    pub fn of(component: &Path) -> Option<Self> {
        let bytes = loading::read(component).ok()?;
        let signature = loading::read(&Signature::beside(component)).ok();
        Some(Self { component: Digest::of(&bytes), signature: signature.map(|bytes| Digest::of(&bytes)) })
    }
}
