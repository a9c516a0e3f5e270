//! Input: a file that shapes answers, with its role. The digest of a state covers both.

use crate::wire::name::Name;
use std::fmt;
use std::sync::Arc;

/// Role of an input. The text of the role is part of the digest, so it must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InputRole {
    /// Certificates that probes trust, by the path written.
    Certificates(String),
    /// GeoIP database, by its place in the server file.
    Database(usize),
    /// File that zone text includes, by the path written.
    Included(String),
    /// Networks file.
    Networks,
    /// Policy file.
    Policies,
    /// PoP file.
    Pops,
    /// YAML file of a zone, by its apex in lower case.
    Zone(Name),
    /// Zone that is not served, by its apex, without octets. It is an input so that a node that
    /// does not serve the zone has another digest than a node that does.
    DeadZone(Name),
    /// Zone text, by its apex in lower case.
    ZoneText(Name),
}

impl fmt::Display for InputRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputRole::Certificates(path) => write!(f, "certificates {path}"),
            InputRole::Database(index) => write!(f, "database {index:03}"),
            InputRole::Included(path) => write!(f, "included {path}"),
            InputRole::Networks => f.write_str("networks"),
            InputRole::Policies => f.write_str("policies"),
            InputRole::Pops => f.write_str("pops"),
            InputRole::Zone(apex) => write!(f, "zone {apex}"),
            InputRole::DeadZone(apex) => write!(f, "zone dead {apex}"),
            InputRole::ZoneText(apex) => write!(f, "zone text {apex}"),
        }
    }
}

/// Input of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// Role.
    pub(crate) role: InputRole,
    /// Octets of the file.
    pub(crate) octets: Arc<[u8]>,
}
