//! What a node remembers over a restart of its targets and of load: `state/health` and
//! `state/load`, one line each.

use crate::health::saved::SavedHealth;
use crate::limits::{HEALTH_FILE_OCTETS_MAX, HEALTH_RETRY_SECS, HEALTH_SAVE_SECS};
use crate::live::SavedLoadAndRamps;
use crate::state::health_store;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::oneshot::{Receiver, channel, error::TryRecvError};
use tokio::task::spawn_blocking;

/// Names of the files in the state folder.
const HEALTH: &str = "health";
const LOAD: &str = "load";

/// What was remembered of health, and a sentence for each fault. What cannot be read is as though
/// it never was: the first round finds it anew.
pub(crate) fn recall(state: &Path) -> (SavedHealth, Vec<String>) {
    let (text, faults) = recall_text(state, HEALTH);
    (SavedHealth::from_lines(text.lines()), faults)
}

/// What was remembered of load, likewise.
pub(crate) fn recall_load(state: &Path) -> (SavedLoadAndRamps, Vec<String>) {
    let (text, faults) = recall_text(state, LOAD);
    (SavedLoadAndRamps::from_lines(text.lines()), faults)
}

fn recall_text(state: &Path, name: &str) -> (String, Vec<String>) {
    let (octets, faults) = health_store::load(&state.join(name), HEALTH_FILE_OCTETS_MAX);
    (String::from_utf8(octets.unwrap_or_default()).unwrap_or_default(), faults)
}

/// Writes it down, one write at a time, away from the writer.
pub(crate) struct Memory {
    path: PathBuf,
    /// When it was last written, if ever.
    written: Option<Instant>,
    /// What was last written, or tried to be.
    last: String,
    /// A verdict has turned since.
    is_stale: bool,
    writing: Option<Receiver<std::io::Result<()>>>,
    /// The last fault, told once until it is another.
    fault: Option<String>,
    told: Option<String>,
}

impl Memory {
    /// Of health, in a state folder.
    pub(crate) fn of_health(state: &Path) -> Memory {
        Memory::new(state.join(HEALTH))
    }

    /// Of load, in a state folder.
    pub(crate) fn of_load(state: &Path) -> Memory {
        Memory::new(state.join(LOAD))
    }

    fn new(path: PathBuf) -> Memory {
        Memory {
            path,
            written: None,
            last: String::new(),
            is_stale: false,
            writing: None,
            fault: None,
            told: None,
        }
    }

    /// Writes lines down: at once if something has turned, else now and then, so that their stamps
    /// stay fresh. Must run inside a Tokio runtime.
    pub(crate) fn remember(&mut self, turned: bool, lines: impl FnOnce() -> Vec<String>) {
        self.is_stale |= turned;
        match self.writing.as_mut().map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => return,
            Some(Err(TryRecvError::Closed)) => self.take(None),
            Some(Ok(done)) => self.take(Some(done)),
            None => {}
        }
        // What could not be written is still to be written, though not at once again.
        let is_soon = self.written.is_some_and(|at| at.elapsed() < Duration::from_secs(HEALTH_RETRY_SECS));
        if self.fault.is_some() && is_soon {
            return;
        }
        self.is_stale |= self.fault.is_some();
        let is_old = self.written.is_none_or(|at| at.elapsed() >= Duration::from_secs(HEALTH_SAVE_SECS));
        if !(self.is_stale || is_old) {
            return;
        }
        self.last = lines().join("\n");
        let (path, octets) = (self.path.clone(), self.last.clone().into_bytes());
        let (done, receiver) = channel();
        self.writing = Some(receiver);
        drop(spawn_blocking(move || {
            drop(done.send(health_store::save(&path, &octets, HEALTH_FILE_OCTETS_MAX)))
        }));
        (self.written, self.is_stale) = (Some(Instant::now()), false);
    }

    /// How a write ended; `None` if it did not say so.
    fn take(&mut self, done: Option<std::io::Result<()>>) {
        self.writing = None;
        self.fault = match done {
            None => Some("the write ended by a fault of the program".to_owned()),
            Some(done) => done.err().map(|error| error.to_string()),
        };
    }

    /// Waits until a write has ended behind which something else has turned, so that
    /// [`Memory::remember`] is to be called again; for ever if there is none. Safe to drop midway.
    pub(crate) async fn wait(&mut self) {
        match self.writing.as_mut().filter(|_| self.is_stale) {
            Some(writing) => {
                let done = writing.await.ok();
                self.take(done);
            }
            None => std::future::pending().await,
        }
    }

    /// Writes lines down for the last time, behind a write that runs.
    pub(crate) async fn close(&mut self, lines: Vec<String>) {
        if let Some(writing) = self.writing.take() {
            let _ = writing.await;
        }
        let path = self.path.clone();
        let write = move || health_store::save(&path, lines.join("\n").as_bytes(), HEALTH_FILE_OCTETS_MAX);
        self.take(spawn_blocking(write).await.ok());
    }

    /// The disk has lost it: it is written at once.
    pub(crate) fn is_lost(&mut self) {
        self.is_stale = true;
    }

    /// What was last written, or tried to be.
    pub(crate) fn last(&self) -> &str {
        &self.last
    }

    /// A sentence if writing fails, once for each kind of fault.
    pub(crate) fn fault(&mut self) -> Option<String> {
        if self.fault == self.told {
            return None;
        }
        self.told.clone_from(&self.fault);
        let why = self.fault.as_ref()?;
        Some(format!(
            "{} cannot be written, so a restart would begin without what it holds: {why}",
            self.path.display()
        ))
    }
}

#[cfg(test)]
mod tests;
