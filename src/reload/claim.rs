//! The claim of a server to its state folder: two that write one ledger would undo each other's overrides.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// Name of the file whose lock is the claim. It stays when the server is gone; its lock does not.
const FILE: &str = "lock";

/// A state folder that is ours until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct Claim {
    /// `None` where the folder cannot be written or its file system knows no locks: nothing can be claimed
    /// there, and what else follows from it is told elsewhere.
    _file: Option<File>,
}

/// Another server has the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken;

impl Claim {
    /// Claims a folder, which is made if it is missing.
    pub fn new(state: &Path) -> Result<Claim, Taken> {
        match fs::create_dir_all(state).and_then(|()| File::create(state.join(FILE))) {
            Ok(file) => match file.try_lock() {
                Ok(()) => Ok(Claim { _file: Some(file) }),
                Err(TryLockError::WouldBlock) => Err(Taken),
                Err(TryLockError::Error(error)) => Ok(Claim::none(&error)),
            },
            Err(error) => Ok(Claim::none(&error)),
        }
    }

    fn none(error: &io::Error) -> Claim {
        tracing::debug!(%error, "the state folder cannot be claimed");
        Claim { _file: None }
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Taken};

    /// One at a time; free again once it is dropped; a folder that cannot be made is nobody's.
    #[test]
    fn a_folder_has_one_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let first = Claim::new(&state).expect("free");
        assert_eq!(Claim::new(&state).err(), Some(Taken));
        drop(first);
        assert!(Claim::new(&state).is_ok_and(|claim| claim._file.is_some()));
        std::fs::write(folder.path().join("file"), "").expect("room");
        assert!(Claim::new(&folder.path().join("file/state")).is_ok_and(|claim| claim._file.is_none()));
    }
}
