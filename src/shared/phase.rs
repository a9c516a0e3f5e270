//! Phase of a server's life: the program sets it, health checks read it.

use std::sync::atomic::{AtomicU8, Ordering};

closed_set! {
    /// Phase of a server's life. Its word stands on pages.
    pub(crate) enum Phase {
        /// Sockets are being opened; no query is answered yet.
        Starting = "starting",
        /// Queries are answered.
        Serving = "serving",
        /// The server stops; answers in progress are finished.
        Draining = "draining",
    }
}

/// Phase of the running server.
#[derive(Debug, Default)]
pub(crate) struct AtomicPhase(AtomicU8);

impl AtomicPhase {
    /// Current phase.
    pub(crate) fn get(&self) -> Phase {
        Phase::ALL[usize::from(self.0.load(Ordering::Relaxed))]
    }

    /// Enters a phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }
}
