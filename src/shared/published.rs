//! What is in service: many read it without a lock, one writer replaces it whole.
//!
//! ```text
//! publish ──▶ ServedSnapshot { snapshot, decision counters } ◀── workers, for a batch
//!     │                                  ▲
//!     ▼                                  │ folded once nobody counts there any more
//!  retired, held by the writer ──────────┘
//! ```

use crate::shared::decisions::{DecisionCounters, Decisions};
use crate::snapshot::Snapshot;
use arc_swap::{ArcSwap, Guard};
use std::sync::Arc;

/// A snapshot with what is counted while it answers.
#[derive(Debug)]
pub struct ServedSnapshot {
    /// The snapshot.
    pub snapshot: Arc<Snapshot>,
    /// Decisions by its indexes.
    pub(crate) decision_counters: Arc<DecisionCounters>,
    /// What was counted before. Replaced whole by the writer, so that a reader meets every count
    /// once.
    history: ArcSwap<History>,
}

/// What earlier snapshots have counted.
#[derive(Clone, Debug, Default)]
struct History {
    /// Folded by name.
    past: Arc<Decisions>,
    /// Of snapshots that workers may still answer from.
    retired: Vec<Arc<DecisionCounters>>,
}

/// Holds what is in service.
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

    /// What is in service, for the time of a batch. Whoever sleeps must let go of it first, or a
    /// retired snapshot stays in memory for as long as the sleep.
    pub fn served(&self) -> Guard<Arc<ServedSnapshot>> {
        self.current.load()
    }

    /// The snapshot in service, for longer work such as a reload.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.load().snapshot)
    }

    /// Puts a snapshot into service and gives back what it replaces. Only the writer calls this.
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

    /// Folds the decision counters that no worker writes any more: all but those of the snapshot in
    /// service and of `held`, the retired ones that workers may still use. Only the writer calls
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

    /// Every decision since the start, by name.
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
