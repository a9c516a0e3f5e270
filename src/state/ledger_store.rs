//! The ledger on the disk: read at the start, replaced at every change, never lost.
//!
//! Beside `overrides.yaml` stand `overrides.yaml.1`, the good file before it, and after a fault
//! `overrides.yaml.broken`, the file that could not be read, until somebody has acknowledged it.

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

/// What the file holds, if it is good; for those who look after the folder too.
pub(crate) type Good = ArcSwapOption<Vec<u8>>;

/// The store of one state folder.
#[derive(Debug)]
pub(crate) struct LedgerStore {
    path: PathBuf,
    /// What the file holds, if it is good.
    good: Arc<Good>,
    /// Whether the file is there and cannot be read.
    broken: bool,
}

/// What the start found.
pub(crate) struct Opened {
    /// The store.
    pub(crate) store: LedgerStore,
    /// The ledger in force.
    pub(crate) ledger: Ledger,
    /// What an operator must know and acknowledge; empty if all is well.
    pub(crate) alarms: Vec<String>,
}

impl LedgerStore {
    /// Reads the ledger of a state folder. A file that cannot be read falls back to the copy before
    /// it, or to an empty ledger, with an alarm.
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
            // No save leaves a copy without the file.
            Ok(None) => store.fall_back("the ledger of overrides is missing", &mut alarms),
            Err(fault) => {
                store.fall_back(&format!("the ledger of overrides cannot be read: {fault}"), &mut alarms)
            }
        };
        if alarms.is_empty() && store.set_aside().exists() {
            alarms.push(format!(
                "a ledger of overrides could not be read and stands in {}; overrides may be missing",
                store.set_aside().display()
            ));
        }
        Opened { store, ledger, alarms }
    }

    /// The ledger of the copy, in place of a damaged file; the alarm says which ledger is in force.
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

    /// Writes a ledger. On an error the file is as it was. A file that somebody else has written
    /// since it was read is left alone: what it says would be lost without a word.
    pub(crate) fn save(&mut self, ledger: &Ledger) -> io::Result<()> {
        let octets = ledger_file::print(ledger).into_bytes();
        if !self.broken
            && let Some(there) = atomic::read(&self.path, LEDGER_OCTETS_MAX)?
            && self.good.load_full().as_deref() != Some(&there)
        {
            return Err(io::Error::other(
                "the file was changed by another hand since this server read it; restart the server to take \
                 it over, or put it back",
            ));
        }
        if self.broken {
            // Kept for whoever wants to know what it said, and as the sign of the alarm after a
            // restart.
            match std::fs::copy(&self.path, self.set_aside()) {
                // Nothing is left to keep but the sign.
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
            // The name may have been taken, its folder not synced: the file is then ours, not
            // another hand's.
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

    /// Ends the alarm: the ledger in force becomes the file, and the broken one is renamed.
    pub(crate) fn acknowledge(&mut self, ledger: &Ledger) -> io::Result<()> {
        if self.broken {
            self.save(ledger)?;
        }
        match std::fs::rename(self.set_aside(), atomic::beside(&self.path, ".acknowledged")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A store in place of one that a fault took with it, whose knowledge of the file lives on.
    pub(crate) fn reopen(state: &Path, good: Arc<Good>) -> LedgerStore {
        LedgerStore { good, ..LedgerStore::open(state).store }
    }

    /// What the file holds, for who looks after the folder.
    pub(crate) fn good(&self) -> Arc<Good> {
        Arc::clone(&self.good)
    }

    /// The file.
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

/// A good ledger with its octets; the error is a sentence.
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
