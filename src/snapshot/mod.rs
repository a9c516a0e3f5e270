//! The snapshot: everything an answer needs, immutable, published whole.
//!
//! A root of shared parts: zone images, steering (plans, routes, addresses) and status. A change of
//! health or weight replaces only the status and the root; a reload replaces what its inputs changed.
//! Ids (PoPs, zones, nodes, slots, plans) are only valid inside their snapshot. The sequence number
//! counts publications on this node; the digest is equal on every node that was given equal inputs.

pub mod compile;
pub mod difference;
pub mod digest;
pub mod routes;
pub mod shrunk;
pub mod steering;
pub mod summary;
pub mod vantage;

pub use compile::compile;
pub use difference::{Difference, difference};
pub use digest::Digest;
pub use steering::Steering;
pub use summary::Summary;

use crate::steer::status::Status;
use crate::zone::set::ZoneSet;
use std::sync::Arc;

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name in NSID and `id.server`.
    pub name: Arc<str>,
    /// The PoP the node stands in.
    pub site: Option<Arc<str>>,
}

/// Everything an answer needs.
#[derive(Clone, Debug)]
pub struct Snapshot {
    sequence: u64,
    digest: Digest,
    /// Who answers.
    pub identity: Arc<Identity>,
    /// What exists.
    pub zones: Arc<ZoneSet>,
    /// Who prefers what.
    pub steering: Arc<Steering>,
    /// What is true now.
    pub status: Arc<Status>,
    facts: Arc<Vec<String>>,
    sizes: Arc<Vec<shrunk::Size>>,
}

impl Snapshot {
    /// Number of this publication on this node, from 1.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Digest of every input that shapes an answer, the node's own name and site apart.
    pub fn digest(&self) -> Digest {
        self.digest
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
        &self.facts
    }

    /// The same snapshot with another status, as the next publication.
    pub fn with_status(&self, status: Status, sequence: u64) -> Snapshot {
        let digest = self.digest.with_status(&status);
        Snapshot { sequence, digest, status: Arc::new(status), ..self.clone() }
    }
}
