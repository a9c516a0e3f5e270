//! All zones of a snapshot, and which one holds a name: the one with the longest apex at or above it.

use super::image::{Image, Match};
use crate::wire::hash;
use crate::wire::query::QueryName;
use std::sync::Arc;

/// Index of a zone in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u32);

/// Where a name was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The zone.
    pub zone: ZoneId,
    /// What the name is there.
    pub matched: Match,
}

/// All zones.
#[derive(Debug, Default)]
pub struct ZoneSet {
    zones: Vec<Arc<Image>>,
    slots: Box<[u32]>,
    /// Bit n: some apex has n labels.
    depths: u128,
}

const FREE: u32 = u32::MAX;

impl ZoneSet {
    /// A set of zones with different apexes.
    pub fn new(zones: Vec<Arc<Image>>) -> ZoneSet {
        let mut slots = vec![FREE; (zones.len() * 2 + 1).next_power_of_two()];
        let mask = slots.len() - 1;
        let mut depths = 0;
        for (index, zone) in zones.iter().enumerate() {
            let mut slot = hash::name(zone.apex()) as usize & mask;
            while slots[slot] != FREE {
                slot = (slot + 1) & mask;
            }
            slots[slot] = index as u32;
            depths |= 1u128 << zone.apex_labels().min(127);
        }
        ZoneSet { zones, slots: slots.into(), depths }
    }

    /// A zone.
    pub fn zone(&self, id: ZoneId) -> &Arc<Image> {
        &self.zones[id.0 as usize]
    }

    /// All zones in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Image>> {
        self.zones.iter()
    }

    /// The zone that holds `name`, and the hash of the whole name. With `above` only zones whose apex
    /// is strictly above the name count: DS records of a child live in its parent (RFC 4035
    /// section 3.1.4.1).
    pub fn zone_of(&self, name: &QueryName, above: bool) -> (Option<ZoneId>, u64) {
        let labels = name.labels();
        let mut hash = hash::ROOT;
        let mut best = None;
        let mut skip = labels;
        loop {
            let depth = labels - skip;
            if self.depths & (1 << depth) != 0
                && !(above && skip == 0)
                && let Some(found) = self.find(hash, name.suffix(skip))
            {
                best = Some(found);
            }
            if skip == 0 {
                return (best, hash);
            }
            skip -= 1;
            hash = hash::label(hash, name.label(skip));
        }
    }

    fn find(&self, hash: u64, apex: &[u8]) -> Option<ZoneId> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash as usize & mask;
        loop {
            let id = self.slots[slot];
            if id == FREE {
                return None;
            }
            if self.zones[id as usize].apex() == apex {
                return Some(ZoneId(id));
            }
            slot = (slot + 1) & mask;
        }
    }

    /// What `name` is in our zones; `None` outside them.
    pub fn lookup(&self, name: &QueryName) -> Option<Found> {
        let (zone, hash) = self.zone_of(name, false);
        let zone = zone?;
        Some(Found { zone, matched: self.zone(zone).lookup(name, hash) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{At, FileId};
    use crate::wire::name::Name;
    use crate::zone::image::build;
    use crate::zone::text::{ChainMode, Zone};

    fn empty(apex: &str) -> Arc<Image> {
        let at = At::whole(FileId(0));
        let zone = Zone { apex: Name::parse(apex, None).unwrap(), records: vec![], steered: vec![], chain: ChainMode::Full, at };
        Arc::new(build(&zone).unwrap())
    }

    #[test]
    fn the_longest_apex_holds_a_name() {
        let set = ZoneSet::new(vec![empty("example."), empty("sub.example."), empty("other.")]);
        for (name, above, zone) in [
            ("example.", false, Some(0)),
            ("a.example.", false, Some(0)),
            ("sub.example.", false, Some(1)),
            ("sub.example.", true, Some(0)),
            ("a.b.SUB.example.", false, Some(1)),
            ("xsub.example.", false, Some(0)),
            ("example.", true, None),
            ("net.", false, None),
            (".", false, None),
        ] {
            let query = QueryName::parse(Name::parse(name, None).unwrap().as_wire()).unwrap();
            let (found, hash) = set.zone_of(&query, above);
            assert_eq!(found.map(|z| z.0), zone, "{name}");
            assert_eq!(hash, query.hash());
        }
        let root = ZoneSet::new(vec![empty(".")]);
        let query = QueryName::parse(b"\x03com\0").unwrap();
        assert_eq!(root.zone_of(&query, false).0, Some(ZoneId(0)));
    }

    #[test]
    fn no_zones_hold_nothing() {
        let query = QueryName::parse(b"\x03com\0").unwrap();
        assert_eq!(ZoneSet::new(vec![]).lookup(&query), None);
        assert_eq!(ZoneSet::default().lookup(&query), None);
    }
}
