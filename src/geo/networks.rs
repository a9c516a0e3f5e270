//! Operator networks: prefixes that the operator knows better than any database.

use super::place::{Coordinates, Country, Subdivision};
use super::prefix::Prefix;
use crate::finding::At;
use std::sync::Arc;

/// A named set of prefixes with the known fields of its place.
#[derive(Clone, Debug)]
pub struct Network {
    /// Name, for `when: { network: ... }`.
    pub name: Arc<str>,
    /// Prefixes with their places in the file; no prefix is in two networks.
    pub(crate) prefixes: Vec<(Prefix, At)>,
    /// Country.
    pub(crate) country: Option<Country>,
    /// Subdivision, with `country`.
    pub(crate) subdivision: Option<Subdivision>,
    /// Coordinates.
    pub coordinates: Option<Coordinates>,
    /// Number of the autonomous system.
    pub(crate) asn: Option<u32>,
    /// Name of the PoP that is the assumed site of its clients.
    pub(crate) site: Option<Arc<str>>,
    /// Place of its name in the file.
    pub(crate) at: At,
}
