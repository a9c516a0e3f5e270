//! The watch over a reading: what it waits for, since when, and whether it was given up.
//!
//! A file on a disk that hangs, or a pipe in place of a file, may never answer, and a thread that
//! waits for it cannot be ended. So whoever waits for the thread looks at this, gives it up, and
//! says for which file it waited. Given up, the reading ends at its next look.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a reading does, for those who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    state: Mutex<State>,
    is_given_up: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Paths that the disk was asked for and has not answered, oldest first.
    waits: Vec<(PathBuf, Instant)>,
    /// What is done besides, in words such as `compiling`.
    phase: &'static str,
}

/// A path that the disk is asked for, until this is dropped.
pub(crate) struct Waiting<'w> {
    watch: &'w Watch,
    path: PathBuf,
}

impl Watch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the disk is asked for a path now.
    pub(crate) fn wait_for(&self, path: &Path) -> Waiting<'_> {
        self.state().waits.push((path.to_owned(), Instant::now()));
        Waiting { watch: self, path: path.to_owned() }
    }

    /// Says what is done now.
    pub(crate) fn enter(&self, phase: &'static str) {
        self.state().phase = phase;
    }

    /// What the disk has not answered for longest, and for how long; `None` if it owes nothing.
    pub(crate) fn waits_for(&self) -> Option<(PathBuf, Duration)> {
        let state = self.state();
        let longest = state.waits.iter().min_by_key(|(_, since)| *since);
        longest.map(|(path, since)| (path.clone(), since.elapsed()))
    }

    /// What is done now, in words.
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

    /// Whether it was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }
}

impl Waiting<'_> {
    /// The disk has answered in part.
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
