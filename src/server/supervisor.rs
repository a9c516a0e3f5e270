//! The supervisor: restarts long-lived tasks (all but the UDP workers) after a fault.
//!
//! ```text
//!             fault (panic, or an end without a request)
//!  running ──────────────────────────────────────────────▶ ended: event, alarm, metric
//!     ▲                                                       │ pause, longer with each end
//!     └───────────────────────────────────────────────────────┘ restart
//! ```
//!
//! The alarm of a restarted task ends when the task has run for a while. After three ends within
//! ten minutes, the alarm ends only after ten minutes without an end. Each task has a heartbeat
//! that runs as part of the task: if the task blocks its thread, the heartbeat stops and its age
//! grows. Faults of tasks do not affect UDP workers. With `exit_on_fault` the process ends at the
//! first fault, so that systemd can restart it.

use crate::limits::{FAULT_WINDOW_SECS, FAULTS_MAX, PULSE_MILLIS, RESTART_PAUSE_MILLIS_MAX};
use crate::shared::Shared;
use crate::shared::event::Event;
use crate::shared::task::Task;
use crate::shared::tasks::{Runner, TaskBoard};
use crate::state::event_log::EventLog;
use crate::sys::caught::{self, caught};
use crate::sys::clock::uptime_ms;
use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Supervisor of one server; cheap to clone.
#[derive(Clone)]
pub(crate) struct Supervisor {
    tasks: Arc<TaskBoard>,
    event_log: EventLog,
    stop: CancellationToken,
    /// Cancelled by the first fault; `None` without `exit_on_fault`.
    fault: Option<CancellationToken>,
    ends: Arc<Mutex<AllEnds>>,
}

/// Ends of every task, in order of [`Task::all`].
struct AllEnds(Box<[Ends]>);

impl Default for AllEnds {
    fn default() -> AllEnds {
        AllEnds(Task::all().map(|_| Ends::default()).collect())
    }
}

/// Ends of one task.
#[derive(Debug, Default)]
struct Ends {
    /// Times of the ends within the window, in milliseconds.
    recent: VecDeque<u64>,
    /// True after too many ends in the window, until the window is empty.
    is_trouble: bool,
}

impl Ends {
    /// Counts an end. Returns the number of ends in the window.
    fn count(&mut self, now_ms: u64) -> usize {
        self.recent.push_back(now_ms);
        self.forget(now_ms);
        self.is_trouble |= self.recent.len() >= FAULTS_MAX;
        self.recent.len()
    }

    fn forget(&mut self, now_ms: u64) {
        let is_old = |at: &u64| now_ms.saturating_sub(*at) > FAULT_WINDOW_SECS * 1_000;
        while self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
    }

    /// Pause before the restart, in milliseconds; 0 after the first end.
    fn pause_ms(&self) -> u64 {
        match self.recent.len() {
            0 | 1 => 0,
            ends => (250u64 << (2 * (ends - 2)).min(10)).min(RESTART_PAUSE_MILLIS_MAX),
        }
    }

    /// True if the alarm of a task that has run since `began_ms` must end.
    fn is_well(&mut self, began_ms: u64, now_ms: u64) -> bool {
        self.forget(now_ms);
        match self.is_trouble {
            true => self.recent.is_empty(),
            false => now_ms.saturating_sub(began_ms) > RESTART_PAUSE_MILLIS_MAX,
        }
    }
}

impl Supervisor {
    /// Creates a supervisor. The first fault cancels `fault`; with `None`, tasks are only
    /// restarted.
    pub(crate) fn new(
        tasks: Arc<TaskBoard>,
        event_log: EventLog,
        stop: CancellationToken,
        fault: Option<CancellationToken>,
    ) -> Supervisor {
        Supervisor { tasks, event_log, stop, fault, ends: Arc::default() }
    }

    /// Runs a task until the server stops, and restarts it after each end. `make` creates the task
    /// for each run. Any end before the server stops counts as a fault.
    pub(crate) async fn keep<F: Future<Output = ()>>(mut self, task: Task, mut make: impl FnMut() -> F) {
        // Ends and runner of this task alone, because several listeners share a task name.
        self.ends = Arc::default();
        let runner = self.tasks.enter(task);
        loop {
            // A panic in `make` also counts as a fault of the task.
            let run = async { make().await };
            if !self.watch_runner(task, &runner, run).await {
                return;
            }
        }
    }

