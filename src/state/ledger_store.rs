//! Ledger on the disk: read at the start, replaced at every change, never lost.
//!
//! Up to three files may stand beside `overrides.yaml`. `overrides.yaml.1` is the previous good
//! file. `overrides.yaml.broken` is a file that could not be read, or a mark that the file was
//! missing. `overrides.yaml.acknowledged` is the broken file after an operator has acknowledged it.

use crate::config::ledger_file;
use crate::finding::render;
use crate::limits::LEDGER_OCTETS_MAX;
use crate::state::atomic;
use crate::steer::ledger::Ledger;
use arc_swap::ArcSwapOption;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the file in the state folder.
pub(crate) const FILE: &str = "overrides.yaml";

/// Content of the file if it is good. The check of the state folder reads it too.
pub(crate) type Good = ArcSwapOption<Vec<u8>>;

/// Ledger store of one state folder.
#[derive(Debug)]
pub(crate) struct LedgerStore {
    path: PathBuf,
    /// Content of the file, if it is good.
    good: Arc<Good>,
    /// True if the file could not be read, or is missing while its copy exists.
    broken: bool,
}

/// Result of opening the store at the start.
pub(crate) struct Opened {
    /// The store.
    pub(crate) store: LedgerStore,
    /// Ledger in force.
    pub(crate) ledger: Ledger,
    /// Faults that an operator must acknowledge; empty if there are none.
    pub(crate) alarms: Vec<String>,
}

impl LedgerStore {
    /// Reads the ledger of a state folder. If the file cannot be read, the copy before it is in
    /// force, or an empty ledger, with an alarm.
    pub(crate) fn open(state: &Path) -> Opened {
        let path = state.join(FILE);
        let mut store = LedgerStore { path: path.clone(), good: Arc::default(), broken: false };
        let mut alarms = Vec::new();
        let ledger = match load(&path) {
            Ok(Some((octets, ledger))) => {
                store.good.store(Some(Arc::new(octets)));
                ledger
            }
            Ok(None) if !store.copy().exists() => Ledger::default(),
            // A save never leaves the copy without the file.
            Ok(None) => store.fall_back("the ledger of overrides is missing", &mut alarms),
            Err(fault) => {
                store.fall_back(&format!("the ledger of overrides cannot be read: {fault}"), &mut alarms)
            }
        };
        if alarms.is_empty() && store.set_aside().exists() {
            alarms.push(format!(
                "a ledger of overrides could not be read and is kept in {}; overrides may be missing",
                store.set_aside().display()
            ));
        }
        Opened { store, ledger, alarms }
    }

    /// Loads the copy in place of a damaged file; the alarm names the ledger in force.
    fn fall_back(&mut self, fault: &str, alarms: &mut Vec<String>) -> Ledger {
        self.broken = true;
        let (ledger, instead) = match load(&self.copy()) {
            Ok(Some((_, ledger))) => (ledger, "the copy before it is in force".to_owned()),
            Ok(None) => (Ledger::default(), "there is no copy, so no override is in force".to_owned()),
            Err(second) => (
                Ledger::default(),
                format!("its copy cannot be read either ({second}), so no override is in force"),
            ),
        };
        alarms.push(format!("{fault}; {instead}"));
        ledger
    }

    /// Writes a ledger. On an error the file is unchanged. A file that was changed outside this
    /// server is not overwritten, because its content would be lost without a message.
    pub(crate) fn save(&mut self, ledger: &Ledger) -> io::Result<()> {
        let octets = ledger_file::print(ledger).into_bytes();
        if !self.broken
            && let Some(there) = atomic::read(&self.path, LEDGER_OCTETS_MAX)?
            && self.good.load_full().as_deref() != Some(&there)
        {
            return Err(io::Error::other(
                "the file was changed outside this server; restart the server to load it, or restore it",
            ));
        }
        if self.broken {
            // Keeps the broken file for the operator; after a restart it raises the alarm again.
            match std::fs::copy(&self.path, self.set_aside()) {
                // The missing file leaves only this mark.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    atomic::write(&self.set_aside(), b"# the ledger was missing\n")?;
                }
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        } else if let Some(good) = self.good.load_full().filter(|good| **good != octets) {
            atomic::write(&self.copy(), &good)?;
        }
        if let Err(error) = atomic::write(&self.path, &octets) {
            // The rename may have succeeded and only the sync of the folder failed: then the file
            // is this server's own, not a change from outside.
            if let Ok(Some(there)) = atomic::read(&self.path, LEDGER_OCTETS_MAX)
                && there == octets
            {
                match self.good.load_full().filter(|_| !self.broken) {
                    Some(good) if atomic::write(&self.path, &good).is_ok() => {}
                    _ => {
                        self.good.store(Some(Arc::new(octets)));
                        self.broken = false;
                    }
                }
            }
            return Err(error);
        }
        self.good.store(Some(Arc::new(octets)));
        self.broken = false;
        Ok(())
    }

    /// Ends the alarm: writes the ledger in force, and renames the broken file.
    pub(crate) fn acknowledge(&mut self, ledger: &Ledger) -> io::Result<()> {
        if self.broken {
            self.save(ledger)?;
        }
        match std::fs::rename(self.set_aside(), atomic::beside(&self.path, ".acknowledged")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Reopens the store after a panic. Keeps the last known content of the file, so that a save
    /// still detects a change from outside.
    pub(crate) fn reopen(state: &Path, good: Arc<Good>) -> LedgerStore {
        LedgerStore { good, ..LedgerStore::open(state).store }
    }

    /// Content of the file, for the check of the state folder.
    pub(crate) fn good(&self) -> Arc<Good> {
        Arc::clone(&self.good)
    }

    /// Path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn copy(&self) -> PathBuf {
        atomic::beside(&self.path, ".1")
    }

    fn set_aside(&self) -> PathBuf {
        atomic::beside(&self.path, ".broken")
    }
}

/// Loads a good ledger with its octets; the error is a sentence.
fn load(path: &Path) -> Result<Option<(Vec<u8>, Ledger)>, String> {
    let shown = path.display();
    let Some(octets) = atomic::read(path, LEDGER_OCTETS_MAX).map_err(|error| format!("{shown}: {error}"))?
    else {
        return Ok(None);
    };
    match ledger_file::read_alone(&octets, &shown.to_string()) {
        Ok(ledger) => Ok(Some((octets, ledger))),
        Err(refused) => Err(render::lines(&refused.0, &refused.1)),
    }
}

#[cfg(test)]
mod tests;
