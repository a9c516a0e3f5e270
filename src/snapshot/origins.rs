//! What `explain` and the difference of a reload need to know of what a snapshot was compiled from,
//! beyond what an answer reads: operator networks and probes as written, and which database files
//! they were.

use super::inputs::{InputHash, InputHashes, hash_of};
use crate::config::Deployment;
use crate::config::input::InputRole;
use crate::geo::networks::Network;
use crate::health::spec::{Canaries, Probe};
use std::sync::Arc;

/// What files say, for people.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    /// Operator networks, sorted by name.
    pub(crate) networks: Vec<Network>,
    /// Databases, in the order of the file.
    pub(crate) databases: Vec<DatabaseFile>,
    /// Whether a database may have far fewer networks than the one in service.
    pub(crate) accept_shrunk: bool,
    /// Whether a faulty zone goes on from its last good texts, and refuses nothing.
    pub(crate) keeps_zones: bool,
    /// Probes, sorted by name; [`crate::health::spec::ProbeId`] is the index.
    pub(crate) probes: Vec<Probe>,
    /// Addresses that tell whether the node's own network works.
    pub(crate) canaries: Option<Canaries>,
    /// How long the first answer waits for the first round of probes, in milliseconds.
    pub(crate) startup_wait_ms: u32,
}

/// A database file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatabaseFile {
    /// Path.
    pub(crate) path: Arc<str>,
    /// Role among the inputs.
    role: InputRole,
    hash: InputHash,
}

impl DatabaseFile {
    /// Whether these octets are those that were read.
    pub(crate) fn is(&self, octets: &[u8]) -> bool {
        hash_of(&self.role, octets) == self.hash
    }

    /// Whether both have the same octets, as far as files at one place of the list are compared.
    pub(crate) fn is_like(&self, other: &DatabaseFile) -> bool {
        self.hash == other.hash
    }
}

impl Origins {
    /// Those of a deployment.
    pub(crate) fn of(deployment: &Deployment, inputs: &InputHashes) -> Origins {
        let file = |(index, source): (usize, &crate::config::DatabaseSource)| {
            let role = InputRole::Database(index);
            let hash = inputs.of_role(&role).unwrap_or_else(|| hash_of(&role, &source.octets));
            DatabaseFile { path: source.path.clone(), role, hash }
        };
        Origins {
            networks: deployment.networks.clone(),
            databases: deployment.databases.iter().enumerate().map(file).collect(),
            accept_shrunk: deployment.accept_shrunk,
            keeps_zones: deployment.keeps_zones,
            probes: deployment.probes.clone(),
            canaries: deployment.canaries.clone(),
            startup_wait_ms: deployment.startup_wait_ms,
        }
    }
}
