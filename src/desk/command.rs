//! Commands to the single writer, and what it reports back.

use crate::finding::{Files, Findings};
use crate::snapshot::Difference;
use std::fmt;
use std::sync::Arc;

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// SIGHUP.
    Signal,
    /// The control socket.
    Control,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Signal => "SIGHUP",
            Origin::Control => "control socket",
        })
    }
}

/// The way back to whoever gave a command. Called once; dropped without a call only if the server
/// stops first.
pub type Reply = Box<dyn FnOnce(Arc<Report>) + Send>;

/// What the writer is asked to do.
pub enum Command {
    /// Read everything anew, and publish it if it is good. Requests that wait together are answered
    /// by one run.
    Reload {
        /// Who asked.
        origin: Origin,
        /// The way back; `None` for signals.
        reply: Option<Reply>,
    },
}

/// The writer's door. Gives the command back if it cannot be taken now.
pub type Door = Arc<dyn Fn(Command) -> Result<(), Command> + Send + Sync>;

/// What came of a reload.
pub struct Report {
    /// Whether a new snapshot is in service.
    pub published: bool,
    /// Sequence number of the snapshot in service after the reload.
    pub sequence: u64,
    /// Its digest, in hexadecimal.
    pub digest: String,
    /// What differs from the snapshot before; `None` if none was published.
    pub difference: Option<Difference>,
    /// Everything found, errors if it was refused.
    pub findings: Findings,
    /// The files that the findings point into.
    pub files: Files,
}
