//! The state folder under a running server: whether it is still ours, still there, and still
//! writable.
//!
//! A look asks the disk, and may hang with it: take it where waiting is allowed. It mends what it
//! can: a folder or a lock that is gone is made anew, and locked before anything is written there.

use crate::limits::LEDGER_OCTETS_MAX;
use crate::shared::command::StateLook;
use crate::state::atomic;
use crate::state::ledger_store;
use crate::state::lock::{Claim, Held};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Name of the file by whose writing a look tells whether the disk takes anything.
const SIGN: &str = "alive";

/// A state folder that a running server has.
#[derive(Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
    claim: Arc<Mutex<Claim>>,
    /// What the last save of the ledger has written, or the start has read.
    ledger: Arc<ledger_store::Good>,
    /// The ledger's file was another at the last look: twice in a row it is another hand's.
    was_other: bool,
}

impl StateFolder {
    /// Looks after a folder that is claimed.
    pub(crate) fn new(path: &Path, claim: Arc<Mutex<Claim>>, ledger: Arc<ledger_store::Good>) -> StateFolder {
        StateFolder { path: path.to_owned(), claim, ledger, was_other: false }
    }

    /// Looks once. `epoch_secs` is what the sign says.
    pub(crate) fn look(&mut self, epoch_secs: u64) -> StateLook {
        crate::sys::hooks::hang(&self.path);
        let shown = self.path.display().to_string();
        let held = self.claim.lock().unwrap_or_else(PoisonError::into_inner).hold(&self.path);
        let mut made_anew = None;
        match held {
            Held::Ours => {}
            Held::Anew => made_anew = Some(format!("the state folder `{shown}` was gone, and was made anew")),
            Held::Taken => {
                let fault = format!("another server has taken the state folder `{shown}`: nothing is saved");
                return StateLook { is_taken: true, ..StateLook::trouble(fault) };
            }
            Held::Unknown(error) => {
                let fault = format!("the state folder `{shown}` cannot be claimed: {error}");
                return StateLook::trouble(fault);
            }
        }
        let written = atomic::write(&self.path.join(SIGN), format!("{epoch_secs}\n").as_bytes());
        let mut fault = written.err().map(|error| {
            format!("the state folder `{shown}` cannot be written, so nothing is saved: {}", words(&error))
        });
        match self.ledger_differs() {
            Some(false) if made_anew.is_none() => {
                made_anew = Some("the ledger of overrides was gone from the disk".to_owned());
            }
            Some(true) if std::mem::replace(&mut self.was_other, true) => {
                fault = fault.or_else(|| {
                    Some(format!(
                        "{} was changed by another hand: restart the server to take it over, or put it back",
                        self.path.join(ledger_store::FILE).display()
                    ))
                });
            }
            Some(_) => {}
            None => self.was_other = false,
        }
        StateLook { fault, made_anew, ..StateLook::default() }
    }

    /// Whether the ledger's file is not what was last saved: `Some(false)` if it is gone,
    /// `Some(true)` if it is another.
    fn ledger_differs(&self) -> Option<bool> {
        let good = self.ledger.load_full()?;
        match atomic::read(&self.path.join(ledger_store::FILE), LEDGER_OCTETS_MAX) {
            Ok(None) => Some(false),
            Ok(Some(there)) if there == *good => None,
            Ok(Some(_)) => Some(true),
            // A file that cannot be read is told by the save that meets it.
            Err(_) => None,
        }
    }
}

/// A fault of the disk, in words that say what to do.
fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "its disk is full".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "its disk is read-only".to_owned(),
        io::ErrorKind::PermissionDenied => "the permission is missing".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
