//! Claim of a server to its state folder: two servers with one ledger would undo each other's
//! overrides.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Name of the lock file. The file stays after the server's end; the lock does not.
const FILE: &str = "lock";

/// Claim to a state folder, until this is dropped or the process ends in any way.
#[derive(Debug)]
pub(crate) struct Claim {
    /// `None` if the folder cannot be written, or if its file system has no locks: then there is no
    /// claim.
    file: Option<File>,
}

/// State of a claim.
#[derive(Debug)]
pub(crate) enum Held {
    /// Unchanged.
    Ours,
    /// Folder or lock file was missing; both were created and claimed again.
    Anew,
    /// Another server has claimed the folder that is at the path now.
    Taken,
    /// The folder that is at the path now cannot be claimed.
    Unknown(io::Error),
}

/// Another server has the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken;

impl Claim {
    /// Claims a folder, and creates it if it is missing. Only the server's user may open folder and
    /// file: any process that can open the file could lock it and prevent a start.
    pub(crate) fn new(state: &Path) -> Result<Claim, Taken> {
        match open(state) {
            Ok(file) => Claim::lock(file),
            Err(error) => Ok(Claim::none(state, &error)),
        }
    }

    /// Checks that the claim is for the folder at the path now, and claims that one if it is not.
    /// The old lock is released only for a new one.
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
                // No claim was possible before; now there is one.
                None => Held::Ours,
            },
            Err(TryLockError::WouldBlock) => Held::Taken,
            // The file system has no locks, as at the start.
            Err(TryLockError::Error(_)) if self.file.is_none() => Held::Ours,
            Err(TryLockError::Error(error)) => Held::Unknown(error),
        }
    }

    /// True if another server has the folder. Creates nothing.
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

/// Opens the lock file of a folder, and creates both if they are missing.
fn open(state: &Path) -> io::Result<File> {
    let (mut folder, mut options) = (DirBuilder::new(), OpenOptions::new());
    folder.recursive(true);
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o750);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Does not wait on a pipe in its place.
        let flags = crate::sys::NO_WAIT | crate::sys::NO_LINK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    folder.create(state)?;
    options.open(state.join(FILE))
}

/// True if a path leads to an open file.
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
