//! Configuration: turns text into checked values, or findings.
//!
//! [`read_deployment`] reads every file that `meridian.yaml` names from a [`Sources`], records
//! every fault, and returns a [`Deployment`] with valid values only: every PoP, policy, network and
//! service that it mentions exists. Raw YAML never leaves this folder.

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
mod process_settings;
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
pub(crate) use process_settings::{ProcessSettings, process_settings};
pub(crate) use scalar::UNITS;
pub(crate) use zones::choices::Choices;
pub(crate) use zones::file_name::is_zone_file;

pub(crate) use self::listen::{Bound, Listen, StreamLimits};
use crate::access::Access;
use crate::admin::AdminAccess;
use crate::config::input::Input;
use crate::finding::{At, Files, Findings};
use crate::geo::networks::Network;
use crate::health::spec::{Canaries, Check, Kind, Probe};
use crate::overload::Overload;
use crate::proxies::Proxies;
use crate::rrl::RateLimit;
use crate::steer::pop::Pop;
use crate::steer::safety::SafetyRule;
use crate::tls::Pair;
use crate::wire::cookie::{SECRET_LEN, Secrets};
use crate::zone::source::FolderStanding;
use crate::zone::text::{ScopedPolicy, Zone};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sources of file contents: the disk in the program (`reload::disk`), a map in tests.
pub trait Sources {
    /// Reads a whole file. The error is a sentence for the operator.
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String>;
    /// Reads a whole file that a text of `folder` names by a relative path, if it is inside the
    /// folder after following links. Sources without links have nothing to follow.
    fn read_inside(&self, folder: &Path, relative: &Path) -> Result<Arc<[u8]>, String> {
        self.read(&folder.join(relative))
    }
    /// Lists the files directly in a folder, and everything else with the name of a zone file,
    /// sorted by name.
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String>;
    /// True if every user of the machine may read or write a file. Always false for sources without
    /// owners.
    fn is_open_to_all(&self, path: &Path) -> bool {
        let _ = path;
        false
    }
    /// True if this process will serve the deployment. Otherwise it only inspects the files, and
    /// need not be able to read secrets.
    fn serves(&self) -> bool {
        true
    }
    /// True if a file exists, but its permissions keep this process from reading it.
    fn is_withheld(&self, path: &Path) -> bool {
        let _ = path;
        false
    }
    /// A random secret of this process, for the cookies of a node without configured secrets.
    /// `None` for sources without randomness, and then there are no cookies.
    fn own_secret(&self) -> Option<[u8; SECRET_LEN]> {
        None
    }
    /// Runs `work` for each number below `count`, in any order, and returns when all are done.
    /// Sources with threads may share the work among them.
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(work);
    }
}

/// Identity of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeIdentity {
    /// Name in NSID.
    pub(crate) name: Arc<str>,
    /// Text of `id.server` and `hostname.bind` in class CH; `None` refuses the names.
    pub(crate) id_server: Option<Arc<str>>,
    /// Text of `version.server` and `version.bind` in class CH; `None` refuses the names.
    pub(crate) version_server: Option<Arc<str>>,
    /// PoP of the node.
    pub site: Option<Arc<str>>,
}

/// Cores on which UDP worker threads run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cpus {
    /// The kernel schedules the threads.
    Off,
    /// Each thread on one of the cores that the process may use, in turn.
    Auto,
    /// Each thread on one of these cores, in turn.
    List(Vec<u16>),
}

/// A GeoIP database file, in memory.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseSource {
    /// Path as the operator wrote it.
    pub(crate) path: Arc<str>,
    /// Contents of the file.
    pub(crate) octets: Arc<[u8]>,
    /// Its number among [`ReadResult::files`], for findings.
    pub(crate) file: crate::finding::FileId,
}

/// Certificate and key of the encrypted transports, as the server file names them.
#[derive(Clone, Debug)]
pub(crate) struct ServerCertificate {
    /// Certificate and key.
    pub(crate) pair: Arc<Pair>,
    /// Place of the path of the certificate.
    pub(crate) at: At,
}

