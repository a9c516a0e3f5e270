//! Running server, as far as new files are compared with it.

use crate::config::{Listen, Sandbox};
use crate::steer::ledger::Ledger;
use std::path::PathBuf;
use std::sync::Arc;

/// Settings that only a restart changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestartOnly {
    /// Sockets and their limits.
    pub(crate) listen: Listen,
    /// File for the process id.
    pub(crate) pid_file: Option<PathBuf>,
    /// True if the first fault of a task ends the process.
    pub(crate) exit_on_fault: bool,
    /// State folder.
    pub(crate) state: PathBuf,
    /// User that the process becomes; `None` leaves it what it is.
    pub(crate) user: Option<Arc<str>>,
    /// Limits that the process sets for itself.
    pub(crate) sandbox: Sandbox,
    /// True if a check runs a program, which the sandbox must allow from the start.
    pub(crate) runs_programs: bool,
}

/// Server that new files would change.
pub struct Running {
    /// Settings at the start of the process.
    pub(crate) fixed: RestartOnly,
    /// Ledger of overrides in force.
    pub(crate) ledger: Ledger,
    /// For each PoP of the served snapshot, true if its probes keep regular clients away.
    pub(crate) is_off: Vec<bool>,
}
