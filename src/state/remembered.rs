//! Health and load that a node remembers over a restart: `state/health` and `state/load`, one line
//! for each entry.

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

/// Remembered health, and a sentence for each fault. Unreadable content is ignored: the first round
/// of probes finds it again.
pub(crate) fn recall(state: &Path) -> (SavedHealth, Vec<String>) {
    let (text, faults) = recall_text(state, HEALTH);
    (SavedHealth::from_lines(text.lines()), faults)
}

/// Remembered load, in the same way.
pub(crate) fn recall_load(state: &Path) -> (SavedLoadAndRamps, Vec<String>) {
    let (text, faults) = recall_text(state, LOAD);
    (SavedLoadAndRamps::from_lines(text.lines()), faults)
}

fn recall_text(state: &Path, name: &str) -> (String, Vec<String>) {
    let (octets, faults) = health_store::load(&state.join(name), HEALTH_FILE_OCTETS_MAX);
    (String::from_utf8(octets.unwrap_or_default()).unwrap_or_default(), faults)
}

/// Writer of one file, one write at a time, outside the writer task.
pub(crate) struct Memory {
    path: PathBuf,
    /// Content of the last write, successful or not.
    last: String,
    /// Stale if a verdict (for the load file: a share or the progress of an override) has changed
    /// since the last write, or if the disk has lost the file.
    write: OneWrite,
}

impl Memory {
    /// Writer of health, in a state folder.
    pub(crate) fn of_health(state: &Path) -> Memory {
        Memory::new(state.join(HEALTH))
    }

    /// Writer of load, in a state folder.
    pub(crate) fn of_load(state: &Path) -> Memory {
        Memory::new(state.join(LOAD))
    }

    fn new(path: PathBuf) -> Memory {
        Memory { path, last: String::new(), write: OneWrite::default() }
    }

    /// Saves the lines: at once if `turned`, else at intervals, so that their time stamps stay
    /// fresh. Needs a Tokio runtime.
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

    /// Waits for the end of a write during which another change came, so that [`Memory::remember`]
    /// must be called again. Never returns if there is none. Cancel-safe.
    pub(crate) async fn wait(&mut self) {
        match self.write.is_stale() {
            true => self.write.wait().await,
            false => std::future::pending().await,
        }
    }

    /// Writes for the last time, after a running write.
    pub(crate) async fn close(&mut self, lines: Vec<String>) {
        self.write.settle().await;
        self.write.finish(save(&self.path, lines.join("\n"))).await;
    }

    /// Notes that the disk has lost the file, so that it is written at once.
    pub(crate) fn is_lost(&mut self) {
        self.write.mark_stale();
    }

    /// Content of the last write, successful or not.
    pub(crate) fn last(&self) -> &str {
        &self.last
    }

    /// Sentence about a failed write, once for each kind of fault.
    pub(crate) fn fault(&mut self) -> Option<String> {
        let why = self.write.new_fault()?;
        Some(format!(
            "{} cannot be written, so a restart would begin without its content: {why}",
            self.path.display()
        ))
    }
}

/// Work of one write.
fn save(path: &Path, text: String) -> impl FnOnce() -> Result<(), String> + Send + 'static {
    let path = path.to_owned();
    move || {
        health_store::save(&path, text.as_bytes(), HEALTH_FILE_OCTETS_MAX).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