/// Checked contents of all files.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The node.
    pub node: NodeIdentity,
    /// Sockets.
    pub(crate) listen: Listen,
    /// State folder.
    pub(crate) state: PathBuf,
    /// Secrets of DNS cookies.
    pub(crate) cookies: Secrets,
    /// Certificate of the encrypted transports; `None` without `tls`, or for an inspection that may
    /// not read the key.
    pub(crate) certificate: Option<ServerCertificate>,
    /// Access to the admin address over TLS; `None` without `admin`, or for an inspection that may
    /// not read its files.
    pub(crate) admin: Option<Arc<AdminAccess>>,
    /// Limits of answers over UDP; `None` is off.
    pub(crate) rate_limit: Option<Arc<RateLimit>>,
    /// Treatment of an overload of UDP; `None` is off.
    pub(crate) overload: Option<Overload>,
    /// Access lists; `None` is no list.
    pub(crate) access: Option<Arc<Access>>,
    /// Balancers whose PROXY headers name the clients; `None` is no balancer.
    pub(crate) proxies: Option<Arc<Proxies>>,
    /// Databases in the order of the file: later ones fill the gaps of earlier ones.
    pub(crate) databases: Vec<DatabaseSource>,
    /// True if a database may have far fewer networks than the one in service.
    pub(crate) accept_shrunk: bool,
    /// True if a faulty zone continues with its last good texts and refuses nothing.
    pub(crate) keeps_zones: bool,
    /// File for the process ID.
    pub(crate) pid_file: Option<PathBuf>,
    /// True if the first fault of a supervised task ends the process.
    pub(crate) exit_on_fault: bool,
    /// User that the process becomes; `None` leaves it what it is.
    pub(crate) user: Option<Arc<str>>,
    /// Limits that the process sets for itself.
    pub(crate) sandbox: Sandbox,
    /// Operator networks, sorted by name.
    pub networks: Vec<Network>,
    /// PoPs, sorted by name; [`crate::steer::pop::PopId`] is the index.
    pub pops: Vec<Pop>,
    /// Probes, sorted by name; [`crate::health::spec::ProbeId`] is the index.
    pub(crate) probes: Vec<Probe>,
    /// Outside addresses that show whether the node's own network works.
    pub(crate) canaries: Option<Canaries>,
    /// Longest wait at startup for the first result of each probe, in milliseconds.
    pub(crate) startup_wait_ms: u32,
    /// Safety rules.
    pub(crate) safety: Vec<SafetyRule>,
    /// End of the time in which safety rules are off, in seconds since 1970.
    pub(crate) safety_off_until_epoch: Option<u64>,
    /// Place of that end.
    pub(crate) safety_off_until_at: Option<At>,
    /// All policies, shared ones first.
    pub policies: Vec<ScopedPolicy>,
    /// Findings that hold unless the databases contradict them.
    pub(crate) doubts: doubts::Doubts,
    /// Zones, sorted by apex.
    pub zones: Vec<Zone>,
    /// Sources of each zone, and files that are not in force. Empty after [`read_deployment`],
    /// which reads all or nothing.
    pub(crate) folder: Arc<FolderStanding>,
    /// Every input that shapes an answer, sorted by the text of its role, for the snapshot digest.
    /// The server file is not among them, since nodes of one fleet differ in it.
    pub(crate) inputs: Vec<Input>,
}

impl Deployment {
    /// True if a check runs a program.
    pub(crate) fn runs_programs(&self) -> bool {
        self.probes.iter().any(|probe| match &probe.kind {
            Kind::Check(spec) => matches!(spec.check, Check::Exec(_)),
            Kind::Group { .. } => false,
        })
    }
}

/// Limits that the process sets for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sandbox {
    /// All that the kernel has.
    On,
    /// None, for this reason.
    Off(Arc<str>),
}

impl Sandbox {
    /// True if the process limits itself.
    pub(crate) fn is_on(&self) -> bool {
        *self == Sandbox::On
    }
}

/// Result of reading all files: the deployment unless an error refused it, every finding, and the
/// files to which the findings refer.
#[derive(Debug)]
pub struct ReadResult {
    /// The deployment; `None` exactly if the findings contain an error.
    pub deployment: Option<Deployment>,
    /// All findings.
    pub findings: Findings,
    /// The files.
    pub files: Files,
}
