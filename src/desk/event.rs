//! What happens to a server, in words: one line each, the same in every log.

use crate::desk::command::Origin;
use std::fmt;

/// Something worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server answers queries.
    Serving {
        /// Digest of the first snapshot.
        digest: String,
    },
    /// A reload begins.
    ReloadStarted {
        /// Who asked first.
        origin: Origin,
        /// How many requests this run answers.
        requests: usize,
    },
    /// A reload put a new snapshot into service.
    Published {
        /// Its sequence number.
        sequence: u64,
        /// Its digest.
        digest: String,
        /// Lines of the difference.
        changes: usize,
        /// How long reading and compiling took, in milliseconds.
        took_millis: u64,
    },
    /// A reload was refused; the snapshot before stays.
    Refused {
        /// How many findings refused it.
        errors: usize,
        /// The snapshot that stays.
        sequence: u64,
    },
    /// The server was told to stop.
    Stopping {
        /// By which signal.
        signal: &'static str,
    },
    /// The server has stopped.
    Stopped,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Serving { digest } => write!(f, "serving snapshot 1, digest {digest}"),
            Event::ReloadStarted { origin, requests: 1 } => write!(f, "reload asked by {origin}"),
            Event::ReloadStarted { origin, requests } => write!(f, "reload asked by {origin}, {requests} requests at once"),
            Event::Published { sequence, digest, changes: 0, took_millis } => {
                write!(f, "published snapshot {sequence}, digest {digest}, nothing changed, {took_millis} ms")
            }
            Event::Published { sequence, digest, changes, took_millis } => {
                write!(f, "published snapshot {sequence}, digest {digest}, lines of difference: {changes}, {took_millis} ms")
            }
            Event::Refused { errors, sequence } => {
                write!(f, "reload refused, errors: {errors}; snapshot {sequence} stays in service")
            }
            Event::Stopping { signal } => write!(f, "stopping on {signal}"),
            Event::Stopped => f.write_str("stopped"),
        }
    }
}
