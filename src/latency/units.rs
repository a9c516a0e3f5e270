//! Units of the map: leaves of the place databases, at the finest a /24 (IPv4) or /48 (IPv6), with
//! the measurements that fall into each.

use super::estimate::{Spot, Square, square_of};
use super::measured::{Measured, OwnRtt, Vote};
use super::measurements::Row;
use super::model::{is_possible, km_between};
use super::network_len;
use crate::geo::atlas::{Atlas, Leaf, Source, Space};
use crate::geo::place::Country;
use crate::geo::prefix::Prefix;
use crate::limits::LATENCY_SAMPLES_MAX;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Hours after which a sample counts half beside a fresh one of the same network and PoP.
const HALF_LIFE_HOURS: f64 = 12.0;

/// Networks that must agree about a unit wider than they are.
pub(crate) const NETWORKS_MIN: u32 = 3;

/// Bits of an IPv6 network that one holder has at least: registries give a /32 or more to each
/// provider. A holder has 65,536 networks (/48) for nothing, so it has one vote.
const HOLDER_V6: u8 = 32;

/// A number that no spot and no measured unit has.
const NONE: u32 = u32::MAX;

/// A unit: a prefix whose clients get one estimate.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Its prefix.
    pub(crate) prefix: Prefix,
    spot: u32,
    measured: u32,
}

impl Unit {
    /// A unit with the number of its place, `None` where the databases give no coordinates.
    pub(crate) fn new(prefix: Prefix, spot: Option<u32>) -> Unit {
        Unit { prefix, spot: spot.unwrap_or(NONE), measured: NONE }
    }

    /// Number of its place in [`Units::spots`].
    pub(crate) fn spot(&self) -> Option<u32> {
        (self.spot != NONE).then_some(self.spot)
    }

    /// Number of its samples in [`Units::measured`], if it goes by some of its own.
    pub(crate) fn measured(&self) -> Option<u32> {
        (self.measured != NONE).then_some(self.measured)
    }
}

/// Units in the order of addresses, IPv4 first, and what was learnt of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Units {
    /// The units.
    pub(crate) list: Vec<Unit>,
    /// The places of units, each once.
    pub(crate) spots: Vec<Spot>,
    /// Units with samples, also those with too few for an estimate of their own.
    pub(crate) measured: Measured,
    /// Rows that no path allows: faster than light in fibre.
    pub(crate) impossible: u64,
    /// Rows outside of any place with coordinates.
    pub(crate) unplaced: u64,
    /// Rows of networks that are wider than their units.
    pub(crate) too_wide: u64,
    /// Measured units in which too few networks agree about any PoP.
    pub(crate) undecided: u64,
    /// By place: true if its coordinates are more than the hub city of a country, so that a sample
    /// can be too fast for it.
    located: Vec<bool>,
}

/// Samples of one network to one PoP over all hours.
struct Joined {
    /// Number of the network among those of its unit.
    network: u32,
    prefix: Prefix,
    pop: u16,
    rtt_ms: f64,
    /// Samples, the old ones discounted.
    weight: f64,
    newest_hour: u32,
}

impl Joined {
    /// The holder of an IPv6 network; `None` of IPv4, where each network stands for itself.
    fn holder(&self) -> Option<u128> {
        match self.prefix {
            Prefix::V4 { .. } => None,
            Prefix::V6 { bits, .. } => Some(bits >> (128 - HOLDER_V6)),
        }
    }
}

/// Number of networks that speak for a unit; of one that is wider than a holder of IPv6, the number
/// of holders.
fn speakers(of_pop: &[Joined], unit: Prefix) -> u32 {
    let holders: HashSet<u128> = match unit.len() < HOLDER_V6 {
        true => of_pop.iter().filter_map(Joined::holder).collect(),
        false => HashSet::new(),
    };
    if holders.is_empty() { of_pop.len() as u32 } else { holders.len() as u32 }
}

/// Holders of IPv6 networks that have voted about a PoP, in a square and anywhere.
#[derive(Default)]
struct Voters {
    in_square: HashSet<(u128, Square, u16)>,
    anywhere: HashSet<(u128, u16)>,
}

