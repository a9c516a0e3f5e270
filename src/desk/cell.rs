//! What is in service: many read it without a lock, one writer replaces it whole.
//!
//! ```text
//! publish ──▶ InService { snapshot, tallies, history } ◀── workers, for a batch
//!     │                                  ▲
//!     ▼                                  │ folded once nobody counts there any more
//!  retired, in the writer's hands ───────┘
//! ```

use crate::desk::tally::{Decisions, Tallies};
use crate::snapshot::Snapshot;
use arc_swap::{ArcSwap, Guard};
use std::sync::Arc;

/// A snapshot with what is counted while it answers.
#[derive(Debug)]
pub struct InService {
    /// The snapshot.
    pub snapshot: Arc<Snapshot>,
    /// Decisions by its indexes.
    pub tallies: Arc<Tallies>,
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
    retired: Vec<Arc<Tallies>>,
}

/// Holds what is in service.
#[derive(Debug)]
pub struct Cell {
    current: ArcSwap<InService>,
    seats: usize,
}

impl Cell {
    /// A cell with the first snapshot, for `seats` writers of tallies.
    pub fn new(snapshot: Arc<Snapshot>, seats: usize) -> Cell {
        let tallies = Arc::new(Tallies::new(&snapshot, seats));
        Cell {
            current: ArcSwap::from_pointee(InService { snapshot, tallies, history: ArcSwap::default() }),
            seats,
        }
    }

    /// What is in service, for the time of a batch. Whoever sleeps must let go of it first, or a
    /// retired snapshot stays in memory for as long as the sleep.
    pub fn load(&self) -> Guard<Arc<InService>> {
        self.current.load()
    }

    /// The snapshot in service, for longer work such as a reload.
    pub fn full(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.load().snapshot)
    }

    /// Puts a snapshot into service and gives back what it replaces. Only the writer calls this.
    pub fn publish(&self, snapshot: Arc<Snapshot>) -> Arc<InService> {
        let old = self.current.load_full();
        let mut history = History::clone(&old.history.load());
        let tallies = if old.tallies.fits(&snapshot) {
            Arc::clone(&old.tallies)
        } else {
            history.retired.push(Arc::clone(&old.tallies));
            Arc::new(Tallies::new(&snapshot, self.seats))
        };
        self.current.swap(Arc::new(InService { snapshot, tallies, history: ArcSwap::from_pointee(history) }))
    }

    /// Folds the tallies in which nobody counts any more: all but those of what is in service and
    /// of `held`, the retired that workers may still answer from. Only the writer calls this.
    pub fn settle(&self, held: &[Arc<InService>]) {
        let current = self.current.load();
        let history = current.history.load_full();
        let is_live = |tallies: &Arc<Tallies>| held.iter().any(|h| Arc::ptr_eq(&h.tallies, tallies));
        let (retired, settled): (Vec<_>, Vec<_>) = history.retired.iter().cloned().partition(is_live);
        if settled.is_empty() {
            return;
        }
        let mut past = Decisions::clone(&history.past);
        settled.iter().for_each(|tallies| tallies.fold_into(&mut past));
        current.history.store(Arc::new(History { past: Arc::new(past), retired }));
    }

    /// Every decision since the start, by name.
    pub fn decisions(&self) -> Decisions {
        let current = self.current.load();
        let history = current.history.load();
        let mut decisions = Decisions::clone(&history.past);
        history
            .retired
            .iter()
            .chain([&current.tallies])
            .for_each(|tallies| tallies.fold_into(&mut decisions));
        decisions
    }
}
