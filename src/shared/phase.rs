//! Phase of a server's life: the program sets it, health checks read it.

use std::sync::atomic::{AtomicU8, Ordering};

/// Phase of a server's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Sockets are being opened; no query is answered yet.
    Starting,
    /// Queries are answered.
    Serving,
    /// The server stops; answers in progress are finished.
    Draining,
}

impl Phase {
    /// Lower-case name for operators.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Serving => "serving",
            Phase::Draining => "draining",
        }
    }
}

/// Phase of the running server.
#[derive(Debug, Default)]
pub(crate) struct AtomicPhase(AtomicU8);

impl AtomicPhase {
    /// Current phase.
    pub(crate) fn get(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Draining,
        }
    }

    /// Enters a phase.
    pub(crate) fn enter(&self, phase: Phase) {
        let number = match phase {
            Phase::Starting => 0,
            Phase::Serving => 1,
            Phase::Draining => 2,
        };
        self.0.store(number, Ordering::Relaxed);
    }
}
