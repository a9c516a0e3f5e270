//! Commands to the writer, and its reports.

use crate::finding::{Files, Findings};
use crate::impact::Difference;
use crate::impact::comparison::Comparison;
use crate::impact::prediction::Prediction;
use crate::steer::ledger::{Action, Effective, Selector};
use crate::zone::source::FolderStanding;
use std::fmt;
use std::sync::Arc;

/// Sender of a reload request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// SIGHUP.
    Signal,
    /// A control page; with the user who asked.
    Control(Arc<str>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Signal => "SIGHUP",
            Origin::Control(author) => author,
        })
    }
}

/// Callback to the sender of a reload request. Called once, or dropped without a call if the server
/// stops first.
pub(crate) type ReloadReply = Box<dyn FnOnce(Arc<Report>) + Send>;

/// Command to the writer.
pub enum Command {
    /// Read all files again, and publish the snapshot if it is good. Concurrent requests are
    /// coalesced into one reload.
    Reload {
        /// Sender of the request.
        origin: Origin,
        /// Callback with the report; `None` for signals.
        reply: Option<ReloadReply>,
        /// True if missing zones are dropped, whatever their number and whatever refers to them.
        allow_loss: bool,
    },
    /// Report the state of reloads.
    ReloadStatus {
        /// Callback with the state.
        reply: Box<dyn FnOnce(ReloadStatus) + Send>,
    },
    /// Give up the running reload.
    CancelReload {
        /// User who gives it up.
        author: Arc<str>,
        /// Callback: the step of the reload that was given up, or a sentence if none ran.
        reply: Box<dyn FnOnce(Result<String, String>) + Send>,
    },
    /// Read all files again and report what a reload would move. Nothing is published.
    Compare {
        /// Callback with the comparison.
        reply: Box<dyn FnOnce(Compared) + Send>,
    },
    /// Set or clear an override. A running reload does not delay it.
    Override {
        /// Requested override.
        change: OverrideChange,
        /// Callback with the outcome.
        reply: Box<dyn FnOnce(OverrideReport) + Send>,
    },
    /// End the alarm of a ledger that could not be read.
    Acknowledge {
        /// User who acknowledges it.
        author: Arc<str>,
        /// Callback: the alarms that ended, or a sentence.
        reply: Box<dyn FnOnce(Result<Vec<String>, String>) + Send>,
    },
    /// Act on a check of the state folder.
    StateFolder {
        /// Result of the check.
        look: StateLook,
    },
    /// Take a result of an external probe.
    Push {
        /// Result of the probe.
        push: ProbePush,
        /// Callback: nothing, or the reason why it was refused.
        reply: Box<dyn FnOnce(Result<(), String>) + Send>,
    },
    /// Take a load that an external program has measured.
    PushLoad {
        /// Measured load.
        push: LoadPush,
        /// Callback: nothing, or the reason why it was refused.
        reply: Box<dyn FnOnce(Result<(), String>) + Send>,
    },
}

/// Result of a check of the state folder and the control socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateLook {
    /// Fault, in words; `None` if there is none.
    pub(crate) fault: Option<String>,
    /// True if another server has claimed the folder: nothing may be written there.
    pub(crate) is_taken: bool,
    /// Sentence if the folder or the ledger was created again: the writer then saves its state
    /// there.
    pub(crate) made_anew: Option<String>,
    /// Sentence if the control socket was created again.
    pub(crate) control_made_anew: Option<String>,
}

impl StateLook {
    /// Result with a fault.
    pub(crate) fn trouble(fault: String) -> StateLook {
        StateLook { fault: Some(fault), ..StateLook::default() }
    }
}

/// State of a running reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunningStatus {
    /// Sender of its first request.
    pub(crate) origin: Origin,
    /// Its age in seconds.
    pub(crate) age_secs: u64,
    /// Its current step, in words.
    pub(crate) does: String,
}

/// State of reloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadStatus {
    /// Running reload.
    pub(crate) running: Option<RunningStatus>,
    /// Number of requests that wait for the next reload.
    pub(crate) waiting: usize,
    /// Number of reloads that were given up and whose threads still wait for the disk.
    pub(crate) hung: usize,
    /// Source of each zone in service, and files that are not in force.
    pub(crate) folder: Arc<FolderStanding>,
}