    /// Runs a task once, with its heartbeat. If the task ends before the server stops, logs an
    /// event, waits for the pause and returns true. Returns false if the server stops.
    pub(crate) async fn watch(&self, task: Task, run: impl Future<Output = ()>) -> bool {
        self.watch_runner(task, &self.tasks.runner(task), run).await
    }

    async fn watch_runner(&self, task: Task, runner: &Runner, run: impl Future<Output = ()>) -> bool {
        let began_ms = uptime_ms();
        let ended = caught(async {
            tokio::select! {
                biased;
                () = run => {}
                () = self.beat(task, runner, began_ms) => {}
            }
        });
        let why = match ended.await {
            _ if self.stop.is_cancelled() => return false,
            Ok(()) => "the task returned".to_owned(),
            Err(panic) => words(&*panic),
        };
        let pause = self.tell_runner(task, runner, &why);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.stop.cancelled() => false,
        }
    }

    /// Heartbeat of a task, as part of the task. Ends the alarm of the task after a good run.
    async fn beat(&self, task: Task, runner: &Runner, began_ms: u64) {
        loop {
            runner.beat(uptime_ms());
            self.see_runner(task, runner, began_ms);
            tokio::time::sleep(Duration::from_millis(PULSE_MILLIS)).await;
        }
    }

    /// Ends the alarm of a task that has run since `began_ms`, if the run was long enough.
    pub(crate) fn see(&self, task: Task, began_ms: u64) {
        self.see_runner(task, &self.tasks.runner(task), began_ms);
    }

    fn see_runner(&self, task: Task, runner: &Runner, began_ms: u64) {
        let mut ends = self.ends();
        let ends = &mut ends.0[task.index()];
        let has_ended = ends.is_trouble || !ends.recent.is_empty();
        if has_ended && ends.is_well(began_ms, uptime_ms()) {
            *ends = Ends::default();
            runner.is_well();
            self.event_log.append(&Event::TaskWell { task: task.word() });
        }
    }

    /// Logs and counts the end of a task, and raises the alarm. Returns the pause before the
    /// restart.
    pub(crate) fn tell(&self, task: Task, why: &str) -> Duration {
        self.tell_runner(task, &self.tasks.runner(task), why)
    }

    fn tell_runner(&self, task: Task, runner: &Runner, why: &str) -> Duration {
        let (count, pause_ms) = {
            let mut ends = self.ends();
            let ends = &mut ends.0[task.index()];
            (ends.count(uptime_ms()), ends.pause_ms())
        };
        let word = task.word();
        let alarm = match count >= FAULTS_MAX {
            true => format!(
                "the task `{word}` has ended {count} times within {} minutes, last because {why}",
                FAULT_WINDOW_SECS / 60
            ),
            false => format!("the task `{word}` has ended and was restarted: {why}"),
        };
        runner.ended(alarm, uptime_ms());
        self.event_log.append(&Event::TaskEnded { task: word, why: why.to_owned() });
        if let Some(fault) = &self.fault {
            fault.cancel();
        }
        Duration::from_millis(pause_ms)
    }

    fn ends(&self) -> MutexGuard<'_, AllEnds> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Heartbeat of a task that another function runs.
pub(crate) async fn pulse(tasks: &TaskBoard, task: Task) {
    let runner = tasks.runner(task);
    loop {
        runner.beat(uptime_ms());
        tokio::time::sleep(Duration::from_millis(PULSE_MILLIS)).await;
    }
}

/// Watches the UDP workers: each turn of the loop counts as a heartbeat.
pub(crate) async fn see_workers(shared: Arc<Shared>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        for (worker, turns) in shared.counters.worker_turns() {
            shared.tasks.see_worker(worker, turns, uptime_ms());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(PULSE_MILLIS)) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Message of a panic.
fn words(panic: &(dyn Any + Send)) -> String {
    format!("a panic: {}", caught::words(panic).unwrap_or_else(|| "without a message".to_owned()))
}

#[cfg(test)]
mod tests;
