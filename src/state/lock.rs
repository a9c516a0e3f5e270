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
    _file: Option<File>,
}

/// Another server has the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken;

impl Claim {
    /// Claims a folder, which is made if it is missing. Folder and file are for our user alone:
    /// whoever may open the file could lock it, and keep us from starting.
    pub(crate) fn new(state: &Path) -> Result<Claim, Taken> {
        let (mut folder, mut options) = (DirBuilder::new(), OpenOptions::new());
        folder.recursive(true);
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o750);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        match folder.create(state).and_then(|()| options.open(state.join(FILE))) {
            Ok(file) => Claim::lock(file),
            Err(error) => Ok(Claim::none(state, &error)),
        }
    }

    /// Whether somebody else has the folder, without leaving anything behind.
    pub(crate) fn is_taken(state: &Path) -> bool {
        File::open(state.join(FILE)).is_ok_and(|file| Claim::lock(file).is_err())
    }

    fn lock(file: File) -> Result<Claim, Taken> {
        match file.try_lock() {
            Ok(()) => Ok(Claim { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(Taken),
            Err(TryLockError::Error(error)) => Ok(Claim::none(Path::new(FILE), &error)),
        }
    }

    fn none(path: &Path, error: &io::Error) -> Claim {
        tracing::warn!(%error, path = %path.display(),
            "the state folder is not claimed: a second server on it would not be noticed");
        Claim { _file: None }
    }
}

#[cfg(test)]
mod tests;
