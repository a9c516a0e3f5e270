//! The running server, as far as new files are held against it.

use crate::config::Listen;
use crate::steer::ledger::Ledger;
use std::path::PathBuf;

/// What only a restart changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestartOnly {
    /// Sockets and their limits.
    pub(crate) listen: Listen,
    /// File for the number of the process.
    pub(crate) pid_file: Option<PathBuf>,
    /// Whether the first fault of a task ends the process.
    pub(crate) exit_on_fault: bool,
    /// State folder.
    pub(crate) state: PathBuf,
}

/// The server that new files are to be taken over by.
pub struct Running {
    /// What the process was started with.
    pub(crate) fixed: RestartOnly,
    /// The ledger of overrides in force.
    pub(crate) ledger: Ledger,
    /// Which PoPs of the snapshot in service take no regular clients by their probes, in order.
    pub(crate) is_off: Vec<bool>,
}