/// Comparison with new files, or the findings that would refuse them.
pub(crate) type Compared = Result<Comparison, Box<(Findings, Files)>>;

/// Requested override of PoPs.
#[derive(Clone, Debug)]
pub struct OverrideChange {
    /// PoPs; each selector becomes an entry of the ledger.
    pub selectors: Vec<Selector>,
    /// State or weight to set.
    pub action: Action,
    /// User who requests it.
    pub author: Arc<str>,
    /// Reason that the user gave.
    pub reason: Arc<str>,
    /// Duration in seconds; `None` until it is cleared.
    pub lasts_secs: Option<u64>,
    /// Start, in seconds since 1970; `None` for now.
    pub start_epoch_secs: Option<u64>,
    /// Duration of the gradual change, in seconds; 0 for at once.
    pub over_secs: u64,
    /// True if safety rules are ignored.
    pub force: bool,
    /// True if only the outcome is reported, and nothing is changed.
    pub dry_run: bool,
    /// True if it takes effect in memory before it is on the disk.
    pub unsaved: bool,
}

/// Outcome of a requested override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverrideOutcome {
    /// The override is in force.
    Done,
    /// The override would be in force; nothing was changed.
    DryRun,
    /// Safety rules forbid the override: their sentences.
    Unsafe(Vec<String>),
    /// The override is not possible: a sentence.
    Refused(String),
}

/// Report on a requested override.
#[derive(Clone, Debug)]
pub struct OverrideReport {
    /// Outcome of the request.
    pub(crate) ended: OverrideOutcome,
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// State digest of that snapshot, in hexadecimal.
    pub(crate) digest: String,
    /// Selected PoPs, before and after.
    pub(crate) pops: Vec<PopChange>,
    /// Warnings for the operator.
    pub(crate) warnings: Vec<String>,
    /// Predicted moves once the override has full effect; only in a dry run.
    pub(crate) prediction: Option<Prediction>,
}

/// PoP before and after an override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PopChange {
    /// Name of the PoP.
    pub(crate) pop: Arc<str>,
    /// State and weight before.
    pub(crate) before: Effective,
    /// State and weight after.
    pub(crate) after: Effective,
}

/// Result of an external probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePush {
    /// Name of the probe.
    pub probe: Arc<str>,
    /// Name of the PoP.
    pub pop: Arc<str>,
    /// Name of the service; `None` for all services that the probe watches.
    pub service: Option<Arc<str>>,
    /// Address; `None` for the service as a whole.
    pub address: Option<std::net::IpAddr>,
    /// True if the result is a success.
    pub up: bool,
    /// Reason, in words.
    pub reason: Option<String>,
}

/// Load that an external program has measured.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadPush {
    /// Name of the PoP.
    pub pop: Arc<str>,
    /// Name of the service; `None` for the whole PoP.
    pub service: Option<Arc<str>>,
    /// Current load, in the unit of the capacity; finite, not negative.
    pub value: f64,
}

/// Sender of commands to the writer. Returns the command if the writer cannot take it now.
pub(crate) type CommandSender = Arc<dyn Fn(Command) -> Result<(), Command> + Send + Sync>;

/// Report on a reload.
pub struct Report {
    /// True if a new snapshot is in service.
    pub published: bool,
    /// Sequence number of the snapshot in service after the reload.
    pub(crate) sequence: u64,
    /// State digest of that snapshot, in hexadecimal.
    pub(crate) digest: String,
    /// Files digest of that snapshot, in hexadecimal.
    pub(crate) files_digest: String,
    /// Source of each zone after the reload, and files that are not in force.
    pub(crate) folder: Arc<FolderStanding>,
    /// Difference from the snapshot before; `None` if none was published.
    pub(crate) difference: Option<Difference>,
    /// All findings; they include errors if the reload was refused.
    pub findings: Findings,
    /// Files to which the findings refer.
    pub(crate) files: Files,
}
