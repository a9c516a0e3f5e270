//! Operator networks: prefixes that the operator knows better than any database.

use super::place::{Coordinates, Country, Subdivision};
use super::prefix::Prefix;
use crate::finding::At;
use std::sync::Arc;

/// A named set of prefixes, with the place fields that the operator knows of them.
#[derive(Clone, Debug)]
pub struct Network {
    /// Name, for `when: { network: ... }`.
    pub name: Arc<str>,
    /// Its prefixes with their places in the file; no prefix stands in two networks.
    pub(crate) prefixes: Vec<(Prefix, At)>,
    /// Country.
    pub(crate) country: Option<Country>,
    /// Subdivision, with `country`.
    pub(crate) subdivision: Option<Subdivision>,
    /// Coordinates.
    pub coordinates: Option<Coordinates>,
    /// Number of the autonomous system.
    pub(crate) asn: Option<u32>,
    /// Name of a PoP at which its clients are taken to stand.
    pub(crate) site: Option<Arc<str>>,
    /// Where its name is written.
    pub(crate) at: At,
}
