//! The published snapshot: many read it without a lock, one writer replaces it whole.

use crate::snapshot::Snapshot;
use arc_swap::{ArcSwap, Guard};
use std::sync::Arc;

/// Holds the snapshot in service.
pub struct Cell {
    current: ArcSwap<Snapshot>,
}

impl Cell {
    /// A cell with the first snapshot.
    pub fn new(snapshot: Arc<Snapshot>) -> Cell {
        Cell { current: ArcSwap::new(snapshot) }
    }

    /// The snapshot in service, for the time of a batch. Whoever sleeps must let go of it first, or a
    /// retired snapshot stays in memory for as long as the sleep.
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// The snapshot in service, for longer work such as a reload.
    pub fn full(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts a snapshot into service and gives back the one it replaces. Only the writer calls this.
    pub fn publish(&self, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
        self.current.swap(snapshot)
    }
}
