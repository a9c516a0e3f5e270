//! Progress of a reading: the file that it waits for, since when, how much of the current step is
//! done, and whether the reading was given up.
//!
//! A file on a hanging disk, or a pipe in the place of a file, may never answer, and the thread
//! that reads it cannot be ended. So the task that waits for the thread consults this watch, gives
//! the reading up, and names the file. A reading that was given up ends at its next request to the
//! disk.

use crate::reload::parallel;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Progress of one reading, shared with the tasks that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    state: Mutex<State>,
    is_given_up: AtomicBool,
    /// Items of the current loop that are done, and all of them; 0 without a loop.
    done: AtomicU64,
    all: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// Paths requested from the disk and not yet answered, oldest first.
    waits: Vec<(PathBuf, Instant)>,
    /// Current step outside the disk, such as `compiling`.
    phase: &'static str,
    /// Begin of the step, or of its last loop.
    began: Option<Instant>,
}

/// Part of the work that is under way, and how much of it is done.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Name of the step, or of the things that are counted.
    pub(crate) noun: &'static str,
    /// Number of things done.
    pub(crate) done: u64,
    /// Number of all things, where it is known.
    pub(crate) all: Option<u64>,
    /// Time since the begin of the part.
    pub(crate) age: Duration,
}

impl Part {
    /// Share that is done, 0 to 1, where it is known.
    pub(crate) fn share(&self) -> Option<f64> {
        let all = self.all.filter(|all| *all > 0)?;
        Some(self.done.min(all) as f64 / all as f64)
    }

    /// Progress in words, with the rate.
    pub(crate) fn words(&self) -> String {
        let Part { noun, done, all, age } = self;
        let rate = *done as f64 / age.as_secs_f64().max(0.001);
        match (self.share(), all) {
            (Some(share), Some(all)) => {
                let percent = (share * 100.0) as u32;
                format!("{noun}: {done} of {all} ({percent} %), {rate:.0} a second")
            }
            _ if *done > 0 => format!("{noun}: {done}, {rate:.0} a second"),
            _ => format!("{noun}, for {} s", age.as_secs()),
        }
    }
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
        self.begin(Some(phase), 0);
    }

    fn begin(&self, phase: Option<&'static str>, all: usize) {
        let mut state = self.state();
        state.phase = phase.unwrap_or(state.phase);
        state.began = Some(Instant::now());
        self.done.store(0, Ordering::Relaxed);
        self.all.store(all as u64, Ordering::Relaxed);
    }

    /// Calls `work` for each number below `count` ([`parallel::each`]), and counts the calls.
    pub(crate) fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        self.begin(None, count);
        parallel::each(count, &|number| {
            work(number);
            self.done.fetch_add(1, Ordering::Relaxed);
        });
        // Work behind the loop has no count.
        self.begin(None, 0);
    }

    /// Current part of the work.
    pub(crate) fn part(&self) -> Part {
        let state = self.state();
        let (done, all) = (self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed));
        let age = state.began.map_or(Duration::ZERO, |began| began.elapsed());
        Part { noun: state.phase, done, all: (all > 0).then_some(all), age }
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
