//! The first PoPs of a ranking by distance, found without computing the distance of each.
//!
//! A list holds the nearest eight of perhaps a thousand PoPs, for each of a hundred thousand
//! places. So chords are compared first: straight lines through the earth. The square of a chord
//! takes a few multiplications, and chords have the order of great circles. The distance in metres
//! is computed only for PoPs whose chords are short enough, and metres alone decide. Bias counts in
//! metres, so chords are compared among PoPs of equal bias.

use super::pop::{Pop, PopId};
use crate::geo::distance::{Point, reach_of_square, square_of_chord};
use crate::geo::rtts::ENTRIES_MAX;
use crate::limits::LIST_DEPTH_MAX;
use std::collections::BTreeMap;

/// A PoP in a ranking: nearer PoPs first; ties by name, since PoPs are numbered in the order of
/// names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ranked {
    /// Distance with bias in metres.
    pub(crate) biased_m: i64,
    /// The PoP.
    pub(crate) pop: PopId,
}

/// PoPs, ready to be ranked around any point.
#[derive(Debug)]
pub(crate) struct Nearest {
    depth: usize,
    groups: Vec<Group>,
}

/// PoPs of equal bias, and their places on the sphere as blocks of [`LANES`] coordinates. The last
/// block is filled up with [`NOWHERE`].
#[derive(Debug)]
struct Group {
    bias_m: i64,
    pops: Vec<(PopId, Point)>,
    lanes: Vec<[[f32; LANES]; 3]>,
}

/// Most PoPs that count: those of the longest preference list, behind those of the longest latency
/// list, which [`super::fastest`] passes over.
const FIRST_MAX: usize = LIST_DEPTH_MAX as usize + ENTRIES_MAX;
/// Chords that are compared at once.
const LANES: usize = 16;
/// A coordinate far outside the sphere.
const NOWHERE: f32 = 9.0;
/// Above every square of a chord, and below those to nowhere.
const ALL: f32 = 5.0;

impl Nearest {
    /// Prepares rankings of these PoPs in which the first `depth` count. PoPs without coordinates
    /// are left out.
    pub(crate) fn new(members: impl Iterator<Item = PopId>, pops: &[Pop], depth: u8) -> Nearest {
        let bias_m = |pop: &Pop| i64::from(pop.bias_km) * 1000;
        Nearest::by(members, pops, usize::from(depth.min(LIST_DEPTH_MAX)), bias_m)
    }

    /// [`Nearest::new`] by distance alone, with at most [`FIRST_MAX`] PoPs that count.
    pub(crate) fn plain(members: impl Iterator<Item = PopId>, pops: &[Pop], depth: usize) -> Nearest {
        Nearest::by(members, pops, depth.min(FIRST_MAX), |_| 0)
    }

    fn by(
        members: impl Iterator<Item = PopId>,
        pops: &[Pop],
        depth: usize,
        bias_m: impl Fn(&Pop) -> i64,
    ) -> Nearest {
        let mut of_bias: BTreeMap<i64, Vec<(PopId, Point)>> = BTreeMap::new();
        for member in members {
            let pop = &pops[member.index()];
            if let Some(at) = pop.coordinates {
                of_bias.entry(bias_m(pop)).or_default().push((member, Point::of(at)));
            }
        }
        let groups = of_bias.into_iter().map(|(bias_m, pops)| Group::new(bias_m, pops)).collect();
        Nearest { depth: depth.max(1), groups }
    }

    /// The first `depth` of the ranking around a point, and further PoPs at the same distance as
    /// the last of them; in order.
    pub(crate) fn around(&self, from: &Point) -> Vec<Ranked> {
        let mut ranked = Vec::with_capacity(self.depth + LANES);
        for group in &self.groups {
            group.first(from, self.depth, |(pop, at)| {
                ranked.push(Ranked { biased_m: i64::from(from.metres_to(at)) + group.bias_m, pop: *pop })
            });
        }
        ranked.sort_unstable();
        if let Some(last) = ranked.get(self.depth - 1).copied() {
            ranked.truncate(ranked.partition_point(|r| r.biased_m <= last.biased_m));
        }
        ranked
    }
}

impl Group {
    fn new(bias_m: i64, pops: Vec<(PopId, Point)>) -> Group {
        let mut lanes = vec![[[NOWHERE; LANES]; 3]; pops.len().div_ceil(LANES)];
        for (index, (_, point)) in pops.iter().enumerate() {
            for (lane, along) in lanes[index / LANES].iter_mut().zip(point.on_sphere()) {
                lane[index % LANES] = along;
            }
        }
        Group { bias_m, pops, lanes }
    }

    /// Calls `found` with every PoP that may be among the first `depth` by metres, or as far away
    /// as the last of them.
    fn first(&self, from: &Point, depth: usize, mut found: impl FnMut(&(PopId, Point))) {
        if self.pops.len() <= depth {
            return self.pops.iter().for_each(found);
        }
        let here = from.on_sphere();
        // `least`: the least squares so far, ascending. `reach`: the largest square whose PoP may
        // still be among the first `depth` by metres. `near`: the PoPs that were within reach when
        // they were met.
        let mut least = [ALL; FIRST_MAX];
        let least = &mut least[..depth];
        let mut reach = ALL;
        let mut near: Vec<(f32, usize)> = Vec::with_capacity(8 * depth);
        for (block, [x, y, z]) in self.lanes.iter().enumerate() {
            let mut squares = [0.0; LANES];
            for lane in 0..LANES {
                squares[lane] = square_of_chord(here, [x[lane], y[lane], z[lane]]);
            }
            if squares.iter().filter(|square| **square <= reach).count() == 0 {
                continue;
            }
            for (lane, square) in squares.into_iter().enumerate().filter(|(_, square)| *square < ALL) {
                if square > reach {
                    continue;
                }
                near.push((square, block * LANES + lane));
                if square < least[depth - 1] {
                    let at = least.partition_point(|known| *known <= square);
                    least[at..].rotate_right(1);
                    least[at] = square;
                    reach = reach_of_square(least[depth - 1]).min(ALL);
                }
            }
        }
        near.iter().filter(|(square, _)| *square <= reach).for_each(|(_, index)| found(&self.pops[*index]));
    }
}

#[cfg(test)]
mod tests;
