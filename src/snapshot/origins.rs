//! Inputs of a snapshot that answers do not read, for `explain` and the difference of a reload:
//! operator networks and probes as written, and the database files.

use super::inputs::{InputHash, InputHashes, hash_of};
use crate::config::Deployment;
use crate::config::input::InputRole;
use crate::geo::networks::Network;
use crate::health::spec::{Canaries, Probe};
use std::sync::Arc;

/// Values of the files, for messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    /// Operator networks, sorted by name.
    pub(crate) networks: Vec<Network>,
    /// Databases, in the order of the file.
    pub(crate) databases: Vec<DatabaseFile>,
    /// True if a database may have far fewer networks than the one in service.
    pub(crate) accept_shrunk: bool,
    /// True if a faulty zone is served from its last good texts and does not refuse the reload.
    pub(crate) keeps_zones: bool,
    /// Probes, sorted by name; [`crate::health::spec::ProbeId`] is the index.
    pub(crate) probes: Vec<Probe>,
    /// Addresses that test the node's own network.
    pub(crate) canaries: Option<Canaries>,
    /// Longest wait at startup for the first result of each probe, in milliseconds.
    pub(crate) startup_wait_ms: u32,
}

/// Database file, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatabaseFile {
    /// Path of the file.
    pub(crate) path: Arc<str>,
    /// Role among the inputs.
    role: InputRole,
    hash: InputHash,
}

impl DatabaseFile {
    /// True if these octets are the content that was read.
    pub(crate) fn is(&self, octets: &[u8]) -> bool {
        hash_of(&self.role, octets) == self.hash
    }

    /// True if both files have the same content. Compare only files at the same position of the
    /// list: the hash covers the position.
    pub(crate) fn is_like(&self, other: &DatabaseFile) -> bool {
        self.hash == other.hash
    }
}

impl Origins {
    /// Origins of a deployment.
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
