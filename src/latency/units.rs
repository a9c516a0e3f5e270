//! Units of the map: leaves of the place databases, at the finest a /24 (IPv4) or /48 (IPv6), with
//! the measurements that fall into each.

use super::estimate::{MeasuredNetwork, OwnRtt, Spot};
use super::measurements::Row;
use super::model::{is_possible, km_between};
use crate::geo::atlas::{Atlas, Leaf, Space};
use crate::geo::prefix::Prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Hours after which a sample counts half beside a fresh one of the same network and PoP.
const HALF_LIFE_HOURS: f64 = 12.0;

/// Networks that must agree about a unit wider than they are.
pub(crate) const NETWORKS_MIN: u32 = 3;

/// A unit: a prefix whose clients get one estimate.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Its prefix.
    pub(crate) prefix: Prefix,
    /// Its place; `None` where the databases give no coordinates.
    pub(crate) spot: Option<Spot>,
    /// Index of its place in [`Atlas::places`].
    pub(crate) place: u32,
    /// Its own samples by PoP; empty where too few networks of it sampled.
    pub(crate) own: Vec<OwnRtt>,
    /// Hour of the newest sample, since 1970.
    pub(crate) newest_hour: u32,
}

/// Units in the order of addresses, IPv4 first, and what was learnt of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Units {
    /// The units.
    pub(crate) list: Vec<Unit>,
    /// Units with samples, also those with too few for an estimate of their own.
    pub(crate) measured: Vec<MeasuredNetwork>,
    /// Rows that no path allows: faster than light in fibre.
    pub(crate) impossible: u64,
    /// Rows outside of any place with coordinates.
    pub(crate) unplaced: u64,
}

/// Samples of one network to one PoP over all hours.
struct Joined {
    network: Prefix,
    pop: u16,
    rtt_ms: f64,
    /// Samples, the old ones discounted.
    weight: f64,
    newest_hour: u32,
}

impl Units {
    /// The units of an atlas, with the measurements in `rows`. `pops` gives the place of each PoP;
    /// rows of PoPs without a place are left out.
    pub(crate) fn new(atlas: &Atlas, pops: &[Option<Spot>], rows: &mut [Row]) -> Units {
        let mut units = Units::default();
        units.add(atlas, &atlas.v4, 24, |start, len| Prefix::new(Ipv4Addr::from_bits(start).into(), len));
        units.add(atlas, &atlas.v6, 48, |start, len| Prefix::new(Ipv6Addr::from_bits(start).into(), len));
        rows.sort_unstable_by_key(|row| (row.prefix, row.pop, row.hour));
        let mut by_unit: BTreeMap<usize, Vec<Joined>> = BTreeMap::new();
        for group in rows.chunk_by(|a, b| (a.prefix, a.pop) == (b.prefix, b.pop)) {
            let first = &group[0];
            let unit = units.find(first.prefix);
            let spots = unit
                .and_then(|unit| Some((unit, units.list[unit].spot?, (*pops.get(usize::from(first.pop))?)?)));
            let Some((unit, spot, pop)) = spots else {
                units.unplaced += group.len() as u64;
                continue;
            };
            let km = km_between(&spot.point, &pop.point);
            let possible: Vec<&Row> = group.iter().filter(|row| is_possible(row.rtt_ms, km)).collect();
            units.impossible += (group.len() - possible.len()) as u64;
            by_unit.entry(unit).or_default().extend(join(&possible));
        }
        for (unit, joined) in by_unit {
            units.measure(unit, &joined);
        }
        units
    }

    fn add<B: Copy>(
        &mut self,
        atlas: &Atlas,
        leaves: &[Leaf<B>],
        finest: u8,
        prefix: impl Fn(B, u8) -> Prefix,
    ) {
        for leaf in leaves.iter().filter(|leaf| leaf.space == Space::Usable) {
            let place = &atlas.places[leaf.place as usize];
            let prefix = prefix(leaf.start, leaf.len.min(finest));
            // Deeper leaves of one unit: the first is its place.
            if self.list.last().is_some_and(|last| last.prefix == prefix) {
                continue;
            }
            let spot = place.coordinates.map(|at| Spot::new(place.country, at));
            self.list.push(Unit { prefix, spot, place: leaf.place, own: Vec::new(), newest_hour: 0 });
        }
    }

    /// The unit that holds a network.
    fn find(&self, network: Prefix) -> Option<usize> {
        let behind = self.list.partition_point(|unit| (unit.prefix.address()) <= network.address());
        let unit = behind.checked_sub(1)?;
        self.list[unit].prefix.contains(network.address()).then_some(unit)
    }

    /// Gives a unit its samples, and the estimator the network that they are.
    fn measure(&mut self, index: usize, joined: &[Joined]) {
        let unit = &mut self.list[index];
        let Some(spot) = unit.spot else { return };
        let networks: BTreeSet<Prefix> = joined.iter().map(|joined| joined.network).collect();
        let mut by_pop: BTreeMap<u16, Vec<&Joined>> = BTreeMap::new();
        for joined in joined {
            by_pop.entry(joined.pop).or_default().push(joined);
        }
        let own: Vec<OwnRtt> = (by_pop.into_iter())
            .map(|(pop, mut all)| {
                all.sort_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms));
                let samples: f64 = all.iter().map(|joined| joined.weight).sum();
                // Each network has one vote, however much it samples.
                let rtt_ms = all[(all.len() - 1) / 2].rtt_ms;
                let (samples, networks) = (libm::round(samples).max(1.0) as u32, all.len() as u32);
                OwnRtt { pop, rtt_ms, samples, networks }
            })
            .collect();
        unit.newest_hour = joined.iter().map(|joined| joined.newest_hour).max().unwrap_or_default();
        let is_whole = networks.len() == 1 && networks.first().is_some_and(|n| n.len() <= unit.prefix.len());
        if is_whole || networks.len() as u32 >= NETWORKS_MIN {
            unit.own.clone_from(&own);
        }
        self.measured.push(MeasuredNetwork { spot, own });
    }
}

/// Joins the hours of one network and PoP, ascending: the RTT is the weighted median of the hours.
fn join(rows: &[&Row]) -> Option<Joined> {
    let newest = rows.last()?;
    let weight = |row: &Row| {
        let age = f64::from(newest.hour - row.hour);
        f64::from(row.samples) * libm::exp2(-age / HALF_LIFE_HOURS)
    };
    let mut weighted: Vec<(f64, f64)> = rows.iter().map(|row| (row.rtt_ms, weight(row))).collect();
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    let middle = weighted.iter().find(|(_, weight)| {
        below += weight;
        below * 2.0 >= all
    })?;
    Some(Joined {
        network: newest.prefix,
        pop: newest.pop,
        rtt_ms: middle.0,
        weight: all,
        newest_hour: newest.hour,
    })
}

#[cfg(test)]
mod tests;
