//! What a node remembers over a restart of its targets and of load: `state/health` and
//! `state/load`, one line each.

use crate::health::saved::SavedHealth;
use crate::limits::{HEALTH_FILE_OCTETS_MAX, HEALTH_SAVE_SECS};
use crate::live::SavedLoadAndRamps;
use crate::state::health_store;
use crate::state::one_write::OneWrite;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// What was last written, or tried to be.
    last: String,
    /// Stale while a verdict has turned since.
    write: OneWrite,
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
        Memory { path, last: String::new(), write: OneWrite::default() }
    }

    /// Writes lines down: at once if something has turned, else now and then, so that their stamps
    /// stay fresh. Must run inside a Tokio runtime.
    pub(crate) fn remember(&mut self, turned: bool, lines: impl FnOnce() -> Vec<String>) {
        if turned {
            self.write.mark_stale();
        }
        if !self.write.is_free() {
            return;
        }
        let is_old = self.write.age().is_none_or(|age| age >= Duration::from_secs(HEALTH_SAVE_SECS));
        if self.write.is_stale() || is_old {
            self.last = lines().join("\n");
            self.write.begin(save(&self.path, self.last.clone()));
        }
    }

    /// Waits until a write has ended behind which something else has turned, so that
    /// [`Memory::remember`] is to be called again; for ever if there is none. Safe to drop midway.
    pub(crate) async fn wait(&mut self) {
        match self.write.is_stale() {
            true => self.write.wait().await,
            false => std::future::pending().await,
        }
    }

    /// Writes lines down for the last time, behind a write that runs.
    pub(crate) async fn close(&mut self, lines: Vec<String>) {
        self.write.settle().await;
        self.write.finish(save(&self.path, lines.join("\n"))).await;
    }

    /// The disk has lost it: it is written at once.
    pub(crate) fn is_lost(&mut self) {
        self.write.mark_stale();
    }

    /// What was last written, or tried to be.
    pub(crate) fn last(&self) -> &str {
        &self.last
    }

    /// A sentence if writing fails, once for each kind of fault.
    pub(crate) fn fault(&mut self) -> Option<String> {
        let why = self.write.new_fault()?;
        Some(format!(
            "{} cannot be written, so a restart would begin without what it holds: {why}",
            self.path.display()
        ))
    }
}

/// The work of one write.
fn save(path: &Path, text: String) -> impl FnOnce() -> Result<(), String> + Send + 'static {
    let path = path.to_owned();
    move || {
        health_store::save(&path, text.as_bytes(), HEALTH_FILE_OCTETS_MAX).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
