//! Memory of a snapshot, by table. Exact for the tables themselves, without the overhead of the
//! allocator.

use super::Snapshot;
use crate::geo::trie::{Part, Trie};
use crate::steer::preference_list::{Entry, PreferenceList};
use crate::steer::table::{PolicyTable, SharedAddress, Slot};
use std::collections::HashSet;
use std::mem::size_of_val;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Counts and octets of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Zones.
    pub(crate) zones: usize,
    /// Owner names, including empty non-terminals.
    pub(crate) names: usize,
    /// RRsets, without steered ones.
    pub(crate) sets: usize,
    /// Steered owners.
    pub(crate) steered: usize,
    /// Leaves of all tables of routes, shared ones once.
    pub leaves: usize,
    /// Preference lists of all policies.
    pub preference_lists: usize,
    /// Octets of images.
    pub images_octets: usize,
    /// Octets of zone texts, from which a faulty zone would be served.
    pub(crate) texts_octets: usize,
    /// Octets of the table of CNAME targets.
    pub(crate) links_octets: usize,
    /// Octets of routes, shared ones once.
    pub routes_octets: usize,
    /// Octets of preference lists and choices.
    pub preference_list_octets: usize,
    /// Octets of PoP addresses.
    pub(crate) addresses_octets: usize,
}

impl Sizes {
    /// Measures a snapshot.
    pub(super) fn of(snapshot: &Snapshot) -> Sizes {
        let (zones, links_octets) = (snapshot.zones.iter().len(), snapshot.zones.links().octets());
        let mut sizes = Sizes { zones, links_octets, ..Sizes::default() };
        for image in snapshot.zones.iter() {
            sizes.names += image.names();
            sizes.sets += image.sets();
            sizes.steered += image.steered_names();
            sizes.images_octets += image.octets();
        }
        sizes.texts_octets = snapshot.folder.zones.iter().map(|source| source.texts.octets()).sum();
        for part in parts(snapshot.steering.policies.iter().flat_map(tries)) {
            sizes.leaves += part.leaves;
            sizes.routes_octets += part.octets;
        }
        for policy in &snapshot.steering.policies {
            sizes.preference_lists += policy.preference_lists.len();
            sizes.preference_list_octets += preference_list_octets(policy);
        }
        sizes.addresses_octets = snapshot.steering.slots.iter().map(slot_octets).sum();
        sizes
    }

    /// Tables with their octets, by their names in metrics and `size`.
    pub(crate) fn tables(&self) -> [(&'static str, usize); 6] {
        [
            ("images", self.images_octets),
            ("links", self.links_octets),
            ("texts", self.texts_octets),
            ("routes", self.routes_octets),
            ("preference_lists", self.preference_list_octets),
            ("addresses", self.addresses_octets),
        ]
    }

    /// Octets of all tables.
    pub(crate) fn octets(&self) -> usize {
        self.tables().iter().map(|(_, octets)| octets).sum()
    }
}

/// Tables of routes of a policy.
pub fn tries(policy: &PolicyTable) -> impl Iterator<Item = &Arc<Trie>> {
    policy.routes.iter().chain(&policy.cell_routes).chain(&policy.resolver_classes)
}

/// Parts of tables; parts that tables share are listed once.
pub fn parts<'a>(tries: impl Iterator<Item = &'a Arc<Trie>>) -> Vec<Part> {
    let mut seen = HashSet::new();
    tries.flat_map(|trie| trie.parts()).filter(|part| seen.insert(part.at)).collect()
}

/// Octets of a policy's preference lists, choices and entries.
pub(crate) fn preference_list_octets(policy: &PolicyTable) -> usize {
    let entries = |list: &[Entry]| size_of_val(list);
    policy
        .preference_lists
        .iter()
        .map(|preference_list| size_of::<PreferenceList>() + entries(&preference_list.entries))
        .sum::<usize>()
        + size_of_val(&*policy.choices)
        + entries(&policy.members)
        + entries(&policy.tail)
        + size_of_val(&*policy.slots)
}

fn slot_octets(slot: &Slot) -> usize {
    size_of::<Slot>()
        + slot.v4.len() * size_of::<SharedAddress<Ipv4Addr>>()
        + slot.v6.len() * size_of::<SharedAddress<Ipv6Addr>>()
}
