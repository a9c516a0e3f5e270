//! From estimates to the ranking that a unit has in the map: ties, hysteresis and exploration.
//!
//! A ranking changes only for a gain that is worth a cold cache: at least 10 ms and 10 %. In one
//! build at most a twentieth of the demand moves, the largest gain times demand first. Units whose
//! PoP is gone, or whose new PoP the map before did not know, move at once.

use super::estimate::Estimate;
use crate::geo::rtts::RttSource;

/// Entries of a ranking: past the eighth PoP nothing is won (a list of PoPs is as long by default).
pub(crate) const RANKED: usize = 8;
/// Difference within which estimates are equal: this many ms or this share of the lower.
const TIE: (f64, f64) = (2.0, 0.05);
/// Gain for which a unit moves: this many ms and this share of what it has.
const MOVE: (f64, f64) = (10.0, 0.10);
/// Share of the demand that may move in one build.
const MOVES_MAX: f64 = 0.05;
/// Loss in ms that exploration may cost a unit.
const EXPLORE_LOSS_MS: f64 = 30.0;

/// A PoP in the ranking of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ranked {
    /// Index of the PoP.
    pub(crate) pop: u16,
    /// Estimated RTT in whole ms, at least 1.
    pub(crate) rtt_ms: u16,
    /// Evidence.
    pub(crate) source: RttSource,
    /// Own samples, or networks that corrected the estimate.
    pub(crate) samples: u32,
}

/// The best [`RANKED`] of estimates (fastest first), ties in the order of PoP names: those within
/// 2 ms or 5 % of the fastest, which is why `pop` indices must ascend with names.
pub(crate) fn rank(estimates: &[Estimate]) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = (estimates.iter().take(RANKED))
        .map(|estimate| Ranked {
            pop: estimate.pop,
            rtt_ms: libm::round(estimate.rtt_ms).clamp(1.0, f64::from(u16::MAX)) as u16,
            source: estimate.source,
            samples: estimate.samples,
        })
        .collect();
    let Some(best) = ranked.first().map(|best| f64::from(best.rtt_ms)) else { return ranked };
    let limit = best + TIE.0.max(best * TIE.1);
    let tied = ranked.iter().take_while(|ranked| f64::from(ranked.rtt_ms) <= limit).count();
    ranked[..tied].sort_by_key(|ranked| ranked.pop);
    ranked
}

/// A unit that would rather have another PoP than the map before gave it.
#[derive(Clone, Copy, Debug)]
struct Wish {
    unit: usize,
    /// Gain in ms times demand.
    worth: f64,
    demand: f64,
}

/// Outcome of [`settle`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Moves {
    /// Units that have another first PoP than before.
    pub(crate) moved: usize,
    /// Units that stay for lack of a gain worth moving.
    pub(crate) stayed: usize,
    /// Units that wait for a later build.
    pub(crate) waiting: usize,
    /// Share of the demand that moves, 0 to 1.
    pub(crate) demand_share: f64,
}

/// Puts the PoP that a unit had before in front where moving is not worth it or has to wait.
///
/// `before` gives the first PoP of a unit in the map before: `None` where it had none or the PoP is
/// gone. `is_new` is true for PoPs that the map before did not know.
pub(crate) fn settle(
    rankings: &mut [Vec<Ranked>],
    demand: &[f64],
    before: impl Fn(usize) -> Option<u16>,
    is_new: impl Fn(u16) -> bool,
) -> Moves {
    let mut moves = Moves::default();
    let mut wishes = Vec::new();
    for unit in 0..rankings.len() {
        let (Some(old), Some(first)) = (before(unit), rankings[unit].first().copied()) else { continue };
        let Some(held) = rankings[unit].iter().find(|ranked| ranked.pop == old) else {
            moves.moved += 1;
            continue;
        };
        if first.pop == old {
            continue;
        }
        let gain = f64::from(held.rtt_ms) - f64::from(first.rtt_ms);
        if is_new(first.pop) {
            moves.moved += 1;
        } else if gain < MOVE.0 || gain < MOVE.1 * f64::from(held.rtt_ms) {
            put_first(&mut rankings[unit], old);
            moves.stayed += 1;
        } else {
            wishes.push(Wish { unit, worth: gain * demand[unit], demand: demand[unit] });
        }
    }
    wishes.sort_by(|a, b| b.worth.total_cmp(&a.worth).then(a.unit.cmp(&b.unit)));
    let all: f64 = demand.iter().sum();
    let mut moved = 0.0;
    for wish in wishes {
        if moved + wish.demand <= all * MOVES_MAX {
            moved += wish.demand;
            moves.moved += 1;
        } else {
            let old = before(wish.unit).expect("a wish has a PoP before");
            put_first(&mut rankings[wish.unit], old);
            moves.waiting += 1;
        }
    }
    moves.demand_share = if all > 0.0 { moved / all } else { 0.0 };
    moves
}

fn put_first(ranking: &mut [Ranked], pop: u16) {
    if let Some(at) = ranking.iter().position(|ranked| ranked.pop == pop) {
        ranking[..=at].rotate_right(1);
    }
}

/// Puts the second or third PoP of a unit in front, if it costs at most 30 ms. `draw` is a hash of
/// the unit and the build. True if the ranking changed.
pub(crate) fn explore(ranking: &mut [Ranked], draw: u64) -> bool {
    let Some(first) = ranking.first().copied() else { return false };
    let affordable = (ranking.iter().skip(1).take(2))
        .take_while(|other| f64::from(other.rtt_ms) <= f64::from(first.rtt_ms) + EXPLORE_LOSS_MS)
        .count() as u64;
    if affordable == 0 {
        return false;
    }
    let pop = ranking[1 + (draw % affordable) as usize].pop;
    put_first(ranking, pop);
    true
}

#[cfg(test)]
mod tests;
