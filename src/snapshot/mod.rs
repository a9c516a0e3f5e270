//! Snapshot: all data that an answer needs, immutable, published whole.
//!
//! It consists of shared parts: zone images, steering (preference lists, routes, addresses) and
//! status. A change of health or weight replaces only the status; a reload replaces the parts whose
//! inputs changed. Ids (PoPs, zones, nodes, slots, preference lists) are valid only in their
//! snapshot. The sequence number counts publications on this node. The digests show if two nodes
//! have the same files, and if they answer alike.

pub(crate) mod compile;
pub(crate) mod digest;
pub(crate) mod each;
pub(crate) mod inputs;
mod interner;
pub(crate) mod latency_maps;
pub(crate) mod locate;
pub(crate) mod origins;
pub(crate) mod routes;
pub(crate) mod scopes;
pub(crate) mod size_guard;
pub(crate) mod sizes;
mod slot_list;
mod sources;
pub(crate) mod steering;
mod summary;
pub(crate) mod targets;

pub(crate) use compile::{compile_by, told_by_databases};
pub use digest::{ALGORITHM, Digest, FilesDigest};
pub(crate) use sizes::Sizes;
pub(crate) use steering::Steering;
pub(crate) use summary::Summary;

use crate::access::Access;
use crate::admin::AdminAccess;
use crate::geo::lands::Lands;
use crate::health::load::feeds::FeedSet;
use crate::health::targets::TargetSet;
use crate::overload::Overload;
use crate::proxies::Proxies;
use crate::rrl::RateLimit;
use crate::steer::pop::Pop;
use crate::steer::safety::Safety;
use crate::steer::status::Status;
use crate::tls::Pair;
use crate::wire::cookie::Secrets;
use crate::zone::set::ZoneSet;
use crate::zone::source::FolderStanding;
use crate::zone::text::ScopedPolicy;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// Identity of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Name in NSID.
    pub(crate) name: Arc<str>,
    /// Text of `id.server` and `hostname.bind` in class CH; `None` refuses the names.
    pub(crate) id_server: Option<Arc<str>>,
    /// Text of `version.server` and `version.bind` in class CH; `None` refuses the names.
    pub(crate) version_server: Option<Arc<str>>,
    /// PoP of the node.
    pub(crate) site: Option<Arc<str>>,
}

/// Idle time of the connections of each stream transport, in units of 100 ms, as RFC 7828 section
/// 3.1 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdleTimes {
    /// TCP.
    pub(crate) tcp: u16,
    /// DNS over TLS.
    pub(crate) dot: u16,
}

/// All data that an answer needs.
#[derive(Clone, Debug)]
pub struct Snapshot {
    sequence: u64,
    files_digest: FilesDigest,
    /// State digest, once it was read.
    digest: OnceLock<Digest>,
    /// Identity of the node.
    pub(crate) identity: Arc<Identity>,
    /// Secrets of DNS cookies. Not part of the digest, because no record depends on them.
    pub cookies: Arc<Secrets>,
    /// Certificate of the encrypted transports. Not part of the digest, because no record depends
    /// on it.
    pub(crate) certificate: Option<Arc<Pair>>,
    /// Access to the admin address over TLS; `None` is plain HTTP, read-only. Not part of the
    /// digest, because no record depends on it.
    pub(crate) admin: Option<Arc<AdminAccess>>,
    /// Idle times of connections, for the keepalive option. Not part of the digest, because no
    /// record depends on them.
    pub(crate) idle: IdleTimes,
    /// Limits of answers over UDP; `None` is off. Not part of the digest, because no record depends
    /// on them.
    pub(crate) rate_limit: Option<Arc<RateLimit>>,
    /// Treatment of an overload of UDP; `None` is off. Not part of the digest, for the same reason.
    pub(crate) overload: Option<Overload>,
    /// Access lists; `None` is no list. Not part of the digest, for the same reason.
    pub(crate) access: Option<Arc<Access>>,
    /// Balancers whose PROXY headers name the clients; `None` is no balancer. Not part of the
    /// digest, for the same reason.
    pub(crate) proxies: Option<Arc<Proxies>>,
    /// Zone images.
    pub zones: Arc<ZoneSet>,
    /// Preference lists, routes and addresses.
    pub steering: Arc<Steering>,
    /// Current state of PoPs and slots.
    pub status: Arc<Status>,
    /// PoPs as the file has them, without overrides: the basis of every later status.
    pub pops: Arc<[Pop]>,
    /// Policies as the files have them, for messages.
    pub(crate) policies: Arc<[ScopedPolicy]>,
    /// Names of operator networks, in the order by which rules number them, for messages.
    pub(crate) networks: Arc<[Arc<str>]>,
    /// Networks and databases behind the places, for messages.
    pub(crate) origins: Arc<origins::Origins>,
    /// Targets of probes.
    pub target_set: Arc<TargetSet>,
    /// Load feeds.
    pub loads: Arc<FeedSet>,
    /// Safety rules.
    pub(crate) safety: Arc<Safety>,
    /// Source of each zone, and files that are not in force.
    pub(crate) folder: Arc<FolderStanding>,
    facts: Arc<Facts>,
    /// Key of the steering's inputs; `None` if it must be compiled again.
    steering_key: Option<inputs::InputHash>,
    /// Key of each image's inputs, in the order of the zones.
    zone_keys: Arc<Vec<inputs::InputHash>>,
}

