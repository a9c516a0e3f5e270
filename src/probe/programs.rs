//! Running programs, and the processes that they leave behind.
//!
//! ```text
//!  begin ──▶ running (leader, mark) ──end──▶ its group is killed; a sweep looks for the rest
//! ```
//!
//! A program may leave its process group (setsid) and its parent (two forks). So each run has a
//! mark, which its descendants inherit, and orphans become children of the server
//! ([`children::adopt`]). After each end of a run, a thread sweeps: it kills each process that has
//! the mark of an ended run, with all of its descendants, and reaps dead children. One sweep runs
//! at a time and covers all runs that ended before it. Only that thread reads the process table of
//! the system, and it locks our own table only to copy it.
//!
//! The mark stands in a resource limit of no effect ([`children::marked`]), and in the environment
//! variable `MERIDIAN_RUN`, for systems where the limit cannot be set. A process without a mark is
//! never killed, even if the server is its parent: the init process of a container also adopts
//! orphans of other programs. Once such an orphan has ended, the server reaps it, since no other
//! process will.

use crate::limits::{
    PROGRAM_DESCRIPTORS, PROGRAM_SWEEP_MILLIS, PROGRAM_SWEEP_PAUSE_MILLIS, PROGRAM_SWEEPS_MAX,
};
use crate::sys::children::{self, Process};
use crate::sys::{process_group, random};
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Environment variable with the mark of a run.
const MARK: &str = "MERIDIAN_RUN";

/// Number of seeds: a mark is at least 2^62 and less than 2^63.
const MARK_SEEDS: u32 = 1 << 30;

/// Programs of one prober.
#[derive(Debug)]
pub(super) struct Programs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    table: Mutex<Table>,
    /// Signals a change of the table.
    changed: Condvar,
    /// Part of every mark that belongs to this server.
    seed: u32,
    /// True if orphans become children of this process.
    adopts: bool,
}

#[derive(Debug, Default)]
struct Table {
    /// Number of the last run.
    last: u32,
    /// Run numbers by the process id of their leader.
    running: HashMap<u32, u32>,
    /// Number of runs that have ended.
    ends: u64,
    /// Number of ended runs that a sweep has covered.
    swept: u64,
    has_thread: bool,
    /// True once no program may start any more.
    is_over: bool,
}

/// Running program. It is killed when this is dropped, and so are the processes that it started.
#[derive(Debug)]
pub(super) struct Program {
    /// Leader of the program's process group.
    pub(super) child: Child,
    leader: Option<u32>,
    inner: Arc<Inner>,
}

impl Programs {
    /// Starts without a program.
    pub(super) fn new() -> Programs {
        // Without a random seed, marks still differ between processes that run at the same time.
        let seed = random::octets().map_or(std::process::id(), u32::from_ne_bytes);
        let inner = Inner {
            table: Mutex::default(),
            changed: Condvar::new(),
            seed: seed % MARK_SEEDS,
            adopts: children::adopts(),
        };
        Programs { inner: Arc::new(inner) }
    }

    /// Starts a program as the leader of its own process group.
    pub(super) fn begin(&self, command: &mut Command) -> io::Result<Program> {
        // The lock keeps a sweep from deciding between the start and the entry in the table.
        let mut table = self.inner.table();
        if table.is_over {
            return Err(io::Error::other("the server stops"));
        }
        if !table.has_thread {
            let inner = Arc::clone(&self.inner);
            std::thread::Builder::new().name("programs".to_owned()).spawn(move || inner.keep_swept())?;
            table.has_thread = true;
        }
        table.last = table.last.wrapping_add(1);
        let run = table.last;
        command.env(MARK, self.inner.mark(run).to_string()).process_group(0).kill_on_drop(true);
        let child = match self.inner.adopts {
            true => children::marked(self.inner.mark(run), || command.spawn())?,
            // A host program that embeds the server may start programs of its own meanwhile.
            false => command.spawn()?,
        };
        let leader = child.id();
        if let Some(leader) = leader {
            children::limit_descriptors(leader, PROGRAM_DESCRIPTORS);
            table.running.insert(leader, run);
        }
        drop(table);
        Ok(Program { child, leader, inner: Arc::clone(&self.inner) })
    }

