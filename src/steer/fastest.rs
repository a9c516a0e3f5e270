//! The ranking of `order: latency`: PoPs by their round-trip time (RTT) to a place.
//!
//! 1. PoPs in the place's latency list come in the order of the list. The map has settled ties,
//!    hysteresis and exploration there, so a slower PoP may stand before a faster one on purpose.
//! 2. A PoP that the latency map knows in no list is new. Its RTT is estimated: the RTT that its
//!    distance suggests, plus the mean difference between measured and suggested RTTs of the PoPs
//!    in the list. It stands before the first PoP of the list that is slower.
//! 3. A PoP that the map knows, but not in this list, counts as slower than the eight fastest of
//!    the list, since it was not one of them. Such PoPs follow by distance, and stand before PoPs
//!    of the list that are slower.
//!
//! A place without a list ranks all PoPs by the RTT that the distance suggests. `bias_ms` of a PoP
//! is added to its RTT everywhere. If any PoP has a bias, all are sorted by RTT with bias, and the
//! map's order counts only among equals.
//!
//! A ranking has as many PoPs as a preference list, of perhaps hundreds, for each of a million
//! places. So the PoPs outside a list are found as [`super::nearest`] finds them, and only if the
//! list leaves room for them: among PoPs of one bias and of one of the kinds above, nearer ones
//! have lower RTTs.

use super::nearest::Nearest;
use super::policy::LatencyBand;
use super::pop::{Pop, PopId};
use crate::geo::distance::Point;
use crate::geo::rtts::{ENTRIES_MAX, Known, RttList};
use crate::latency::model::rtt_of_km;
use crate::latency::ranking::RANKED;
use crate::limits::LIST_DEPTH_MAX;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Microseconds in a millisecond. RTTs are ranked in whole microseconds, so that PoPs whose
/// distances differ by more than some 50 m have different RTTs.
const US_PER_MS: i64 = 1000;

/// Maps of a deployment whose [`OfMap`] is kept: hardly any has more than one.
const MAPS_KEPT: usize = 4;

/// A PoP in a ranking by RTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RankedRtt {
    /// RTT with bias, in microseconds.
    pub(crate) rtt_us: i64,
    /// The PoP.
    pub(crate) pop: PopId,
}

/// PoPs, ready to be ranked for any place.
#[derive(Debug)]
pub(crate) struct Fastest {
    /// Entries of a ranking that count.
    depth: usize,
    /// In the order of their names.
    members: Vec<Member>,
    /// True if a member has a bias.
    has_bias: bool,
    /// All members, made for the first place without a map.
    all: OnceLock<ByBias>,
    /// Members that a map knows and does not know, for the maps met first.
    of_maps: [OnceLock<Arc<OfMap>>; MAPS_KEPT],
}

#[derive(Debug)]
struct Member {
    pop: PopId,
    name: Arc<str>,
    point: Option<Point>,
    bias_us: i64,
}

/// Members with coordinates, by their bias in microseconds: among those of one bias, the nearest
/// are the fastest.
#[derive(Debug)]
struct ByBias(Vec<(i64, Nearest)>);

/// Members by what a map knows of them.
#[derive(Debug)]
struct OfMap {
    known: Known,
    /// Members that no list of the map has.
    new: ByBias,
    /// Members that some list has.
    behind: ByBias,
}

/// A member that a list leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unlisted {
    distance_m: i64,
    pop: PopId,
    bias_us: i64,
}