/// Facts about the databases of a snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// One line for each: name, kind, age of its data, networks.
    pub(crate) lines: Vec<String>,
    /// Name of each database with a date, and the build time of its data, in seconds since 1970.
    pub(crate) built: Vec<(Arc<str>, u64)>,
    /// Networks of each database, to compare with the next version.
    pub(crate) sizes: Vec<size_guard::SourceSize>,
    /// Fields of places that some database has.
    pub(crate) known: sources::KnownFields,
    /// Countries that the databases know.
    pub(crate) lands: Lands,
    /// Latency maps among the databases.
    pub(crate) latency_maps: Vec<latency_maps::LatencyMap>,
    /// Evidence by which each policy with `order: latency` ranks.
    pub(crate) evidence: Vec<latency_maps::EvidenceShares>,
}

impl Snapshot {
    /// Number of this publication on this node, from 1.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// State digest: over all data that shapes an answer, except the node's own name and site, and
    /// cookie secrets.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| Digest::of(self.files_digest, &self.steering, &self.status))
    }

    /// True if datagrams and streams of this address begin with the PROXY header of a balancer.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.as_deref().is_some_and(|proxies| proxies.contains(address))
    }

    /// Files digest: over the files that nodes share.
    pub fn files_digest(&self) -> FilesDigest {
        self.files_digest
    }

    /// Name of the node.
    pub fn node_name(&self) -> &str {
        &self.identity.name
    }

    /// Summary for operators.
    pub fn summary(&self) -> Summary {
        Summary::of(self)
    }

    /// One line for each database: name, kind, age of its data, networks.
    pub fn databases(&self) -> &[String] {
        &self.facts.lines
    }

    /// Name of each database with a date, and the build time of its data, in seconds since 1970.
    pub fn databases_built(&self) -> &[(Arc<str>, u64)] {
        &self.facts.built
    }

    /// Latency maps among the databases.
    pub(crate) fn latency_maps(&self) -> &[latency_maps::LatencyMap] {
        &self.facts.latency_maps
    }

    /// Evidence by which each policy with `order: latency` ranks.
    pub(crate) fn latency_evidence(&self) -> &[latency_maps::EvidenceShares] {
        &self.facts.evidence
    }

    /// Memory of the snapshot, by table.
    pub fn sizes(&self) -> Sizes {
        Sizes::of(self)
    }

    /// The same snapshot with another status, as the next publication.
    pub fn with_status(&self, status: Status, sequence: u64) -> Snapshot {
        Snapshot { sequence, digest: OnceLock::new(), status: Arc::new(status), ..self.clone() }
    }
}
