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

/// The best [`RANKED`] of estimates, fastest first. Those within 2 ms or 5 % of the fastest, or of
/// the fastest behind a tie, are in the order of PoP names, so that networks side by side have
/// equal lists; `pop` indices must ascend with names. The PoP `before` of the map before comes
/// behind them if it is not one of them, because hysteresis compares it.
pub(crate) fn rank(mut estimates: Vec<Estimate>, before: Option<u16>) -> Vec<Ranked> {
    let order = |a: &Estimate, b: &Estimate| a.rtt_ms.total_cmp(&b.rtt_ms).then(a.pop.cmp(&b.pop));
    let before = estimates.iter().find(|estimate| Some(estimate.pop) == before).copied();
    if estimates.len() > RANKED {
        estimates.select_nth_unstable_by(RANKED, order);
        estimates.truncate(RANKED);
    }
    estimates.sort_unstable_by(order);
    let beyond = before.filter(|before| estimates.iter().all(|estimate| estimate.pop != before.pop));
    let count = estimates.len();
    let mut ranked: Vec<Ranked> = (estimates.iter().chain(&beyond))
        .map(|estimate| Ranked {
            pop: estimate.pop,
            rtt_ms: libm::round(estimate.rtt_ms).clamp(1.0, f64::from(u16::MAX)) as u16,
            source: estimate.source,
            samples: estimate.samples,
        })
        .collect();
    let mut rest = &mut ranked[..count];
    while let Some(best) = rest.first().map(|best| f64::from(best.rtt_ms)) {
        let limit = best + TIE.0.max(best * TIE.1);
        let tied = rest.partition_point(|ranked| f64::from(ranked.rtt_ms) <= limit);
        let (tied, behind) = rest.split_at_mut(tied);
        tied.sort_unstable_by_key(|ranked| ranked.pop);
        rest = behind;
    }
    ranked
}

/// The ranking of one unit: its list, and the PoPs of the list that are put in front.
#[derive(Clone, Copy, Debug)]
struct Choice {
    list: u32,
    /// Place in the list of the PoP that hysteresis holds; 0 if it holds none.
    held: u8,
    /// Place in the ranking of the PoP that is explored; 0 if none is.
    explored: u8,
}

/// Rankings of units (or resolvers). Units with one ranking share its list, because there are
/// millions of units.
#[derive(Clone, Debug)]
pub(crate) struct Rankings {
    entries: Vec<Ranked>,
    /// For each list the end of its entries; the first list is empty.
    ends: Vec<u32>,
    choices: Vec<Choice>,
}

impl Rankings {
    /// Empty rankings of so many units.
    pub(crate) fn new(units: usize) -> Rankings {
        let choice = Choice { list: 0, held: 0, explored: 0 };
        Rankings { entries: Vec::new(), ends: vec![0], choices: vec![choice; units] }
    }

    /// Adds a list of [`rank`], and returns its number.
    pub(crate) fn add(&mut self, list: &[Ranked]) -> u32 {
        self.entries.extend_from_slice(list);
        self.ends.push(self.entries.len() as u32);
        self.ends.len() as u32 - 1
    }

    /// Gives a unit a list.
    pub(crate) fn set(&mut self, unit: usize, list: u32) {
        self.choices[unit].list = list;
    }

    /// Number of units.
    pub(crate) fn len(&self) -> usize {
        self.choices.len()
    }

    fn list(&self, unit: usize) -> &[Ranked] {
        let list = self.choices[unit].list as usize;
        let begin = list.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[begin as usize..self.ends[list] as usize]
    }

    /// The ranking of a unit in the map; empty if its place is unknown.
    pub(crate) fn of(&self, unit: usize) -> Vec<Ranked> {
        let (list, choice) = (self.list(unit), self.choices[unit]);
        let mut ranking = Vec::with_capacity(RANKED + 1);
        ranking.extend_from_slice(list);
        put_first(&mut ranking, choice.held);
        ranking.truncate(RANKED);
        put_first(&mut ranking, choice.explored);
        ranking
    }

    /// The first PoP of a unit in the map.
    pub(crate) fn first(&self, unit: usize) -> Option<Ranked> {
        match self.choices[unit] {
            Choice { explored: 0, held, .. } => self.list(unit).get(usize::from(held)).copied(),
            _ => self.of(unit).first().copied(),
        }
    }

    /// True if a unit explores: the second PoP of its ranking is the one that it would go to.
    pub(crate) fn is_explored(&self, unit: usize) -> bool {
        self.choices[unit].explored > 0
    }

    /// Puts the second or third PoP of a unit in front, if it costs at most 30 ms. `draw` is a hash
    /// of the unit and the build. True if the ranking changed.
    pub(crate) fn explore(&mut self, unit: usize, draw: u64) -> bool {
        let ranking = self.of(unit);
        let Some(first) = ranking.first() else { return false };
        let affordable = (ranking.iter().skip(1).take(2))
            .take_while(|other| f64::from(other.rtt_ms) <= f64::from(first.rtt_ms) + EXPLORE_LOSS_MS)
            .count() as u64;
        if affordable == 0 {
            return false;
        }
        self.choices[unit].explored = 1 + (draw % affordable) as u8;
        true
    }
}

/// Puts the PoP at a place of a ranking in front.
fn put_first(ranking: &mut [Ranked], at: u8) {
    if let Some(up_to) = ranking.get_mut(..=usize::from(at)) {
        up_to.rotate_right(1);
    }
}

/// A unit that would rather have another PoP than the map before gave it.
#[derive(Clone, Copy, Debug)]
struct Wish {
    unit: usize,
    /// Place of the PoP of the map before in the list.
    held: u8,
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
/// `before` gives the first PoP of a unit in the map before, that which [`rank`] was given: `None`
/// where it had none or the PoP is gone. `is_new` is true for PoPs that the map before did not
/// know.
pub(crate) fn settle(
    rankings: &mut Rankings,
    demand: &[f64],
    before: impl Fn(usize) -> Option<u16>,
    is_new: impl Fn(u16) -> bool,
) -> Moves {
    let mut moves = Moves::default();
    let mut wishes = Vec::new();
    debug_assert_eq!(demand.len(), rankings.len());
    for (unit, &demand) in demand.iter().enumerate() {
        let list = rankings.list(unit);
        let (Some(old), Some(first)) = (before(unit), list.first().copied()) else { continue };
        let Some(at) = list.iter().position(|ranked| ranked.pop == old).filter(|at| *at > 0) else {
            continue;
        };
        let (held, old_rtt_ms) = (at as u8, f64::from(list[at].rtt_ms));
        let gain = old_rtt_ms - f64::from(first.rtt_ms);
        if is_new(first.pop) {
            moves.moved += 1;
        } else if gain < MOVE.0 || gain < MOVE.1 * old_rtt_ms {
            rankings.choices[unit].held = held;
            moves.stayed += 1;
        } else {
            wishes.push(Wish { unit, held, worth: gain * demand, demand });
        }
    }
    wishes.sort_unstable_by(|a, b| b.worth.total_cmp(&a.worth).then(a.unit.cmp(&b.unit)));
    let all: f64 = demand.iter().sum();
    let mut moved = 0.0;
    for wish in wishes {
        if moved + wish.demand <= all * MOVES_MAX {
            moved += wish.demand;
            moves.moved += 1;
        } else {
            rankings.choices[wish.unit].held = wish.held;
            moves.waiting += 1;
        }
    }
    moves.demand_share = if all > 0.0 { moved / all } else { 0.0 };
    moves
}

#[cfg(test)]
mod tests;