    /// Kills every program, and waits until none of their processes is left, at most `within`. No
    /// program can start afterwards.
    pub(super) fn end(&self, within: Duration) {
        let mut table = self.inner.table();
        table.is_over = true;
        for (leader, _) in std::mem::take(&mut table.running) {
            process_group::kill(leader);
            table.ends += 1;
        }
        self.inner.changed.notify_all();
        let end = Instant::now() + within;
        while table.has_thread && table.swept < table.ends {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            table = match self.inner.changed.wait_timeout(table, left) {
                Ok((table, _)) => table,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        self.inner.table().is_over = true;
        self.inner.changed.notify_all();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let Some(leader) = self.leader else { return };
        let mut table = self.inner.table();
        // Also once the leader is reaped: its children may live on, and while one does, the kernel
        // does not reuse the number.
        if table.running.remove(&leader).is_some() {
            process_group::kill(leader);
            table.ends += 1;
        }
        drop(table);
        self.inner.changed.notify_all();
    }
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, Table> {
        // No panic can leave the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mark of a run.
    fn mark(&self, run: u32) -> u64 {
        1 << 62 | u64::from(self.seed) << 32 | u64::from(run)
    }

    /// Run of this server that a mark names.
    fn run_of(&self, mark: u64) -> Option<u32> {
        let run = mark as u32;
        (self.mark(run) == mark).then_some(run)
    }

    /// Sweeps after each end of a run, until no program may start any more and none is left.
    fn keep_swept(&self) {
        loop {
            let mut table = self.table();
            while table.swept == table.ends {
                if table.is_over && table.running.is_empty() {
                    return;
                }
                table = self.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
            }
            let ends = table.ends;
            drop(table);
            // A killed process takes a moment to die; only then do its children come to this
            // process.
            for round in 0..PROGRAM_SWEEPS_MAX {
                if self.sweep() == 0 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(PROGRAM_SWEEP_MILLIS << round.min(4)));
            }
            self.table().swept = ends;
            self.changed.notify_all();
            // Runs that end meanwhile share the next sweep.
            std::thread::sleep(Duration::from_millis(PROGRAM_SWEEP_PAUSE_MILLIS));
        }
    }

    /// Kills the remaining processes of ended runs and reaps dead children. Returns how many it
    /// found.
    fn sweep(&self) -> usize {
        let in_environment = |pid| children::variable(pid, MARK).and_then(|mark| mark.parse().ok());
        let found = self.look(&children::list(), |pid| {
            let by_limit = children::mark(pid).and_then(|mark| self.run_of(mark));
            by_limit.or_else(|| in_environment(pid).and_then(|mark| self.run_of(mark)))
        });
        for process in &found {
            if process.is_zombie {
                children::reap(process.pid);
            } else {
                children::kill(process);
            }
        }
        found.len()
    }

    /// Finds the remaining processes of ended runs in `all`, a list made just now. `run_of` reads
    /// the run of a process from its mark.
    fn look(&self, all: &[Process], run_of: impl Fn(u32) -> Option<u32>) -> Vec<Process> {
        // Copied after the list was made, so that a listed leader is in the table. A run that
        // begins later is not listed, and one that ends later is left to the next sweep.
        let running = self.table().running.clone();
        let own = std::process::id();
        let under_us: HashSet<u32> = below(own, all).iter().map(|process| process.pid).collect();
        let may_end = |process: &&Process| process.pid != own && !running.contains_key(&process.pid);
        let mut found: Vec<Process> = Vec::new();
        for process in all.iter().filter(may_end) {
            let is_under_us = self.adopts && under_us.contains(&process.pid);
            if process.is_zombie {
                // This process must reap it; all others have a parent that is alive.
                if is_under_us && process.parent == own {
                    found.push(*process);
                }
            } else if is_under_us || !self.adopts {
                let is_over = |run: u32| !running.values().any(|other| *other == run);
                found.extend(run_of(process.pid).is_some_and(is_over).then_some(*process));
            }
        }
        // Adds all of their descendants, marked or not.
        let mut known: HashSet<u32> = found.iter().map(|process| process.pid).collect();
        for process in found.clone().iter().filter(|process| !process.is_zombie) {
            let more = below(process.pid, all).into_iter().filter(|process| !process.is_zombie);
            found.extend(more.filter(|process| may_end(&process) && known.insert(process.pid)));
        }
        found
    }
}

/// All descendants of a process.
fn below(root: u32, all: &[Process]) -> Vec<Process> {
    let mut by_parent: HashMap<u32, Vec<&Process>> = HashMap::new();
    for process in all {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(parent) = open.pop() {
        // Removes the entry: a list that mixes two moments may contain a circle.
        for process in by_parent.remove(&parent).into_iter().flatten() {
            found.push(*process);
            open.push(process.pid);
        }
    }
    found
}

#[cfg(test)]
mod tests;
