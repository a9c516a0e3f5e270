//! All zones of a snapshot, with the look-up of the zone for a name: the zone with the longest apex
//! at or above it.

use super::image::{Image, Match};
use super::links::{LinkTarget, Links};
use crate::wire::name_hash::{NameHash, NameKey};
use crate::wire::query::QueryName;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Index of a zone in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u32);

/// Result of looking up a name in all zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The zone.
    pub(crate) zone: ZoneId,
    /// Result of the look-up in that zone.
    pub matched: Match,
}

/// All zones.
#[derive(Debug, Default)]
pub struct ZoneSet {
    zones: Vec<Arc<Image>>,
    slots: Box<[Slot]>,
    /// Hash key of the set and its zones: the hash of a name continues from the hash of its apex.
    key: NameKey,
    /// Label counts of the apexes: each count once, the largest first.
    depths: Box<[u8]>,
    links: Links,
    /// Largest TTL bound by which a steered owner overrides its policy, in seconds; 0 if none does.
    owner_ttl_max_secs: u32,
}

/// Slot of the table of zones: the whole hash of an apex, and its zone.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: NameHash,
    zone: u32,
}

const FREE: u32 = u32::MAX;

impl ZoneSet {
    /// Makes a set of zones with different apexes.
    pub(crate) fn new(zones: Vec<Arc<Image>>) -> ZoneSet {
        let key = zones.first().map_or_else(NameKey::of_process, |zone| *zone.key());
        debug_assert!(zones.iter().all(|zone| *zone.key() == key), "one key for all that is looked up");
        let mut slots =
            vec![Slot { hash: NameHash::default(), zone: FREE }; (zones.len() * 2 + 1).next_power_of_two()];
        let mask = slots.len() - 1;
        for (index, zone) in zones.iter().enumerate() {
            let hash = key.whole(zone.apex());
            let mut slot = hash.place(mask);
            while slots[slot].zone != FREE {
                slot = (slot + 1) & mask;
            }
            slots[slot] = Slot { hash, zone: index as u32 };
        }
        let depths: BTreeSet<Reverse<u8>> =
            zones.iter().map(|zone| Reverse(zone.apex_labels() as u8)).collect();
        let depths = depths.into_iter().map(|Reverse(depth)| depth).collect();
        let owner_ttls = zones.iter().flat_map(|zone| zone.steered()).filter_map(|(_, steered)| steered.ttl);
        let owner_ttl_max_secs = owner_ttls.map(|ttl| ttl.max_secs).max().unwrap_or(0);
        let links = Links::default();
        let mut set = ZoneSet { zones, slots: slots.into(), key, depths, links, owner_ttl_max_secs };
        set.links = Links::of(&set);
        set
    }

    /// Hash key of the set and its zones.
    pub(crate) fn key(&self) -> &NameKey {
        &self.key
    }

    /// The zone with an id.
    #[inline]
    pub(crate) fn zone(&self, id: ZoneId) -> &Arc<Image> {
        &self.zones[id.0 as usize]
    }

    /// The zone with an id, if there is one.
    pub(crate) fn get(&self, id: ZoneId) -> Option<&Arc<Image>> {
        self.zones.get(id.0 as usize)
    }

    /// Largest TTL bound by which a steered owner overrides its policy, in seconds; 0 if none does.
    pub(crate) fn owner_ttl_max_secs(&self) -> u32 {
        self.owner_ttl_max_secs
    }

    /// All zones in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Image>> {
        self.zones.iter()
    }

    /// Targets of CNAMEs.
    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    /// Target of the CNAME with this number in the zone `zone`; `None` if no zone that we serve has
    /// the target.
    pub(crate) fn target(&self, zone: ZoneId, cname: u32) -> Option<LinkTarget<'_>> {
        self.links.target(self, zone, cname)
    }

    /// Looks up `name` in our zones; `None` outside them.
    #[inline(always)]
    pub fn lookup(&self, name: &QueryName) -> Option<Found> {
        let labels = name.labels();
        for &depth in &self.depths {
            let Some(skip) = labels.checked_sub(usize::from(depth)) else { continue };
            let mut hashed = name.hash_begin(&self.key);
            // Find the deepest apex by its hash alone: if the name exists in that zone, the name
            // itself proves that it ends in the apex.
            let Some(zone) = self.find(name.hash_on(&self.key, skip, &mut hashed), |_| true) else {
                continue;
            };
            let image = self.zone(zone);
            if let Some(matched) = image.lookup_existing(name.wire(), name.hash_on(&self.key, 0, &mut hashed))
            {
                return Some(Found { zone, matched });
            }
            if is_apex_of(image, name) {
                return Some(Found { zone, matched: image.lookup_missing(name) });
            }
            return self.lookup_apart(name);
        }
        None
    }

    /// [`ZoneSet::lookup`] in case an apex and another name have the same hash.
    #[cold]
    fn lookup_apart(&self, name: &QueryName) -> Option<Found> {
        let zone = self.zone_of(name, false)?;
        Some(Found { zone, matched: self.zone(zone).lookup(name) })
    }

    /// Finds the zone of `name`, from the deepest possible apex up to the root; depths without an
    /// apex cost nothing. With `above`, only zones with an apex strictly above the name count: DS
    /// records of a child zone are in its parent (RFC 4035 section 3.1.4.1).
    pub(crate) fn zone_of(&self, name: &QueryName, above: bool) -> Option<ZoneId> {
        let labels = name.labels();
        for &depth in &self.depths {
            // Skipping no label leaves the name itself.
            let Some(skip) = labels.checked_sub(usize::from(depth)).filter(|skip| !above || *skip > 0) else {
                continue;
            };
            if let Some(zone) =
                self.find(name.hash_whole(&self.key, skip), |image| image.apex() == name.suffix(skip))
            {
                return Some(zone);
            }
        }
        None
    }

    #[inline(always)]
    fn find(&self, hash: NameHash, same: impl Fn(&Image) -> bool) -> Option<ZoneId> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash.place(mask);
        loop {
            let slot = self.slots[at];
            if slot.zone == FREE {
                return None;
            }
            if slot.hash == hash && same(&self.zones[slot.zone as usize]) {
                return Some(ZoneId(slot.zone));
            }
            at = (at + 1) & mask;
        }
    }
}

fn is_apex_of(image: &Image, name: &QueryName) -> bool {
    name.labels().checked_sub(image.apex_labels()).is_some_and(|skip| name.suffix(skip) == image.apex())
}

#[cfg(test)]
mod tests;
