//! Check of the state folder while the server runs: is it still claimed, present and writable?
//!
//! A check asks the disk and may hang with it, so run it where blocking is allowed. A check also
//! repairs: it creates a missing folder or lock again, and takes the lock before anything is
//! written there.

use crate::limits::LEDGER_OCTETS_MAX;
use crate::shared::command::StateLook;
use crate::state::atomic;
use crate::state::ledger_store;
use crate::state::lock::{Claim, Held};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Name of the file that each check writes, to see if the disk accepts writes.
const SIGN: &str = "alive";

/// State folder of a running server.
#[derive(Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
    claim: Arc<Mutex<Claim>>,
    /// Content of the ledger file after the last save, or as the start read it.
    ledger: Arc<ledger_store::Good>,
    /// True if the last check found another content in the ledger file; the second in a row is
    /// reported.
    was_other: bool,
}

impl StateFolder {
    /// Starts the checks of a claimed folder.
    pub(crate) fn new(path: &Path, claim: Arc<Mutex<Claim>>, ledger: Arc<ledger_store::Good>) -> StateFolder {
        StateFolder { path: path.to_owned(), claim, ledger, was_other: false }
    }

    /// Checks the folder once. `epoch_secs` is written to the `alive` file.
    pub(crate) fn look(&mut self, epoch_secs: u64) -> StateLook {
        crate::sys::hooks::hang(&self.path);
        let shown = self.path.display().to_string();
        let held = self.claim.lock().unwrap_or_else(PoisonError::into_inner).hold(&self.path);
        let mut made_anew = None;
        match held {
            Held::Ours => {}
            Held::Anew => made_anew = Some(format!("the state folder `{shown}` was gone, and was recreated")),
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
                        "{} was changed outside this server: restart the server to load it, or restore it",
                        self.path.join(ledger_store::FILE).display()
                    ))
                });
            }
            Some(_) => {}
            None => self.was_other = false,
        }
        StateLook { fault, made_anew, ..StateLook::default() }
    }

    /// Compares the ledger file with the last save: `Some(false)` if it is gone, `Some(true)` if it
    /// differs, `None` if it is the same.
    fn ledger_differs(&self) -> Option<bool> {
        let good = self.ledger.load_full()?;
        match atomic::read(&self.path.join(ledger_store::FILE), LEDGER_OCTETS_MAX) {
            Ok(None) => Some(false),
            Ok(Some(there)) if there == *good => None,
            Ok(Some(_)) => Some(true),
            // The next save reports a file that cannot be read.
            Err(_) => None,
        }
    }
}

/// Fault of the disk, in words for the operator.
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