impl ByBias {
    fn new<'m>(members: impl Iterator<Item = &'m Member>, pops: &[Pop], depth: usize) -> ByBias {
        let mut groups: BTreeMap<i64, Vec<PopId>> = BTreeMap::new();
        members.for_each(|member| groups.entry(member.bias_us).or_default().push(member.pop));
        let near = |(bias_us, of)| (bias_us, Nearest::plain(Vec::into_iter(of), pops, depth));
        ByBias(groups.into_iter().map(near).collect())
    }

    /// The nearest of each bias but for the `listed`, all together by distance.
    fn around(&self, from: &Point, listed: &[PopId]) -> Vec<Unlisted> {
        let of_bias = |(bias_us, nearest): &(i64, Nearest)| {
            let ranked = nearest.around(from);
            ranked.into_iter().map(|near| (near.biased_m, near.pop, *bias_us)).collect::<Vec<_>>()
        };
        let mut found: Vec<Unlisted> = (self.0.iter().flat_map(of_bias))
            .filter(|(_, pop, _)| !listed.contains(pop))
            .map(|(distance_m, pop, bias_us)| Unlisted { distance_m, pop, bias_us })
            .collect();
        found.sort_unstable();
        found
    }
}

impl Fastest {
    /// Ranks these PoPs, of which the first `depth` count. PoPs of equal RTT follow by distance,
    /// and at equal distances by name.
    pub(crate) fn new(members: impl Iterator<Item = PopId>, pops: &[Pop], depth: u8) -> Fastest {
        let mut ids: Vec<PopId> = members.collect();
        ids.sort_unstable();
        ids.dedup();
        let member = |id: PopId| {
            let pop = &pops[id.index()];
            Member {
                pop: id,
                name: Arc::clone(&pop.name),
                point: pop.coordinates.map(Point::of),
                bias_us: i64::from(pop.bias_ms) * US_PER_MS,
            }
        };
        let members: Vec<Member> = ids.into_iter().map(member).collect();
        let depth = usize::from(depth.clamp(1, LIST_DEPTH_MAX));
        let has_bias = members.iter().any(|member| member.bias_us != 0);
        Fastest { depth, members, has_bias, all: OnceLock::new(), of_maps: Default::default() }
    }

    fn all(&self, pops: &[Pop]) -> &ByBias {
        self.all.get_or_init(|| ByBias::new(self.members.iter(), pops, self.depth + ENTRIES_MAX))
    }

    /// The first of the ranking for a place, given by its coordinates and its latency list, either
    /// of which may be missing. A PoP that is not in the list is left out if the PoP or the place
    /// has no coordinates.
    pub(crate) fn around(
        &self,
        pops: &[Pop],
        from: Option<&Point>,
        list: Option<&RttList>,
    ) -> Vec<RankedRtt> {
        let mut ranked = match (from, list) {
            (None, None) => Vec::new(),
            (Some(from), None) => {
                let unlisted = self.all(pops).around(from, &[]);
                unlisted.into_iter().map(|new| new.ranked(suggested_us(new.distance_m))).collect()
            }
            (_, Some(list)) => self.by_list(pops, from, list),
        };
        if list.is_none() || self.has_bias {
            ranked.sort_by_key(|ranked| ranked.rtt_us);
        }
        ranked.truncate(self.depth);
        ranked
    }

    /// The ranking by a list, before a bias sorts it.
    fn by_list(&self, pops: &[Pop], from: Option<&Point>, list: &RttList) -> Vec<RankedRtt> {
        let mut ranked: Vec<RankedRtt> = Vec::with_capacity(self.depth + ENTRIES_MAX);
        let (mut excess_us, mut located) = (0, 0);
        let mut listed: Vec<PopId> = Vec::with_capacity(ENTRIES_MAX);
        let mut places: Vec<(i64, &Point)> = Vec::with_capacity(ENTRIES_MAX);
        for (name, rtt) in list.entries() {
            let Ok(at) = self.members.binary_search_by(|member| (*member.name).cmp(name)) else { continue };
            let member = &self.members[at];
            listed.push(member.pop);
            let rtt_us = i64::from(rtt.rtt_ms) * US_PER_MS;
            places.extend(member.point.as_ref().map(|point| (rtt_us, point)));
            ranked.push(RankedRtt { rtt_us: rtt_us + member.bias_us, pop: member.pop });
        }
        let Some(from) = from else { return ranked };
        let of_map = self.of_map(pops, list);
        let new = of_map.as_ref().map_or_else(Vec::new, |of_map| of_map.new.around(from, &listed));
        let floor_us = i64::from(slowest_of_fastest(list) + 1) * US_PER_MS;
        // Without a bias, no PoP behind the list counts if enough of it are faster than all these.
        let is_full = |ranked: &[RankedRtt]| {
            !self.has_bias
                && ranked.iter().take_while(|ranked| ranked.rtt_us <= floor_us).count() >= self.depth
        };
        if new.is_empty() && is_full(&ranked) {
            return ranked;
        }
        for (rtt_us, point) in places {
            excess_us += rtt_us - suggested_us(i64::from(from.metres_to(point)));
            located += 1;
        }
        let excess_us = if located > 0 { excess_us / located } else { 0 };
        let estimate_us = |new: &Unlisted| (suggested_us(new.distance_m) + excess_us).max(US_PER_MS);
        for new in new {
            insert(&mut ranked, new.ranked(estimate_us(&new)));
        }
        if !is_full(&ranked) {
            let behind = of_map.as_ref().map_or_else(|| self.all(pops), |of_map| &of_map.behind);
            for known in behind.around(from, &listed) {
                insert(&mut ranked, known.ranked(estimate_us(&known).max(floor_us)));
            }
        }
        ranked
    }

