//! Configuration: text to checked values, or findings.
//!
//! [`read_deployment`] reads every file that `meridian.yaml` names through a [`Sources`], records
//! every fault it meets, and gives a [`Deployment`] whose values cannot be wrong: every PoP,
//! policy, network and service it mentions exists. Raw YAML never leaves this folder.

pub(crate) mod catalogue;
mod deployment;
pub(crate) mod doubts;
mod files;
pub(crate) mod input;
pub(crate) mod ledger_file;
mod listen;
mod networks;
mod other_words;
mod place;
mod policy;
mod pop_names;
mod pops;
mod probes;
mod scalar;
mod server;
mod special;
mod table;
mod tree;
mod world;
mod zones;

#[cfg(test)]
mod tests;

pub use deployment::read_deployment;
pub(crate) use deployment::{Reading, Recall};
pub(crate) use pop_names::pop_names;
pub(crate) use scalar::UNITS;
pub(crate) use zones::choices::Choices;
pub(crate) use zones::file_name::is_zone_file;

pub(crate) use self::listen::Listen;
use crate::config::input::Input;
use crate::finding::{At, Files, Findings};
use crate::geo::networks::Network;
use crate::health::spec::{Canaries, Probe};
use crate::steer::pop::Pop;
use crate::steer::safety::SafetyRule;
use crate::wire::cookie::{SECRET_LEN, Secrets};
use crate::zone::source::FolderStanding;
use crate::zone::text::{ScopedPolicy, Zone};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where file contents come from. The program reads the disk (`reload::disk`); tests give a map.
pub trait Sources {
    /// The whole content of a file. The error is a sentence for the operator.
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String>;
    /// The whole content of a file that a text of `folder` names relative to it: only if it lies
    /// there once links are followed. Sources without links have nothing to follow.
    fn read_inside(&self, folder: &Path, relative: &Path) -> Result<Arc<[u8]>, String> {
        self.read(&folder.join(relative))
    }
    /// The files directly inside a folder, and whatever else bears the name of a zone file, sorted
    /// by name.
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String>;
    /// Whether everybody on the machine may read or write a file. Sources without owners have
    /// nothing to tell.
    fn is_open_to_all(&self, path: &Path) -> bool {
        let _ = path;
        false
    }
    /// Whether what is read will be served, by this process; else somebody only looks at it, and
    /// need not be able to read secrets.
    fn serves(&self) -> bool {
        true
    }
    /// Whether a file is there, but its permissions keep this process from reading it.
    fn is_withheld(&self, path: &Path) -> bool {
        let _ = path;
        false
    }
    /// Whether every user of the system may read a file.
    fn is_public(&self, path: &Path) -> bool {
        let _ = path;
        false
    }
    /// A secret that only this process has: cookies of a node that was given none. Sources without
    /// dice have none, and then there are no cookies.
    fn own_secret(&self) -> Option<[u8; SECRET_LEN]> {
        None
    }
    /// Does a piece of work for each number below `count`, in any order, and returns when all is
    /// done. Whoever has threads may share it among them.
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(work);
    }
}

/// The node: who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeIdentity {
    /// Name in NSID and `id.server`.
    pub(crate) name: Arc<str>,
    /// The PoP it stands in.
    pub site: Option<Arc<str>>,
}

/// Which cores UDP worker threads run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cpus {
    /// The kernel decides, and may move them.
    Off,
    /// Each on one of the cores that the process may use, in turn.
    Auto,
    /// Each on one of these, in turn.
    List(Vec<u16>),
}

/// A GeoIP database file, in memory.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseSource {
    /// Path as the operator wrote it.
    pub(crate) path: Arc<str>,
    /// The file.
    pub(crate) octets: Arc<[u8]>,
    /// Its number among [`ReadResult::files`], for findings.
    pub(crate) file: crate::finding::FileId,
}

/// Everything the files say, checked.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The node.
    pub node: NodeIdentity,
    /// Sockets.
    pub(crate) listen: Listen,
    /// Where `listen.tcp_connections` is written.
    pub(crate) tcp_connections_at: Option<At>,
    /// State folder.
    pub(crate) state: PathBuf,
    /// Secrets of DNS cookies.
    pub(crate) cookies: Secrets,
    /// Databases in the order of the file: later ones fill what earlier ones lack.
    pub(crate) databases: Vec<DatabaseSource>,
    /// Whether a database may have far fewer networks than the one in service.
    pub(crate) accept_shrunk: bool,
    /// Whether a faulty zone goes on from its last good texts, and refuses nothing.
    pub(crate) keeps_zones: bool,
    /// File for the number of the process.
    pub(crate) pid_file: Option<PathBuf>,
    /// Whether the first fault of a task of the control plane ends the process.
    pub(crate) exit_on_fault: bool,
    /// Operator networks, sorted by name.
    pub networks: Vec<Network>,
    /// PoPs, sorted by name; [`crate::steer::pop::PopId`] is the index.
    pub pops: Vec<Pop>,
    /// Probes, sorted by name; [`crate::health::spec::ProbeId`] is the index.
    pub(crate) probes: Vec<Probe>,
    /// Addresses that tell whether the node's own network works.
    pub(crate) canaries: Option<Canaries>,
    /// How long the first answer waits for the first round of probes, in milliseconds.
    pub(crate) startup_wait_ms: u32,
    /// What must stay in service.
    pub(crate) safety: Vec<SafetyRule>,
    /// Before this time safety rules do not hold, in seconds since 1970.
    pub(crate) safety_off_until_epoch: Option<u64>,
    /// Where that is written.
    pub(crate) safety_off_until_at: Option<At>,
    /// All policies, shared ones first.
    pub policies: Vec<ScopedPolicy>,
    /// Findings that hold unless the databases say otherwise.
    pub(crate) doubts: doubts::Doubts,
    /// Zones, sorted by apex.
    pub zones: Vec<Zone>,
    /// What each zone is served from, and files that are not in force; empty if all was read or
    /// none.
    pub(crate) folder: Arc<FolderStanding>,
    /// Every input that shapes an answer, sorted by the text of its role, for the snapshot digest.
    /// The server file is not among them, since nodes of one fleet differ in it.
    pub(crate) inputs: Vec<Input>,
}

/// Result of reading all files: the deployment unless an error refused it, every finding, and the
/// files that the findings point into.
#[derive(Debug)]
pub struct ReadResult {
    /// The deployment; `None` if and only if there is an error among the findings.
    pub deployment: Option<Deployment>,
    /// Everything that was found.
    pub findings: Findings,
    /// The files.
    pub files: Files,
}
