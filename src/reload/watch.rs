//! Progress of a reading: the file that it waits for, since when, and whether it was given up.
//!
//! A file on a hanging disk, or a pipe in the place of a file, may never answer, and the thread
//! that reads it cannot be ended. So the task that waits for the thread consults this watch, gives
//! the reading up, and names the file. A reading that was given up ends at its next request to the
//! disk.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Progress of one reading, shared with the tasks that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    state: Mutex<State>,
    is_given_up: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Paths requested from the disk and not yet answered, oldest first.
    waits: Vec<(PathBuf, Instant)>,
    /// Current step outside the disk, such as `compiling`.
    phase: &'static str,
}

/// Request to the disk for a path; it ends when this is dropped.
pub(crate) struct Waiting<'w> {
    watch: &'w Watch,
    path: PathBuf,
}

impl Watch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request to the disk for a path.
    pub(crate) fn wait_for(&self, path: &Path) -> Waiting<'_> {
        self.state().waits.push((path.to_owned(), Instant::now()));
        Waiting { watch: self, path: path.to_owned() }
    }

    /// Notes the current step.
    pub(crate) fn enter(&self, phase: &'static str) {
        self.state().phase = phase;
    }

    /// Oldest unanswered request and its age; `None` if there is none.
    pub(crate) fn waits_for(&self) -> Option<(PathBuf, Duration)> {
        let state = self.state();
        let longest = state.waits.iter().min_by_key(|(_, since)| *since);
        longest.map(|(path, since)| (path.clone(), since.elapsed()))
    }

    /// Current step, in words.
    pub(crate) fn words(&self) -> String {
        let state = self.state();
        match state.waits.iter().min_by_key(|(_, since)| *since) {
            Some((path, since)) => {
                format!("reading {}, for {} s", path.display(), since.elapsed().as_secs())
            }
            None => state.phase.to_owned(),
        }
    }

    /// Gives the reading up.
    pub(crate) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    /// True if the reading was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }
}

impl Waiting<'_> {
    /// Notes that the disk has answered in part.
    pub(crate) fn go_on(&self) {
        let mut state = self.watch.state();
        if let Some((_, since)) = state.waits.iter_mut().find(|(path, _)| *path == self.path) {
            *since = Instant::now();
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.watch.state();
        if let Some(at) = state.waits.iter().position(|(path, _)| *path == self.path) {
            state.waits.remove(at);
        }
    }
}
