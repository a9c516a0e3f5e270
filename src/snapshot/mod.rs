//! The snapshot: everything an answer needs, immutable, published whole.
//!
//! A root of shared parts: zone images, steering (preference lists, routes, addresses) and
//! status. A change of health or weight replaces only the status and the root; a reload
//! replaces the parts whose inputs changed. Ids (PoPs, zones, nodes, slots, preference lists) are
//! only valid inside their snapshot. The sequence number counts publications on this node; the
//! digests tell whether two nodes have the same files, and whether they answer alike.

pub(crate) mod compile;
pub(crate) mod digest;
pub(crate) mod each;
pub(crate) mod inputs;
mod interner;
pub(crate) mod locate;
pub(crate) mod origins;
pub(crate) mod routes;
pub(crate) mod scopes;
pub(crate) mod size_guard;
pub(crate) mod sizes;
mod sources;
pub(crate) mod steering;
mod summary;
pub(crate) mod targets;

pub(crate) use compile::{compile_by, told_by_databases};
pub use digest::{Digest, FilesDigest};
pub(crate) use sizes::Sizes;
pub(crate) use steering::Steering;
pub(crate) use summary::Summary;

use crate::geo::lands::Lands;
use crate::health::load::feeds::FeedSet;
use crate::health::targets::TargetSet;
use crate::steer::pop::Pop;
use crate::steer::safety::Safety;
use crate::steer::status::Status;
use crate::wire::cookie::Secrets;
use crate::zone::set::ZoneSet;
use crate::zone::source::FolderStanding;
use crate::zone::text::ScopedPolicy;
use std::sync::Arc;

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Name in NSID and `id.server`.
    pub(crate) name: Arc<str>,
    /// The PoP the node stands in.
    pub(crate) site: Option<Arc<str>>,
}

/// Everything an answer needs.
#[derive(Clone, Debug)]
pub struct Snapshot {
    sequence: u64,
    digest: Digest,
    /// Who answers.
    pub(crate) identity: Arc<Identity>,
    /// Secrets of DNS cookies. No part of the digest: no record depends on them.
    pub cookies: Arc<Secrets>,
    /// What exists.
    pub zones: Arc<ZoneSet>,
    /// Who prefers what.
    pub steering: Arc<Steering>,
    /// What is true now.
    pub status: Arc<Status>,
    /// The PoPs as the file has them, before overrides: what every later status is made from.
    pub pops: Arc<[Pop]>,
    /// The policies as the files have them, for people.
    pub(crate) policies: Arc<[ScopedPolicy]>,
    /// Names of operator networks, in the order that conditions of rules number them, for people.
    pub(crate) networks: Arc<[Arc<str>]>,
    /// Networks and databases that places were made of, for people.
    pub(crate) origins: Arc<origins::Origins>,
    /// Who is watched.
    pub target_set: Arc<TargetSet>,
    /// Whose load is measured.
    pub loads: Arc<FeedSet>,
    /// What must stay in service.
    pub(crate) safety: Arc<Safety>,
    /// What each zone is served from, and files that are not in force.
    pub(crate) folder: Arc<FolderStanding>,
    facts: Arc<Facts>,
    /// What the steering was compiled from; `None` where it must be compiled anew.
    steering_key: Option<inputs::InputHash>,
    /// What each image was built from, in the order of the zones.
    zone_keys: Arc<Vec<inputs::InputHash>>,
}

/// What is told of the databases that a snapshot was compiled from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// One line for each: name, kind, age of its data, networks.
    pub(crate) lines: Vec<String>,
    /// Name of each database that has a date, and when its data was built, in seconds since 1970.
    pub(crate) built: Vec<(Arc<str>, u64)>,
    /// How many networks each has, for comparison with the next.
    pub(crate) sizes: Vec<size_guard::SourceSize>,
    /// Which fields of places they have.
    pub(crate) known: sources::KnownFields,
    /// Which countries they know.
    pub(crate) lands: Lands,
}

impl Snapshot {
    /// Number of this publication on this node, from 1.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The state digest: of everything that shapes an answer, the node's own name and site, and
    /// secrets of cookies, apart.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The files digest: of the files that nodes share.
    pub fn files_digest(&self) -> FilesDigest {
        self.digest.files()
    }

    /// The node's name.
    pub fn node_name(&self) -> &str {
        &self.identity.name
    }

    /// Sizes, for people.
    pub fn summary(&self) -> Summary {
        Summary::of(self)
    }

    /// One line for each database: name, kind, age of its data, networks.
    pub fn databases(&self) -> &[String] {
        &self.facts.lines
    }

    /// Name of each database that has a date, and when its data was built, in seconds since 1970.
    pub fn databases_built(&self) -> &[(Arc<str>, u64)] {
        &self.facts.built
    }

    /// How much memory it holds, by table.
    pub fn sizes(&self) -> Sizes {
        Sizes::of(self)
    }

    /// The same snapshot with another status, as the next publication.
    pub fn with_status(&self, status: Status, sequence: u64) -> Snapshot {
        let digest = self.digest.with_status(&self.steering, &status);
        Snapshot { sequence, digest, status: Arc::new(status), ..self.clone() }
    }
}
