//! Summary of a snapshot, for operators.

use super::Snapshot;
use super::scopes::v4_scopes;
use crate::steer::policy::PolicyId;
use crate::steer::table::PolicyTable;
use crate::steer::unknown::UnknownOrder;
use crate::zone::text::ScopedPolicy;
use std::fmt;

/// Counts of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Publication number.
    pub(crate) sequence: u64,
    /// Digest.
    pub(crate) digest: String,
    /// Apex, names, RRsets and steered owners of each zone.
    pub(crate) zones: Vec<ZoneSummary>,
    /// PoP names.
    pub(crate) pops: Vec<String>,
    /// Name, preference lists and scopes of each policy.
    pub(crate) policies: Vec<PolicySummary>,
    /// Leaves of the tables of routes if policies share them, because separate ones would be too
    /// large.
    pub(crate) shared_leaves: Option<usize>,
    /// One line for each database.
    pub(crate) databases: Vec<String>,
}

/// Summary of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneSummary {
    /// Apex.
    pub(crate) apex: String,
    /// Owner names.
    pub(crate) names: usize,
    /// RRsets that are not steered.
    pub(crate) sets: usize,
    /// Steered owners.
    pub(crate) steered: usize,
}

/// Summary of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicySummary {
    /// Name.
    pub(crate) name: String,
    /// Distinct preference lists.
    pub(crate) preference_lists: usize,
    /// Distinct scopes: its cost in the caches of resolvers.
    pub(crate) scopes: usize,
    /// IPv4 scopes, with the cells of leaves that share; `None` if nothing shares by cell.
    pub(crate) v4_scopes: Option<u64>,
    /// Database networks that were overruled by another of their block, for clients by ECS.
    pub(crate) overruled: usize,
    /// Order for clients of unknown place.
    pub(crate) unknown: UnknownOrder,
}

impl Summary {
    /// Summarises a snapshot.
    pub(super) fn of(snapshot: &Snapshot) -> Summary {
        let zone = |image: &std::sync::Arc<crate::zone::image::Image>| {
            let mut apex = String::new();
            // Writing to a string cannot fail.
            let _ = crate::wire::name::write_name(&mut apex, image.apex());
            ZoneSummary { apex, names: image.names(), sets: image.sets(), steered: image.steered_names() }
        };
        let site = snapshot.identity.site.as_deref();
        let policy = |(index, (p, scoped)): (usize, (&PolicyTable, &ScopedPolicy))| PolicySummary {
            name: p.name.to_string(),
            preference_lists: p.preference_lists.len(),
            scopes: p.scopes,
            v4_scopes: p.by_cell.then(|| v4_scopes(snapshot, PolicyId::at(index), p)),
            overruled: p.overruled,
            unknown: UnknownOrder::of(&scoped.policy, &snapshot.pops, site),
        };
        Summary {
            sequence: snapshot.sequence(),
            digest: snapshot.digest().to_string(),
            zones: snapshot.zones.iter().map(zone).collect(),
            pops: snapshot.steering.pops.iter().map(|p| p.name.to_string()).collect(),
            policies: snapshot
                .steering
                .policies
                .iter()
                .zip(snapshot.policies.iter())
                .enumerate()
                .map(policy)
                .collect(),
            shared_leaves: snapshot
                .steering
                .shares_routes
                .then(|| snapshot.steering.policies.iter().map(|p| p.scopes).max().unwrap_or(0)),
            databases: snapshot.databases().to_vec(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for zone in &self.zones {
            writeln!(
                f,
                "zone      {} ({} names, {} RRsets, {} steered)",
                zone.apex, zone.names, zone.sets, zone.steered
            )?;
        }
        writeln!(f, "pops      {}: {}", self.pops.len(), self.pops.join(" "))?;
        for policy in &self.policies {
            let cells = policy.v4_scopes.map_or_else(String::new, |count| {
                format!(", shares by cell: {count} IPv4 scopes with cells")
            });
            let lists = if policy.preference_lists == 1 { "list" } else { "lists" };
            let scopes = match (policy.scopes, policy.v4_scopes) {
                (2, None) => "the same for every client".to_owned(),
                (scopes, _) => format!("{scopes} scopes"),
            };
            let overruled = match policy.overruled {
                0 => String::new(),
                1 => ", 1 network overruled".to_owned(),
                count => format!(", {count} networks overruled"),
            };
            writeln!(
                f,
                "policy    {} ({} preference {lists}, {scopes}{cells}{overruled}; unknown clients {})",
                policy.name,
                policy.preference_lists,
                policy.unknown.words()
            )?;
        }
        if let Some(leaves) = self.shared_leaves {
            let limit = crate::limits::ROUTES_OCTETS_MAX >> 20;
            writeln!(
                f,
                "routes    one table of {leaves} leaves for all policies: separate ones would take more than \
                 {limit} MiB, and make some scopes wider"
            )?;
        }
        for database in &self.databases {
            writeln!(f, "database  {database}")?;
        }
        Ok(())
    }
}
