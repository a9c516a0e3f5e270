//! Served snapshot: many threads read it without a lock, and the writer replaces it whole.
//!
//! ```text
//! publish ──▶ ServedSnapshot { snapshot, decision counters } ◀── workers, for a batch
//!     │                                  ▲
//!     ▼                                  │ folded once no worker counts there any more
//!  retired, held by the writer ──────────┘
//! ```

use crate::shared::decisions::{DecisionCounters, Decisions};
use crate::snapshot::Snapshot;
use arc_swap::{ArcSwap, Guard};
use std::sync::Arc;

/// Snapshot in service, with its counters.
#[derive(Debug)]
pub struct ServedSnapshot {
    /// The snapshot.
    pub snapshot: Arc<Snapshot>,
    /// Decision counters by the indexes of the snapshot.
    pub(crate) decision_counters: Arc<DecisionCounters>,
    /// Counts of earlier snapshots. The writer replaces them whole, so that a reader sees every
    /// count once.
    history: ArcSwap<History>,
}

/// Counts of earlier snapshots.
#[derive(Clone, Debug, Default)]
struct History {
    /// Sums by name.
    past: Arc<Decisions>,
    /// Counters of retired snapshots from which workers may still answer.
    retired: Vec<Arc<DecisionCounters>>,
}

/// Holder of the served snapshot.
#[derive(Debug)]
pub struct Published {
    current: ArcSwap<ServedSnapshot>,
    worker_count: usize,
}

impl Published {
    /// Publishes the first snapshot, with decision counters for `worker_count` writers.
    pub fn new(snapshot: Arc<Snapshot>, worker_count: usize) -> Published {
        let decision_counters = Arc::new(DecisionCounters::new(&snapshot, worker_count));
        Published {
            current: ArcSwap::from_pointee(ServedSnapshot {
                snapshot,
                decision_counters,
                history: ArcSwap::default(),
            }),
            worker_count,
        }
    }

    /// Served snapshot, for the time of a batch. A thread must drop it before it sleeps, or a
    /// retired snapshot stays in memory during the sleep.
    pub fn served(&self) -> Guard<Arc<ServedSnapshot>> {
        self.current.load()
    }

    /// Snapshot in service, for longer work such as a reload.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.load().snapshot)
    }

    /// Puts a snapshot into service and returns the one that it replaces. Only the writer calls
    /// this.
    pub fn publish(&self, snapshot: Arc<Snapshot>) -> Arc<ServedSnapshot> {
        let old = self.current.load_full();
        let mut history = History::clone(&old.history.load());
        let decision_counters = if old.decision_counters.fits(&snapshot) {
            Arc::clone(&old.decision_counters)
        } else {
            history.retired.push(Arc::clone(&old.decision_counters));
            Arc::new(DecisionCounters::new(&snapshot, self.worker_count))
        };
        self.current.swap(Arc::new(ServedSnapshot {
            snapshot,
            decision_counters,
            history: ArcSwap::from_pointee(history),
        }))
    }

    /// Folds the counters that no worker writes any more: all but those of the served snapshot, and
    /// those of `held`, the retired snapshots that workers may still use. Only the writer calls
    /// this.
    pub(crate) fn fold_retired(&self, held: &[Arc<ServedSnapshot>]) {
        let current = self.current.load();
        let history = current.history.load_full();
        let is_live = |decision_counters: &Arc<DecisionCounters>| {
            held.iter().any(|h| Arc::ptr_eq(&h.decision_counters, decision_counters))
        };
        let (retired, idle): (Vec<_>, Vec<_>) = history.retired.iter().cloned().partition(is_live);
        if idle.is_empty() {
            return;
        }
        let mut past = Decisions::clone(&history.past);
        idle.iter().for_each(|decision_counters| decision_counters.fold_into(&mut past));
        current.history.store(Arc::new(History { past: Arc::new(past), retired }));
    }

    /// All decisions since the start, by name.
    pub(crate) fn decisions(&self) -> Decisions {
        let current = self.current.load();
        let history = current.history.load();
        let mut decisions = Decisions::clone(&history.past);
        history
            .retired
            .iter()
            .chain([&current.decision_counters])
            .for_each(|decision_counters| decision_counters.fold_into(&mut decisions));
        decisions
    }
}
