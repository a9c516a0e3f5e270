//! Board of tasks: for each supervised task, its last heartbeat, the number of
//! its unplanned ends, and its alarm.
//!
//! Tasks and their supervisor write it. Pages and metrics read it without the writer, because the
//! writer may be the task in trouble. Times are milliseconds of one monotonic clock, given by the
//! caller.

use crate::shared::alarm::AlarmKey;
use crate::shared::task::Task;
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Instance of a task. Most tasks have one. A stream transport has one for each listener, so that
/// the heartbeats of one cannot hide another that hangs.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    is_begun: AtomicBool,
    beat_ms: AtomicU64,
    ends: AtomicU64,
    /// Alarm about its end, with the time of the end, while it stands.
    alarm: ArcSwapOption<(String, u64)>,
    /// True if a test wants it to panic.
    #[cfg(debug_assertions)]
    fault: AtomicBool,
}

impl Runner {
    /// Notes a heartbeat. In debug builds it panics here on demand.
    pub(crate) fn beat(&self, now_ms: u64) {
        self.beat_ms.store(now_ms, Ordering::Relaxed);
        self.is_begun.store(true, Ordering::Relaxed);
        #[cfg(debug_assertions)]
        if self.fault.swap(false, Ordering::Relaxed) {
            panic!("a fault on demand");
        }
    }

    /// Notes an unplanned end, such as a panic; `alarm` stands until [`Runner::is_well`].
    pub(crate) fn ended(&self, alarm: String, now_ms: u64) {
        self.ends.fetch_add(1, Ordering::Relaxed);
        self.alarm.store(Some(Arc::new((alarm, now_ms))));
    }

    /// Ends the alarm.
    pub(crate) fn is_well(&self) {
        self.alarm.store(None);
    }
}

/// Board of all tasks.
#[derive(Debug)]
pub(crate) struct TaskBoard {
    /// Runners of each task.
    rows: Box<[ArcSwap<Vec<Arc<Runner>>>]>,
    /// Loop iterations of each UDP worker at the last look, and the time of their last change.
    workers: Box<[(AtomicU64, AtomicU64)]>,
}

impl TaskBoard {
    /// Board without a started task, for `workers` UDP workers.
    pub(crate) fn new(workers: usize) -> TaskBoard {
        let workers = (0..workers).map(|_| Default::default()).collect();
        TaskBoard { rows: Task::all().map(|_| ArcSwap::default()).collect(), workers }
    }

    fn row(&self, task: Task) -> Arc<Vec<Arc<Runner>>> {
        self.rows[task.index()].load_full()
    }

    /// Adds a runner of a task.
    pub(crate) fn enter(&self, task: Task) -> Arc<Runner> {
        let runner = Arc::<Runner>::default();
        let one = || std::iter::once(Arc::clone(&runner));
        self.rows[task.index()].rcu(|row| row.iter().cloned().chain(one()).collect::<Vec<_>>());
        runner
    }

    /// Runner of a task that has one.
    pub(crate) fn runner(&self, task: Task) -> Arc<Runner> {
        match self.row(task).first() {
            Some(runner) => Arc::clone(runner),
            None => self.enter(task),
        }
    }

    /// Makes a runner of a task panic at its next heartbeat.
    #[cfg(debug_assertions)]
    pub(crate) fn end(&self, task: Task) {
        self.runner(task).fault.store(true, Ordering::Relaxed);
    }

    /// Number of unplanned ends of a task.
    pub(crate) fn ends(&self, task: Task) -> u64 {
        self.row(task).iter().map(|runner| runner.ends.load(Ordering::Relaxed)).sum()
    }

    /// Started tasks, with the milliseconds since the last heartbeat; of several runners, the
    /// oldest heartbeat.
    pub(crate) fn ages(&self, now_ms: u64) -> impl Iterator<Item = (Task, u64)> {
        Task::all().filter_map(move |task| {
            let row = self.row(task);
            let begun = row.iter().filter(|runner| runner.is_begun.load(Ordering::Relaxed));
            let ages = begun.map(|runner| now_ms.saturating_sub(runner.beat_ms.load(Ordering::Relaxed)));
            ages.max().map(|age_ms| (task, age_ms))
        })
    }

    /// Notes the loop iterations of a UDP worker.
    pub(crate) fn see_worker(&self, worker: usize, turns: u64, now_ms: u64) {
        let Some((seen, moved_ms)) = self.workers.get(worker) else { return };
        if seen.swap(turns, Ordering::Relaxed) != turns {
            moved_ms.store(now_ms, Ordering::Relaxed);
        }
    }

    /// Milliseconds since the last iteration of each UDP worker, in order.
    pub(crate) fn worker_ages(&self, now_ms: u64) -> impl Iterator<Item = u64> {
        let age = move |(_, moved_ms): &(AtomicU64, AtomicU64)| {
            now_ms.saturating_sub(moved_ms.load(Ordering::Relaxed))
        };
        self.workers.iter().map(age)
    }

    /// Alarms that stand: tasks that have ended by faults, and tasks and UDP workers that have not
    /// moved for longer than `still_ms`.
    pub(crate) fn alarms(&self, now_ms: u64, still_ms: u64) -> Vec<StandingTask> {
        let mut alarms: Vec<StandingTask> = Vec::new();
        for task in Task::all() {
            let ended =
                self.row(task).iter().filter_map(|runner| runner.alarm.load_full()).collect::<Vec<_>>();
            // Runners of one task share a sentence: the oldest is reported.
            let oldest = ended.into_iter().min_by_key(|alarm| alarm.1);
            alarms.extend(oldest.map(|alarm| StandingTask {
                key: AlarmKey::TaskEnded(task),
                sentence: alarm.0.clone(),
                age_ms: now_ms.saturating_sub(alarm.1),
            }));
        }
        let is_still = |(_, age_ms): &(Task, u64)| *age_ms > still_ms;
        alarms.extend(self.ages(now_ms).filter(is_still).map(|(task, age_ms)| StandingTask {
            key: AlarmKey::TaskStill(task),
            sentence: format!("the task `{}` has not moved for {} s", task.word(), age_ms / 1_000),
            age_ms,
        }));
        let workers = self.worker_ages(now_ms).enumerate().filter(|(_, age_ms)| *age_ms > still_ms);
        alarms.extend(workers.map(|(worker, age_ms)| StandingTask {
            key: AlarmKey::WorkerStill(worker),
            sentence: format!("the UDP worker {worker} has not moved for {} s", age_ms / 1_000),
            age_ms,
        }));
        alarms
    }
}

/// Alarm of a task or a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StandingTask {
    /// Cause.
    pub(crate) key: AlarmKey,
    /// Sentence for operators.
    pub(crate) sentence: String,
    /// Milliseconds for which it stands.
    pub(crate) age_ms: u64,
}

#[cfg(test)]
mod tests;
