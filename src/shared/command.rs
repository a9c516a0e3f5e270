//! Commands to the single writer, and what it reports back.

use crate::finding::{Files, Findings};
use crate::impact::Difference;
use crate::impact::comparison::Comparison;
use crate::impact::prediction::Prediction;
use crate::steer::ledger::{Action, Effective, Selector};
use crate::zone::source::FolderStanding;
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
pub(crate) type ReloadReply = Box<dyn FnOnce(Arc<Report>) + Send>;

/// What the writer is asked to do.
pub enum Command {
    /// Read everything anew, and publish it if it is good. Requests that wait together are answered
    /// by one run.
    Reload {
        /// Who asked.
        origin: Origin,
        /// The way back; `None` for signals.
        reply: Option<ReloadReply>,
        /// Whether zones that are gone are let go, however many they are and whoever needs them.
        allow_loss: bool,
    },
    /// Tell what reloads do.
    ReloadStatus {
        /// The way back.
        reply: Box<dyn FnOnce(ReloadStatus) + Send>,
    },
    /// Give up the reload that runs.
    CancelReload {
        /// Who wants that.
        author: Arc<str>,
        /// The way back: what it did, or a sentence if there is none.
        reply: Box<dyn FnOnce(Result<String, String>) + Send>,
    },
    /// Read everything anew, tell what it would move, and publish nothing.
    Compare {
        /// The way back.
        reply: Box<dyn FnOnce(Compared) + Send>,
    },
    /// Say something of PoPs by hand, or take it back. Done at once, also while a reload runs.
    Override {
        /// What is said.
        change: OverrideChange,
        /// The way back.
        reply: Box<dyn FnOnce(OverrideReport) + Send>,
    },
    /// End the alarm of a ledger that could not be read.
    Acknowledge {
        /// Who has seen it.
        author: Arc<str>,
        /// The way back: the alarms that are over, or a sentence.
        reply: Box<dyn FnOnce(Result<Vec<String>, String>) + Send>,
    },
    /// Take what a look at the state folder has found.
    StateFolder {
        /// What it was.
        look: StateLook,
    },
    /// Take a result that a probe outside has found.
    Push {
        /// The result.
        push: ProbePush,
        /// The way back: nothing, or why it was not taken.
        reply: Box<dyn FnOnce(Result<(), String>) + Send>,
    },
    /// Take a load that somebody outside has measured.
    PushLoad {
        /// The load.
        push: LoadPush,
        /// The way back: nothing, or why it was not taken.
        reply: Box<dyn FnOnce(Result<(), String>) + Send>,
    },
}

/// What a look has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateLook {
    /// What is wrong, in words; `None` if nothing is.
    pub(crate) fault: Option<String>,
    /// Another server has it: nothing may be written there.
    pub(crate) is_taken: bool,
    /// What was made anew, in words: the server writes there what it has in memory.
    pub(crate) made_anew: Option<String>,
    /// That the control socket was made anew, in words.
    pub(crate) control_made_anew: Option<String>,
}

impl StateLook {
    /// One that has found a trouble.
    pub(crate) fn trouble(fault: String) -> StateLook {
        StateLook { fault: Some(fault), ..StateLook::default() }
    }
}

/// What reloads do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadStatus {
    /// The one that runs: who asked first, its age in seconds, what it does.
    pub(crate) running: Option<(Origin, u64, String)>,
    /// Requests that the next will answer.
    pub(crate) waiting: usize,
    /// Those that were given up, and whose threads still wait for the disk.
    pub(crate) hung: usize,
    /// What each zone in service is served from, and files that are not in force.
    pub(crate) folder: Arc<FolderStanding>,
}

/// What other files would move, or why they would be refused.
pub(crate) type Compared = Result<Comparison, Box<(Findings, Files)>>;

/// What is said of PoPs by hand.
#[derive(Clone, Debug)]
pub struct OverrideChange {
    /// Which PoPs; each becomes an entry of its own.
    pub selectors: Vec<Selector>,
    /// What is said of them.
    pub action: Action,
    /// Who says so.
    pub author: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// How long it holds, in seconds; `None` until it is taken back.
    pub lasts_secs: Option<u64>,
    /// When it begins, in seconds since 1970; `None` for now.
    pub start_epoch_secs: Option<u64>,
    /// How long it takes to come into force, in seconds; 0 for at once.
    pub over_secs: u64,
    /// Whether safety rules are passed over.
    pub force: bool,
    /// Whether only the outcome is told, and nothing done.
    pub dry_run: bool,
    /// Whether it comes into force in memory, before the disk has it.
    pub unsaved: bool,
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverrideOutcome {
    /// It is in service.
    Done,
    /// It would be; nothing was changed.
    DryRun,
    /// Safety rules forbid it: their sentences.
    Unsafe(Vec<String>),
    /// It cannot be done: a sentence.
    Refused(String),
}

/// What came of a change.
#[derive(Clone, Debug)]
pub struct OverrideReport {
    /// How it ended.
    pub(crate) ended: OverrideOutcome,
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// Its digest, in hexadecimal.
    pub(crate) digest: String,
    /// The PoPs covered, before and after.
    pub(crate) pops: Vec<PopChange>,
    /// What the operator should know besides.
    pub(crate) warnings: Vec<String>,
    /// What moves once all of it holds; only told where nothing was done.
    pub(crate) prediction: Option<Prediction>,
}

/// A PoP before and after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PopChange {
    /// Name.
    pub(crate) pop: Arc<str>,
    /// Before.
    pub(crate) before: Effective,
    /// After.
    pub(crate) after: Effective,
}

/// A result that a probe outside has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePush {
    /// Name of the probe.
    pub probe: Arc<str>,
    /// PoP.
    pub pop: Arc<str>,
    /// Service; `None` means all that the probe watches.
    pub service: Option<Arc<str>>,
    /// Address; `None` means the service as a whole.
    pub address: Option<std::net::IpAddr>,
    /// Whether it is well.
    pub up: bool,
    /// In words.
    pub reason: Option<String>,
}

/// A load that somebody outside has measured.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadPush {
    /// PoP.
    pub pop: Arc<str>,
    /// Service; `None` for the whole PoP.
    pub service: Option<Arc<str>>,
    /// The load now, in the unit of the capacity; finite, not negative.
    pub value: f64,
}

/// Sender of commands to the writer. Gives the command back if the writer cannot take it now.
pub(crate) type CommandSender = Arc<dyn Fn(Command) -> Result<(), Command> + Send + Sync>;

/// What came of a reload.
pub struct Report {
    /// Whether a new snapshot is in service.
    pub published: bool,
    /// Sequence number of the snapshot in service after the reload.
    pub(crate) sequence: u64,
    /// Its state digest, in hexadecimal.
    pub(crate) digest: String,
    /// Its files digest, in hexadecimal.
    pub(crate) files_digest: String,
    /// What each zone is served from after the reload, and files that are not in force.
    pub(crate) folder: Arc<FolderStanding>,
    /// What differs from the snapshot before; `None` if none was published.
    pub(crate) difference: Option<Difference>,
    /// Everything found, errors if it was refused.
    pub findings: Findings,
    /// The files that the findings point into.
    pub(crate) files: Files,
}
