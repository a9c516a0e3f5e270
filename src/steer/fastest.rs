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

use super::policy::LatencyBand;
use super::pop::{Pop, PopId};
use crate::geo::distance::Point;
use crate::geo::rtts::RttList;
use crate::latency::model::{km_between, rtt_of_km};
use crate::latency::ranking::RANKED;
use std::sync::Arc;

/// Microseconds in a millisecond. RTTs are ranked in whole microseconds, so that PoPs at different
/// distances have different RTTs.
const US_PER_MS: i64 = 1000;

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
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    pop: PopId,
    name: Arc<str>,
    point: Option<Point>,
    bias_us: i64,
}

impl Fastest {
    /// Ranks these PoPs, in the order of their names where RTTs are equal.
    pub(crate) fn new(members: impl Iterator<Item = PopId>, pops: &[Pop]) -> Fastest {
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
        Fastest { members: ids.into_iter().map(member).collect() }
    }

    /// Ranks the PoPs for a place, given by its coordinates and its latency list, either of which
    /// may be missing. A PoP that is not in the list is left out if the PoP or the place has no
    /// coordinates.
    pub(crate) fn around(&self, from: Option<&Point>, list: Option<&RttList>) -> Vec<RankedRtt> {
        let by_distance = |member: &Member| Some(suggested_us(from?, member.point.as_ref()?));
        let Some(list) = list else {
            let of = |m: &Member| Some(RankedRtt { rtt_us: by_distance(m)? + m.bias_us, pop: m.pop });
            let mut ranked: Vec<RankedRtt> = self.members.iter().filter_map(of).collect();
            ranked.sort_by_key(|ranked| (ranked.rtt_us, ranked.pop));
            return ranked;
        };
        let mut ranked: Vec<RankedRtt> = Vec::with_capacity(self.members.len());
        let (mut excess_us, mut located) = (0, 0);
        let mut listed = vec![false; self.members.len()];
        for (name, rtt) in list.entries() {
            let Ok(at) = self.members.binary_search_by(|member| (*member.name).cmp(name)) else { continue };
            let member = &self.members[at];
            listed[at] = true;
            let rtt_us = i64::from(rtt.rtt_ms) * US_PER_MS;
            if let Some(suggested_us) = by_distance(member) {
                excess_us += rtt_us - suggested_us;
                located += 1;
            }
            ranked.push(RankedRtt { rtt_us: rtt_us + member.bias_us, pop: member.pop });
        }
        let excess_us = if located > 0 { excess_us / located } else { 0 };
        let floor_us = i64::from(slowest_of_fastest(list) + 1) * US_PER_MS;
        // With the RTT by distance, by which they follow each other.
        let mut behind: Vec<(i64, RankedRtt)> = Vec::new();
        let insert = |ranked: &mut Vec<RankedRtt>, new: RankedRtt| {
            let place = ranked.iter().position(|other| other.rtt_us > new.rtt_us).unwrap_or(ranked.len());
            ranked.insert(place, new);
        };
        for (_, member) in self.members.iter().enumerate().filter(|(at, _)| !listed[*at]) {
            let Some(suggested_us) = by_distance(member) else { continue };
            let rtt_us = (suggested_us + excess_us).max(US_PER_MS);
            if list.is_known(&member.name) {
                let slower = rtt_us.max(floor_us) + member.bias_us;
                behind.push((rtt_us, RankedRtt { rtt_us: slower, pop: member.pop }));
            } else {
                insert(&mut ranked, RankedRtt { rtt_us: rtt_us + member.bias_us, pop: member.pop });
            }
        }
        behind.sort_by_key(|(by_distance, behind)| (*by_distance, behind.pop));
        for (_, behind) in behind {
            insert(&mut ranked, behind);
        }
        if self.members.iter().any(|member| member.bias_us != 0) {
            ranked.sort_by_key(|ranked| ranked.rtt_us);
        }
        ranked
    }
}

/// RTT in ms of the slowest of the fastest PoPs of a list, behind which it has others for a reason.
fn slowest_of_fastest(list: &RttList) -> u32 {
    let mut rtts: Vec<u16> = list.entries().map(|(_, rtt)| rtt.rtt_ms).collect();
    rtts.sort_unstable();
    rtts.truncate(RANKED);
    rtts.last().copied().map_or(0, u32::from)
}

/// RTT in microseconds that a distance suggests.
fn suggested_us(from: &Point, to: &Point) -> i64 {
    libm::round(rtt_of_km(km_between(from, to)) * US_PER_MS as f64) as i64
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