impl Voters {
    /// The votes of the networks of a unit in a square, ascending by PoP, then by RTT.
    fn votes(&mut self, joined: &[Joined], square: Square) -> Vec<Vote> {
        let mut votes = Vec::new();
        let mut by_holder: BTreeMap<(u16, u128), Vec<f64>> = BTreeMap::new();
        for of in joined {
            let (pop, rtt_ms) = (of.pop, of.rtt_ms);
            match of.holder() {
                None => votes.push(Vote { pop, network: of.network, rtt_ms, is_global: true }),
                Some(holder) => by_holder.entry((pop, holder)).or_default().push(rtt_ms),
            }
        }
        let mut numbers: BTreeMap<u128, u32> = BTreeMap::new();
        for ((pop, holder), mut rtts) in by_holder {
            if !self.in_square.insert((holder, square, pop)) {
                continue;
            }
            rtts.sort_unstable_by(f64::total_cmp);
            let next = numbers.len() as u32;
            let network = *numbers.entry(holder).or_insert(next);
            let is_global = self.anywhere.insert((holder, pop));
            votes.push(Vote { pop, network, rtt_ms: rtts[(rtts.len() - 1) / 2], is_global });
        }
        votes.sort_by(|a, b| a.pop.cmp(&b.pop).then(a.rtt_ms.total_cmp(&b.rtt_ms)));
        votes
    }
}

impl Units {
    /// The units of an atlas.
    pub(crate) fn of_atlas(atlas: &Atlas) -> Units {
        let mut units = Units::default();
        let mut numbers: HashMap<(Option<Country>, i32, i32, bool), u32> = HashMap::new();
        let spots: Vec<Option<u32>> = (atlas.places.iter().zip(&atlas.evidence))
            .map(|(place, evidence)| {
                let at = place.coordinates?;
                let Units { spots, located, .. } = &mut units;
                let is_located = evidence.coordinates != Source::Hubs;
                let key = (place.country, at.lat_e4, at.lon_e4, is_located);
                Some(*numbers.entry(key).or_insert_with(|| {
                    spots.push(Spot::new(place.country, at));
                    located.push(is_located);
                    spots.len() as u32 - 1
                }))
            })
            .collect();
        units.add(&spots, &atlas.v4, 24, |start, len| Prefix::new(Ipv4Addr::from_bits(start).into(), len));
        units.add(&spots, &atlas.v6, 48, |start, len| Prefix::new(Ipv6Addr::from_bits(start).into(), len));
        units.list.shrink_to_fit();
        units
    }

    /// Takes the measurements in `rows`. `pops` are the places of the PoPs; rows of other PoPs are
    /// left out. The order of rows does not matter.
    pub(crate) fn take(&mut self, pops: &[Spot], rows: &mut [Row]) {
        rows.sort_unstable_by(|a, b| {
            let key = |row: &Row| (row.prefix, row.pop, row.hour);
            key(a).cmp(&key(b)).then(a.rtt_ms.total_cmp(&b.rtt_ms)).then(a.samples.cmp(&b.samples))
        });
        // The networks of one unit stand together, because both are in the order of addresses.
        let (mut open, mut joined) = (None, Vec::new());
        let (mut network, mut voters) = (0, Voters::default());
        for of_network in rows.chunk_by(|a, b| a.prefix == b.prefix) {
            let prefix = of_network[0].prefix;
            let unit = self.find(prefix).filter(|unit| self.list[*unit].spot().is_some());
            if unit != open {
                self.measure(open, &mut joined, &mut voters);
                (open, network) = (unit, 0);
            }
            for rows in of_network.chunk_by(|a, b| a.pop == b.pop) {
                joined.extend(self.join(unit, pops, rows, network));
            }
            network += 1;
        }
        self.measure(open, &mut joined, &mut voters);
    }

    fn add<B: Copy>(
        &mut self,
        spots: &[Option<u32>],
        leaves: &[Leaf<B>],
        finest: u8,
        prefix: impl Fn(B, u8) -> Prefix,
    ) {
        let network = |leaf: &Leaf<B>| prefix(leaf.start, leaf.len.min(finest));
        for of_network in leaves.chunk_by(|a, b| network(a) == network(b)) {
            let usable = || of_network.iter().filter(|leaf| leaf.space == Space::Usable);
            if usable().count() < of_network.len() {
                // Addresses that no client has must not get the estimates of those beside them.
                let unit =
                    |leaf: &Leaf<B>| Unit::new(prefix(leaf.start, leaf.len), spots[leaf.place as usize]);
                self.list.extend(usable().map(unit));
            } else if let Some(widest) = usable().min_by_key(|leaf| leaf.len) {
                self.list.push(Unit::new(network(widest), spots[widest.place as usize]));
            }
        }
    }

    /// Place of a unit.
    pub(crate) fn spot(&self, unit: &Unit) -> Option<&Spot> {
        self.spots.get(unit.spot as usize)
    }

    /// Samples that rank the PoPs of a unit; empty where too few of its networks sampled.
    pub(crate) fn own(&self, unit: &Unit) -> &[OwnRtt] {
        unit.measured().map_or(&[], |number| self.measured.own(number))
    }

    /// Samples of the networks of a unit whose own samples rank its PoPs.
    pub(crate) fn votes(&self, unit: &Unit) -> &[Vote] {
        unit.measured().map_or(&[], |number| self.measured.votes(number))
    }

