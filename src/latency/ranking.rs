//! From estimates to the ranking that a unit has in the map: ties, hysteresis and exploration.
//!
//! A PoP comes before another one that stood before it only for a gain that is worth a cold cache:
//! at least 10 ms and 10 %. So clients move as seldom under policies, rules and fences that leave
//! the fastest PoP out. In one build at most a twentieth of the demand gets another first PoP, the
//! largest gain times demand first. Units whose PoP is gone, or whose new PoP the map before did
//! not know, move at once.

use super::estimate::Estimate;
use super::model::tie_limit_ms;
use crate::geo::rtts::{ENTRIES_MAX, RttSource};

/// Entries of a ranking by estimates: past the eighth PoP nothing is won (a list of PoPs is as long
/// by default). Measured PoPs, and the first of the map before, follow up to [`ENTRIES_MAX`].
pub(crate) const RANKED: usize = 8;
/// Gain for which a PoP passes another one: this many ms and this share of the other's RTT.
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

/// Order of the PoPs of a unit in the map before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before<'b> {
    /// The PoPs that the deployment still has, without exploration.
    pub(crate) order: &'b [u16],
    /// By PoP: true if the map before has RTTs to it for any place.
    pub(crate) knows: &'b [bool],
    /// True if the deployment no longer has the first PoP, so that the unit moves in any case.
    pub(crate) is_first_gone: bool,
}

impl Before<'_> {
    fn is_new(&self, pop: u16) -> bool {
        !self.knows.get(usize::from(pop)).is_some_and(|knows| *knows)
    }
}

/// The ranking of estimates, fastest first: the best [`RANKED`], and behind them measured PoPs and
/// the first PoP of the map before, which hysteresis compares. Those within 2 ms or 5 % of the
/// fastest, or of the fastest behind a tie, are in the order of their evidence, then of PoP names,
/// so that networks side by side have equal lists and no estimate passes a sample; `pop` indices
/// must ascend with names. Then PoPs stay behind those of the map before that they do not pass.
pub(crate) fn rank(mut estimates: Vec<Estimate>, before: Before<'_>) -> Vec<Ranked> {
    estimates.sort_unstable_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms).then(a.pop.cmp(&b.pop)));
    let mut ranked: Vec<Ranked> = Vec::with_capacity(estimates.len().min(ENTRIES_MAX));
    let first = before.order.first();
    for (at, estimate) in estimates.iter().enumerate() {
        let is_first = first == Some(&estimate.pop);
        let has_room = ranked.len() + 1 < ENTRIES_MAX && estimate.source == RttSource::Measured;
        if at < RANKED || is_first || has_room {
            ranked.push(Ranked {
                pop: estimate.pop,
                rtt_ms: libm::round(estimate.rtt_ms).clamp(1.0, f64::from(u16::MAX)) as u16,
                source: estimate.source,
                samples: estimate.samples,
            });
        }
    }
    let mut rest = &mut ranked[..];
    while let Some(best) = rest.first().map(|best| f64::from(best.rtt_ms)) {
        let tied = rest.partition_point(|ranked| f64::from(ranked.rtt_ms) <= tie_limit_ms(best));
        let (tied, behind) = rest.split_at_mut(tied);
        tied.sort_unstable_by_key(|ranked| (ranked.source as usize, ranked.pop));
        rest = behind;
    }
    if before.order.is_empty() { ranked } else { held(ranked, before) }
}

/// A fresh ranking in the order of the map before, as far as its PoPs do not pass each other. A PoP
/// comes before all that it passes, and before those between them.
fn held(fresh: Vec<Ranked>, before: Before<'_>) -> Vec<Ranked> {
    let place = |pop: u16| before.order.iter().position(|old| *old == pop).unwrap_or(usize::MAX);
    let mut old: Vec<(usize, Ranked)> = fresh.into_iter().enumerate().collect();
    // The fresh order counts among PoPs that the old order lacks.
    old.sort_by_key(|(_, ranked)| place(ranked.pop));
    let mut held: Vec<(usize, Ranked)> = Vec::with_capacity(old.len());
    for (at, ranked) in old {
        let is_new = before.is_new(ranked.pop);
        let place = match is_new {
            true => held.iter().rposition(|(other_at, _)| *other_at < at).map_or(0, |before| before + 1),
            false => {
                (held.iter().position(|(_, other)| passes(other.rtt_ms, ranked.rtt_ms))).unwrap_or(held.len())
            }
        };
        held.insert(place, (at, ranked));
    }
    held.into_iter().map(|(_, ranked)| ranked).collect()
}

/// True if an RTT is so much below that of a PoP before that clients move.
fn passes(before_ms: u16, rtt_ms: u16) -> bool {
    let gain = f64::from(before_ms) - f64::from(rtt_ms);
    gain >= MOVE.0 && gain >= MOVE.1 * f64::from(before_ms)
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
        let mut ranking = list.to_vec();
        put_first(&mut ranking, choice.held);
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

    /// Place, from 0, that the first PoP of a unit has where it is not explored; 0 if it is not.
    pub(crate) fn explored(&self, unit: usize) -> u8 {
        self.choices[unit].explored
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

/// Puts the PoP that a unit had before in front where moving has to wait. `before` gives the order
/// in the map before that [`rank`] was given.
pub(crate) fn settle<'b>(
    rankings: &mut Rankings,
    demand: &[f64],
    before: impl Fn(usize) -> Before<'b>,
) -> Moves {
    let mut moves = Moves::default();
    let mut wishes = Vec::new();
    debug_assert_eq!(demand.len(), rankings.len());
    for (unit, &demand) in demand.iter().enumerate() {
        let (list, before) = (rankings.list(unit), before(unit));
        let (Some(old), Some(first)) = (before.order.first(), list.first().copied()) else { continue };
        let Some(at) = list.iter().position(|ranked| ranked.pop == *old) else { continue };
        if before.is_first_gone {
            moves.moved += 1;
        } else if at == 0 {
            moves.stayed += usize::from(list.iter().any(|ranked| ranked.rtt_ms < first.rtt_ms));
        } else if before.is_new(first.pop) {
            moves.moved += 1;
        } else {
            let gain = f64::from(list[at].rtt_ms) - f64::from(first.rtt_ms);
            wishes.push(Wish { unit, held: at as u8, worth: gain * demand, demand });
        }
    }
    wishes.sort_unstable_by(|a, b| b.worth.total_cmp(&a.worth).then(a.unit.cmp(&b.unit)));
    let all: f64 = demand.iter().sum();
    let mut moved = 0.0;
    for wish in wishes {
        // The first always moves: a unit with more demand than that would wait for ever.
        if moved == 0.0 || moved + wish.demand <= all * MOVES_MAX {
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
