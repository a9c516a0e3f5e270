//! The claim of a server to its state folder: two that write one ledger would undo each other's
//! overrides.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Name of the file whose lock is the claim. It stays when the server is gone; its lock does not.
const FILE: &str = "lock";

/// A state folder that is ours until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Claim {
    /// `None` where the folder cannot be written or its file system knows no locks: nothing can be
    /// claimed there.
    file: Option<File>,
}

/// How a claim stands.
#[derive(Debug)]
pub(crate) enum Held {
    /// As it was.
    Ours,
    /// Folder or lock were gone; both were made anew, and are ours.
    Anew,
    /// Another server has the folder that stands there now.
    Taken,
    /// Nothing can be claimed there now.
    Unknown(io::Error),
}

/// Another server has the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken;

impl Claim {
    /// Claims a folder, which is made if it is missing. Folder and file are for our user alone:
    /// whoever may open the file could lock it, and keep us from starting.
    pub(crate) fn new(state: &Path) -> Result<Claim, Taken> {
        match open(state) {
            Ok(file) => Claim::lock(file),
            Err(error) => Ok(Claim::none(state, &error)),
        }
    }

    /// Sees whether the claim still holds on what stands at the path now, and claims that anew if
    /// it does not. The lock that is held is let go of only for another.
    pub(crate) fn hold(&mut self, state: &Path) -> Held {
        if let Some(file) = &self.file
            && is_at(file, &state.join(FILE))
        {
            return Held::Ours;
        }
        let file = match open(state) {
            Ok(file) => file,
            Err(error) => return Held::Unknown(error),
        };
        match file.try_lock() {
            Ok(()) => match self.file.replace(file) {
                Some(_) => Held::Anew,
                // Nothing could be claimed before; now it is.
                None => Held::Ours,
            },
            Err(TryLockError::WouldBlock) => Held::Taken,
            // A file system without locks, as at the start.
            Err(TryLockError::Error(_)) if self.file.is_none() => Held::Ours,
            Err(TryLockError::Error(error)) => Held::Unknown(error),
        }
    }

    /// Whether somebody else has the folder, without leaving anything behind.
    pub(crate) fn is_taken(state: &Path) -> bool {
        File::open(state.join(FILE)).is_ok_and(|file| Claim::lock(file).is_err())
    }

    fn lock(file: File) -> Result<Claim, Taken> {
        match file.try_lock() {
            Ok(()) => Ok(Claim { file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(Taken),
            Err(TryLockError::Error(error)) => Ok(Claim::none(Path::new(FILE), &error)),
        }
    }

    fn none(path: &Path, error: &io::Error) -> Claim {
        tracing::warn!(%error, path = %path.display(),
            "the state folder is not claimed: a second server on it would not be noticed");
        Claim { file: None }
    }
}

/// Opens the lock of a folder, which is made if it is missing.
fn open(state: &Path) -> io::Result<File> {
    let (mut folder, mut options) = (DirBuilder::new(), OpenOptions::new());
    folder.recursive(true);
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o750);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // A pipe in its place waits for nobody.
        let flags = crate::sys::NO_WAIT | crate::sys::NO_LINK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    folder.create(state)?;
    options.open(state.join(FILE))
}

/// Whether a path leads to an open file.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |of: std::fs::Metadata| (of.dev(), of.ino());
        match (file.metadata(), std::fs::metadata(path)) {
            (Ok(ours), Ok(there)) => identity(ours) == identity(there),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

#[cfg(test)]
mod tests;
