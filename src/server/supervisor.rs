//! The supervisor: keeps the long-lived tasks of the control plane going.
//!
//! ```text
//!             fault (panic, or an end without a request)
//!  running ──────────────────────────────────────────────▶ ended: event, alarm, metric
//!     ▲                                                       │ pause, longer with each end
//!     └───────────────────────────────────────────────────────┘ begun anew
//! ```
//!
//! A task that has ended and runs again for a while is well. After three ends in ten minutes the
//! alarm stays until ten minutes are without any. Each task moves under a pulse that is part of it:
//! a task that blocks its thread has none, and its age grows. UDP workers go on serving whatever
//! happens here; with `exit_on_fault` the process ends at the first fault, for those who leave
//! starting anew to systemd.

use crate::limits::{FAULT_WINDOW_SECS, FAULTS_MAX, PULSE_MILLIS, RESTART_PAUSE_MILLIS_MAX};
use crate::shared::Shared;
use crate::shared::event::Event;
use crate::shared::task::Task;
use crate::shared::tasks::{Runner, TaskBoard};
use crate::state::event_log::EventLog;
use crate::sys::caught::caught;
use crate::sys::clock::uptime_ms;
use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The supervisor of one server; cheap to clone.
#[derive(Clone)]
pub(crate) struct Supervisor {
    tasks: Arc<TaskBoard>,
    event_log: EventLog,
    stop: CancellationToken,
    /// Cancelled by the first fault, where one ends the process.
    fault: Option<CancellationToken>,
    ends: Arc<Mutex<[Ends; Task::ALL.len()]>>,
}

/// Ends of one task.
#[derive(Debug, Default)]
struct Ends {
    /// When it has ended within the window, in milliseconds.
    recent: VecDeque<u64>,
    /// It has ended too often, and the window was never empty since.
    is_trouble: bool,
}

impl Ends {
    /// Counts an end; gives how many fall into the window.
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

    /// The pause before it begins anew, in milliseconds: none after the first end.
    fn pause_ms(&self) -> u64 {
        match self.recent.len() {
            0 | 1 => 0,
            ends => (250u64 << (2 * (ends - 2)).min(10)).min(RESTART_PAUSE_MILLIS_MAX),
        }
    }

    /// True if the alarm is over for a task that runs since `began_ms`.
    fn is_well(&mut self, began_ms: u64, now_ms: u64) -> bool {
        self.forget(now_ms);
        match self.is_trouble {
            true => self.recent.is_empty(),
            false => now_ms.saturating_sub(began_ms) > RESTART_PAUSE_MILLIS_MAX,
        }
    }
}

impl Supervisor {
    /// A supervisor. `fault` is cancelled by the first fault; `None` where tasks only begin anew.
    pub(crate) fn new(
        tasks: Arc<TaskBoard>,
        event_log: EventLog,
        stop: CancellationToken,
        fault: Option<CancellationToken>,
    ) -> Supervisor {
        Supervisor { tasks, event_log, stop, fault, ends: Arc::default() }
    }

    /// Keeps a task going until the server stops. `make` gives it anew each time; it may end well
    /// only because the server stops.
    pub(crate) async fn keep<F: Future<Output = ()>>(mut self, task: Task, mut make: impl FnMut() -> F) {
        // Ends and a runner of its own: several listeners have one name.
        self.ends = Arc::default();
        let runner = self.tasks.enter(task);
        loop {
            // A failure while it is made counts as a fault of it too.
            let run = async { make().await };
            if !self.watch_runner(task, &runner, run).await {
                return;
            }
        }
    }

    /// Runs a task once, under its pulse. If it ends before the server stops, an event is logged,
    /// and `true` comes back when it may begin anew.
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
            Ok(()) => "it ended by itself".to_owned(),
            Err(panic) => words(&*panic),
        };
        let pause = self.tell_runner(task, runner, &why);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.stop.cancelled() => false,
        }
    }

    /// Beats for a task, as part of it, and ends its alarm once it is well.
    async fn beat(&self, task: Task, runner: &Runner, began_ms: u64) {
        loop {
            runner.beat(uptime_ms());
            self.see_runner(task, runner, began_ms);
            tokio::time::sleep(Duration::from_millis(PULSE_MILLIS)).await;
        }
    }

    /// Ends the alarm of a task that runs since `began_ms`, once it is well.
    pub(crate) fn see(&self, task: Task, began_ms: u64) {
        self.see_runner(task, &self.tasks.runner(task), began_ms);
    }

    fn see_runner(&self, task: Task, runner: &Runner, began_ms: u64) {
        let mut ends = self.ends();
        let ends = &mut ends[task as usize];
        let has_ended = ends.is_trouble || !ends.recent.is_empty();
        if has_ended && ends.is_well(began_ms, uptime_ms()) {
            *ends = Ends::default();
            runner.is_well();
            self.event_log.append(&Event::TaskWell { task: task.word() });
        }
    }

    /// Says that a task has ended; gives the pause before it begins anew.
    pub(crate) fn tell(&self, task: Task, why: &str) -> Duration {
        self.tell_runner(task, &self.tasks.runner(task), why)
    }

    fn tell_runner(&self, task: Task, runner: &Runner, why: &str) -> Duration {
        let (count, pause_ms) = {
            let mut ends = self.ends();
            let ends = &mut ends[task as usize];
            (ends.count(uptime_ms()), ends.pause_ms())
        };
        let word = task.word();
        let alarm = match count >= FAULTS_MAX {
            true => format!(
                "the task `{word}` has ended {count} times within {} minutes, last because {why}",
                FAULT_WINDOW_SECS / 60
            ),
            false => format!("the task `{word}` has ended and was begun anew: {why}"),
        };
        runner.ended(alarm, uptime_ms());
        self.event_log.append(&Event::TaskEnded { task: word, why: why.to_owned() });
        if let Some(fault) = &self.fault {
            fault.cancel();
        }
        Duration::from_millis(pause_ms)
    }

    fn ends(&self) -> MutexGuard<'_, [Ends; Task::ALL.len()]> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Beats for a task with another keeper.
pub(crate) async fn pulse(tasks: &TaskBoard, task: Task) {
    let runner = tasks.runner(task);
    loop {
        runner.beat(uptime_ms());
        tokio::time::sleep(Duration::from_millis(PULSE_MILLIS)).await;
    }
}

/// Looks at UDP workers, whose loops beat by turning.
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
    let words = panic.downcast_ref::<&str>().map(ToString::to_string);
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a panic: {}", words.unwrap_or_else(|| "without a word".to_owned()))
}

#[cfg(test)]
mod tests;
