//! Errors of accept(2): those of a single connection, and the pause after all others.

use crate::limits::{ACCEPT_PAUSE_MILLIS, ACCEPT_PAUSE_MILLIS_MIN};
use std::io;
use std::time::Duration;

/// Pause of one accept loop. Make a new one after each success.
#[derive(Debug, Default)]
pub(crate) struct AcceptPause {
    last: Duration,
}

impl AcceptPause {
    /// Pause before the next `accept`. `None` if the error concerns one connection, so that the
    /// next can be accepted at once. If descriptors or memory are exhausted, the connection stays
    /// in the kernel's queue, and an immediate retry would spin.
    pub(crate) fn after(&mut self, error: &io::Error) -> Option<Duration> {
        if concerns_one_connection(error) {
            return None;
        }
        self.last = (self.last * 2).clamp(
            Duration::from_millis(ACCEPT_PAUSE_MILLIS_MIN),
            Duration::from_millis(ACCEPT_PAUSE_MILLIS),
        );
        Some(self.last)
    }
}

/// True for errors of `accept` that belong to the connection being accepted (accept(2), "Error
/// handling").
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::TimedOut
    )
}

#[cfg(test)]
mod tests;
