//! Signals that the server handles.

use std::io;

/// Signals that the server handles. They are caught before the first file is read, so that an early
/// SIGHUP does not end the process.
pub(crate) struct Signals {
    /// Reload.
    #[cfg(unix)]
    pub(crate) hangup: tokio::signal::unix::Signal,
    /// Stop.
    #[cfg(unix)]
    pub(crate) terminate: tokio::signal::unix::Signal,
    /// Stop, from a terminal.
    #[cfg(unix)]
    pub(crate) interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Begins to catch the signals, on the entered runtime.
    pub(crate) fn catch() -> io::Result<Signals> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Signals {
                hangup: signal(SignalKind::hangup())?,
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Signals {})
    }

    /// Waits for a signal that stops the server. Cancel-safe.
    pub(crate) async fn end(&mut self) -> &'static str {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
        #[cfg(not(unix))]
        {
            let _ = tokio::signal::ctrl_c().await;
            "an interrupt"
        }
    }
}