    /// The members by what the map of a list knows; `None` for a list that counts as complete.
    fn of_map(&self, pops: &[Pop], list: &RttList) -> Option<Arc<OfMap>> {
        let known = list.known_unless_complete()?;
        let made = || {
            let (behind, new): (Vec<&Member>, Vec<&Member>) =
                self.members.iter().partition(|member| known.contains(&member.name));
            let depth = self.depth + ENTRIES_MAX;
            Arc::new(OfMap {
                known: known.clone(),
                new: ByBias::new(new.into_iter(), pops, depth),
                behind: ByBias::new(behind.into_iter(), pops, depth),
            })
        };
        let met = self.of_maps.iter().map(|of_map| of_map.get_or_init(made));
        let mut of_this = met.filter(|of_map| of_map.known.is_same(known));
        Some(of_this.next().map_or_else(made, Arc::clone))
    }
}

impl Unlisted {
    /// Its place in a ranking, with an RTT without bias.
    fn ranked(&self, rtt_us: i64) -> RankedRtt {
        RankedRtt { rtt_us: rtt_us + self.bias_us, pop: self.pop }
    }
}

/// Inserts a PoP before the first that is slower.
fn insert(ranked: &mut Vec<RankedRtt>, new: RankedRtt) {
    let place = ranked.iter().position(|other| other.rtt_us > new.rtt_us).unwrap_or(ranked.len());
    ranked.insert(place, new);
}

/// RTT in ms of the slowest of the fastest PoPs of a list, behind which it has others for a reason.
fn slowest_of_fastest(list: &RttList) -> u32 {
    let mut rtts: Vec<u16> = list.entries().map(|(_, rtt)| rtt.rtt_ms).collect();
    rtts.sort_unstable();
    rtts.truncate(RANKED);
    rtts.last().copied().map_or(0, u32::from)
}

/// RTT in microseconds that a distance in metres suggests.
fn suggested_us(distance_m: i64) -> i64 {
    libm::round(rtt_of_km(distance_m as f64 / 1000.0) * US_PER_MS as f64) as i64
}

/// Length of the first band of a ranking: the leading PoPs whose RTT differs from that of the first
/// by at most the width. A PoP that is faster by more than the width stays in a later band, because
/// the map put it there.
pub(crate) fn band_len(ranked: &[RankedRtt], width: Option<LatencyBand>) -> usize {
    let Some(best) = ranked.first() else { return 0 };
    let width_us = width.map_or(0, |width| {
        let of_rtt = best.rtt_us.max(0) * i64::from(width.percent) / 100;
        of_rtt.max(i64::from(width.millis) * US_PER_MS)
    });
    ranked.iter().take_while(|ranked| (ranked.rtt_us - best.rtt_us).abs() <= width_us).count().max(1)
}

#[cfg(test)]
mod tests;
