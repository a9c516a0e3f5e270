//! Programs that run, and what they leave behind.
//!
//! ```text
//!  begin ──▶ running (leader, mark) ──end──▶ its group is killed; a sweep looks for the rest
//! ```
//!
//! A program may leave its process group (setsid) and its parent (two forks). So each run has a
//! mark in its environment, `MERIDIAN_RUN`, which its descendants inherit, and the server is the
//! parent of all that they leave ([`children::adopt`]). After each end a sweep on a thread of its
//! own kills what has the mark of a run that is over, with all below it, and takes the end of what
//! is dead. Sweeps are one at a time: one covers all runs that ended before it.
//!
//! A descendant that has also cleared its environment cannot be told from that of another run while
//! a run as old goes on; it is killed when all that run have begun after it. That needs proof that
//! no child of this process is another's: a process that had children before it became a server, or
//! is the init process of a container, kills marked ones only.

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
    /// Begins every mark of ours.
    prefix: String,
    /// Orphans become our children.
    adopts: bool,
    /// All our children are programs.
    is_sole: bool,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// By the leader's number.
    running: HashMap<u32, Run>,
    /// Ends that no sweep has begun after.
    ends: u64,
    /// Ends that a sweep has found nothing of.
    swept: u64,
    has_thread: bool,
    /// No program begins any more.
    is_over: bool,
}

/// A run: its mark, and when its leader began.
#[derive(Clone, Debug)]
struct Run {
    mark: String,
    started: u64,
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
        let adopts = children::adopts();
        let own = std::process::id();
        let is_sole = adopts && own != 1 && !children::list().iter().any(|process| process.parent == own);
        // Without a seed, marks are still those of one process at a time.
        let seed = random::octets().map_or(0, u64::from_ne_bytes);
        let prefix = format!("{own}-{seed:016x}-");
        let inner = Inner { table: Mutex::default(), changed: Condvar::new(), prefix, adopts, is_sole };
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
        table.next += 1;
        let mark = format!("{}{}", self.inner.prefix, table.next);
        let child = command.env(MARK, &mark).process_group(0).kill_on_drop(true).spawn()?;
        let leader = child.id();
        if let Some(leader) = leader {
            children::limit_descriptors(leader, PROGRAM_DESCRIPTORS);
            let started = children::process(leader).map_or(0, |process| process.started);
            table.running.insert(leader, Run { mark, started });
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
        // While it lives, what is below it can be told without a mark.
        if self.child.id().is_some() {
            let all = children::list();
            below(leader, &all).iter().for_each(children::kill);
        }
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
        let all = children::list();
        // Behind the list: a leader that is listed is in the table by now.
        let table = self.table();
        let found = self.left_over(&all, &table.running, |pid| children::variable(pid, MARK));
        for process in &found {
            if process.is_zombie {
                children::reap(process.pid);
            } else {
                children::kill(process);
            }
        }
        found.len()
    }

    /// What is left of runs that are over. `mark_of` reads the mark of a process.
    fn left_over(
        &self,
        all: &[Process],
        running: &HashMap<u32, Run>,
        mark_of: impl Fn(u32) -> Option<String>,
    ) -> Vec<Process> {
        let own = std::process::id();
        let under_us: HashSet<u32> = below(own, all).iter().map(|process| process.pid).collect();
        let in_service: HashSet<u32> = (running.keys())
            .flat_map(|leader| below(*leader, all).into_iter().map(|process| process.pid).chain([*leader]))
            .collect();
        let oldest = running.values().map(|run| run.started).min().unwrap_or(u64::MAX);
        let is_running = |mark: &str| running.values().any(|run| run.mark == mark);
        let mut found: Vec<Process> = Vec::new();
        for process in all.iter().filter(|process| !in_service.contains(&process.pid) && process.pid != own) {
            let is_under_us = self.adopts && under_us.contains(&process.pid);
            if process.is_zombie {
                // It waits for us; all others have a parent that is alive.
                if is_under_us && process.parent == own {
                    found.push(*process);
                }
                continue;
            }
            if self.adopts && !is_under_us {
                continue;
            }
            let mark = mark_of(process.pid).filter(|mark| mark.starts_with(&self.prefix));
            let is_over = match mark {
                Some(mark) => !is_running(&mark),
                None => is_under_us && self.is_sole && process.started < oldest,
            };
            if is_over {
                found.push(*process);
            }
        }
        // With all below them, whatever their environment.
        let mut known: HashSet<u32> = found.iter().map(|process| process.pid).collect();
        for process in found.clone().iter().filter(|process| !process.is_zombie) {
            let more = below(process.pid, all).into_iter().filter(|process| !process.is_zombie);
            found.extend(
                more.filter(|process| !in_service.contains(&process.pid) && known.insert(process.pid)),
            );
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