    /// The unit that holds a network.
    fn find(&self, network: Prefix) -> Option<usize> {
        let behind = self.list.partition_point(|unit| (unit.prefix.address()) <= network.address());
        let unit = behind.checked_sub(1)?;
        self.list[unit].prefix.contains(network.address()).then_some(unit)
    }

    /// Joins rows of one network and PoP, and counts those that are not used.
    fn join(&mut self, unit: Option<usize>, pops: &[Spot], rows: &[Row], number: u32) -> Option<Joined> {
        let unit = unit.map(|unit| &self.list[unit]);
        let spot = unit.and_then(|unit| self.spot(unit));
        let Some(((unit, spot), pop)) = unit.zip(spot).zip(pops.get(usize::from(rows[0].pop))) else {
            self.unplaced += rows.len() as u64;
            return None;
        };
        // In a unit finer than /24 or /48 are all addresses of this network that a client can have.
        let network = rows[0].prefix;
        if network.len() < unit.prefix.len().min(network_len(network.address())) {
            self.too_wide += rows.len() as u64;
            return None;
        }
        // Nothing is known of the distance to a client whose country alone is known.
        let km = match self.located[unit.spot as usize] {
            true => km_between(&spot.point, &pop.point),
            false => 0.0,
        };
        let possible: Vec<&Row> = rows.iter().filter(|row| is_possible(row.rtt_ms, km)).collect();
        self.impossible += (rows.len() - possible.len()) as u64;
        join(&possible, number)
    }

    /// Gives a unit its samples, and the estimator the votes of its networks. `voters` are those of
    /// the units before.
    fn measure(&mut self, unit: Option<usize>, joined: &mut Vec<Joined>, voters: &mut Voters) {
        let Some((unit, first)) = unit.zip(joined.first()) else { return joined.clear() };
        let prefix = self.list[unit].prefix;
        let is_whole =
            joined.iter().all(|other| other.network == first.network) && first.prefix.len() <= prefix.len();
        let networks_min = if is_whole { 1 } else { NETWORKS_MIN };
        joined.sort_unstable_by(|a, b| {
            a.pop.cmp(&b.pop).then(a.rtt_ms.total_cmp(&b.rtt_ms)).then(a.network.cmp(&b.network))
        });
        let by_pop = joined.chunk_by(|a, b| a.pop == b.pop);
        let own = by_pop.filter(|of_pop| speakers(of_pop, prefix) >= networks_min).map(|of_pop| {
            let samples: f64 = of_pop.iter().map(|joined| joined.weight).sum();
            // Each network has one vote, however much it samples.
            let rtt_ms = of_pop[(of_pop.len() - 1) / 2].rtt_ms;
            OwnRtt { pop: of_pop[0].pop, rtt_ms, samples: libm::round(samples).max(1.0) as u32 }
        });
        let newest_hour = joined.iter().map(|joined| joined.newest_hour).max().unwrap_or_default();
        let spot = self.spots[self.list[unit].spot as usize];
        let votes = voters.votes(joined, square_of(&spot));
        let number = self.measured.push(spot, newest_hour, own, votes);
        match self.measured.own(number).is_empty() {
            true => self.undecided += 1,
            false => self.list[unit].measured = number,
        }
        joined.clear();
    }
}

/// Joins the hours of one network and PoP, ascending: the RTT is the weighted median of the hours.
/// At most [`LATENCY_SAMPLES_MAX`] samples of an hour count, however many its rows claim.
fn join(rows: &[&Row], network: u32) -> Option<Joined> {
    const MOST: u32 = LATENCY_SAMPLES_MAX as u32;
    let newest = rows.last()?;
    let mut weighted: Vec<(f64, f64)> = Vec::with_capacity(rows.len());
    for hour in rows.chunk_by(|a, b| a.hour == b.hour) {
        let counted = |row: &Row| f64::from(row.samples.min(MOST));
        let all: f64 = hour.iter().map(|row| counted(row)).sum();
        let age = f64::from(newest.hour - hour[0].hour);
        let share = libm::exp2(-age / HALF_LIFE_HOURS) * (f64::from(MOST) / all).min(1.0);
        weighted.extend(hour.iter().map(|row| (row.rtt_ms, counted(row) * share)));
    }
    weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let all: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    let middle = weighted.iter().find(|(_, weight)| {
        below += weight;
        below * 2.0 >= all
    })?;
    let (prefix, pop, newest_hour) = (newest.prefix, newest.pop, newest.hour);
    Some(Joined { network, prefix, pop, rtt_ms: middle.0, weight: all, newest_hour })
}

#[cfg(test)]
mod tests;
