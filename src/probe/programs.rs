//! Programs that run, and what they leave behind.
//!
//! ```text
//!  begin ──▶ running (leader, mark) ──end──▶ its group is killed; a sweep looks for the rest
//! ```
//!
//! A program may leave its process group (setsid) and its parent (two forks). So each run has a
//! mark, which its descendants inherit, and the server is the parent of all that they leave
//! ([`children::adopt`]). After each end a sweep on a thread of its own kills what has the mark of
//! a run that is over, with all below it, and takes the end of what is dead. Sweeps are one at a
//! time: one covers all runs that ended before it. Only that thread reads the table of processes,
//! and it holds our own table no longer than to copy it.
//!
//! The mark stands in a limit that binds nothing ([`children::marked`]), and in the environment,
//! `MERIDIAN_RUN`, for where the limit cannot be set. A process without a mark is none of ours,
//! whoever its parent is: the init process of a container gets orphans of others too. When they
//! have ended it takes their end, since nobody else will.

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

/// Name of the variable that marks a run.
const MARK: &str = "MERIDIAN_RUN";

/// Seeds of marks: a mark is 2^62 and more, and less than 2^63.
const MARK_SEEDS: u32 = 1 << 30;

/// The programs of one prober.
#[derive(Debug)]
pub(super) struct Programs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    table: Mutex<Table>,
    /// Something of the table has changed.
    changed: Condvar,
    /// Our own half of every mark.
    seed: u32,
    /// Orphans become our children.
    adopts: bool,
}

#[derive(Debug, Default)]
struct Table {
    /// Number of the last run.
    last: u32,
    /// Numbers of runs by that of their leader.
    running: HashMap<u32, u32>,
    /// Ends that no sweep has begun after.
    ends: u64,
    /// Ends that a sweep has found nothing of.
    swept: u64,
    has_thread: bool,
    /// No program begins any more.
    is_over: bool,
}

/// A program that does not outlive its run, nor does what it started.
#[derive(Debug)]
pub(super) struct Program {
    /// Its leader.
    pub(super) child: Child,
    leader: Option<u32>,
    inner: Arc<Inner>,
}

impl Programs {
    /// None runs yet.
    pub(super) fn new() -> Programs {
        // Without a seed, marks are still those of one process at a time.
        let seed = random::octets().map_or(std::process::id(), u32::from_ne_bytes);
        let inner = Inner {
            table: Mutex::default(),
            changed: Condvar::new(),
            seed: seed % MARK_SEEDS,
            adopts: children::adopts(),
        };
        Programs { inner: Arc::new(inner) }
    }

    /// Starts a program as the leader of a group of its own.
    pub(super) fn begin(&self, command: &mut Command) -> io::Result<Program> {
        // No sweep decides between the start and the entry in the table.
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
            // A program that embeds a server may start others meanwhile.
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

    /// Ends every program, and waits until nothing of them is left, at most so long. None begins
    /// any more.
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
        // Also once the leader is reaped: its children may live on, and while one does the kernel
        // gives the number to nobody else.
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
        // Nothing in here leaves the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mark of a run.
    fn mark(&self, run: u32) -> u64 {
        1 << 62 | u64::from(self.seed) << 32 | u64::from(run)
    }

    /// The run of ours that a mark names.
    fn run_of(&self, mark: u64) -> Option<u32> {
        let run = mark as u32;
        (self.mark(run) == mark).then_some(run)
    }

    /// Sweeps after each end, until no program begins any more and none is left.
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
            // What is killed needs a moment to die, and what it leaves comes to us then.
            for round in 0..PROGRAM_SWEEPS_MAX {
                if self.sweep() == 0 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(PROGRAM_SWEEP_MILLIS << round.min(4)));
            }
            self.table().swept = ends;
            self.changed.notify_all();
            // Ends that come meanwhile share the next sweep.
            std::thread::sleep(Duration::from_millis(PROGRAM_SWEEP_PAUSE_MILLIS));
        }
    }

    /// Kills what is left of runs that are over, and takes the end of what is dead. Gives how many
    /// it found.
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

    /// What is left of runs that are over, among processes that were listed just now. `run_of`
    /// reads which run a process has the mark of.
    fn look(&self, all: &[Process], run_of: impl Fn(u32) -> Option<u32>) -> Vec<Process> {
        // Behind the list, so that a leader that is listed is in the table by now. A run that
        // begins later is not listed, and one that ends later is left to the next sweep.
        let running = self.table().running.clone();
        let own = std::process::id();
        let under_us: HashSet<u32> = below(own, all).iter().map(|process| process.pid).collect();
        let may_end = |process: &&Process| process.pid != own && !running.contains_key(&process.pid);
        let mut found: Vec<Process> = Vec::new();
        for process in all.iter().filter(may_end) {
            let is_under_us = self.adopts && under_us.contains(&process.pid);
            if process.is_zombie {
                // It waits for us; all others have a parent that is alive.
                if is_under_us && process.parent == own {
                    found.push(*process);
                }
            } else if is_under_us || !self.adopts {
                let is_over = |run: u32| !running.values().any(|other| *other == run);
                found.extend(run_of(process.pid).is_some_and(is_over).then_some(*process));
            }
        }
        // With all below them, marked or not.
        let mut known: HashSet<u32> = found.iter().map(|process| process.pid).collect();
        for process in found.clone().iter().filter(|process| !process.is_zombie) {
            let more = below(process.pid, all).into_iter().filter(|process| !process.is_zombie);
            found.extend(more.filter(|process| may_end(&process) && known.insert(process.pid)));
        }
        found
    }
}

/// Every process below one, by parents.
fn below(root: u32, all: &[Process]) -> Vec<Process> {
    let mut by_parent: HashMap<u32, Vec<&Process>> = HashMap::new();
    for process in all {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(parent) = open.pop() {
        // Taken out: a list of different moments may hold a circle.
        for process in by_parent.remove(&parent).into_iter().flatten() {
            found.push(*process);
            open.push(process.pid);
        }
    }
    found
}

#[cfg(test)]
mod tests;
