//! Allocation of shed load: headroom and outflow of each feed, and the acceptances that follow.
//!
//! A shed cell tries the PoPs of its list in turn. If a PoP accepts more than before, it gets cells
//! that had no place, and cells that a PoP behind it holds. The first is the purpose of shedding;
//! the second moves a cell twice. So an acceptance rises, the nearest first, once two readings of
//! the follower confirm its room, and only
//!
//! - if no follower behind it holds cells of this PoP, and it takes none yet or some cells have no
//!   place, or
//! - after ten quiet TTLs, by a few steps at a time.
//!
//! The order of followers is that of the feed; the lists of single cells differ. So even the last
//! follower, when it accepts more, may take cells that another one holds.
//!
//! A follower without a reading is not assumed full: while no cell has a place, the first readings
//! of all followers are awaited. A follower whose feed is lost keeps its acceptance.

use super::LoadController;
use crate::health::Moment;
use crate::health::load::feeds::FeedId;
use crate::health::load::headroom::{self, CRUMB, Outflow, Taker, TakerId};
use crate::health::load::quantize::{PLACED_RISE_STEPS, Wanted, steps};
use crate::health::targets::PopId;
use std::collections::BTreeMap;

/// Part of its target up to which a PoP is filled with shed load: estimates are never exact, and a
/// PoP filled to its target sheds in turn.
const FILL: f64 = 0.95;
/// Room below this part of the capacity counts as none.
const ROOM_MIN: f64 = 0.02;
/// Consecutive readings that confirm room.
const CONFIRMED: u32 = 2;
/// Periods of its feed for which the first readings of a follower are awaited.
const FIRST_READINGS: u64 = 3;
/// TTLs without a visible change after which a feed is quiet.
pub(super) const QUIET_TTLS: u64 = 10;

impl LoadController {
    /// For each feed that sheds or will shed, computes the acceptance of each PoP as far as its
    /// room allows, and records if these PoPs have room for more cells of the feed.
    pub(super) fn allocate(&mut self, now: Moment) -> BTreeMap<FeedId, Vec<Wanted>> {
        self.settle();
        let (shedding, outflows): (Vec<FeedId>, Vec<Outflow>) = FeedId::in_order()
            .take(self.feed_states.len())
            .filter_map(|id| Some((id, self.outflow(id, now)?)))
            .unzip();
        // PoPs without a feed follow the feeds: their headroom has no limit.
        let mut headrooms: Vec<f64> =
            (0..self.feed_states.len()).map(|id| self.headroom(FeedId::at(id))).collect();
        headrooms.resize(self.feed_states.len() + self.feed_set.pops.len(), f64::INFINITY);
        let split = headroom::split(&outflows, &headrooms);
        let mut rows = BTreeMap::new();
        for ((id, outflow), accepted) in shedding.into_iter().zip(&outflows).zip(&split) {
            let feed_state = &self.feed_states[id.index()];
            let has_row = !feed_state.row.is_empty();
            let mut row: Vec<Wanted> = (0..self.feed_set.pops.len())
                .map(|pop| Wanted {
                    accept: if has_row { feed_state.row[pop] } else { 0 },
                    moves_placed: false,
                })
                .collect();
            let leaving = feed_state.demand().unwrap_or(0.0) * feed_state.published_share();
            let (mut more, mut places) = (0.0, 0.0);
            let published = headroom::parts(outflow.takers.iter().map(|taker| taker.published));
            for (((taker, accept), part), published) in
                outflow.takers.iter().zip(&accepted.accept).zip(&accepted.parts).zip(published)
            {
                row[self.pop_of(taker.to).index()] =
                    Wanted { accept: steps(*accept), moves_placed: taker.moves_placed };
                if self.is_confirmed(taker.to) {
                    more += (outflow.load * part - leaving * published).max(0.0);
                }
                places += (outflow.load * part).max(leaving * published);
            }
            let (waits, capacity) = (self.waits(id, now), self.feed_set.feeds[id.index()].capacity);
            let feed_state = &mut self.feed_states[id.index()];
            feed_state.has_room = !waits && more > ROOM_MIN / 2.0 * capacity;
            feed_state.is_short = !waits && outflow.load * outflow.needed - places > ROOM_MIN * capacity;
            rows.insert(id, row);
        }
        rows
    }

    /// Computes, by the published shares, the part of each feed's shed cells that others take, and
    /// the load that others hand to each feed.
    pub(super) fn settle(&mut self) {
        let mut flows = vec![(0.0, 0.0); self.feed_states.len()];
        for id in FeedId::in_order().take(self.feed_states.len()) {
            let feed_state = &self.feed_states[id.index()];
            if feed_state.published.share == 0 {
                continue;
            }
            let handed = feed_state.demand().unwrap_or(0.0) * feed_state.published_share();
            let takers: Vec<TakerId> = self.takers(id).collect();
            // A follower takes no cell that it would shed itself.
            let accept = |to: &TakerId| {
                let keeps = self.feed_states.get(to.index()).map_or(1.0, |to| 1.0 - to.published_share());
                feed_state.accept(self.pop_of(*to)) * keeps
            };
            for (to, part) in takers.iter().zip(headroom::parts(takers.iter().map(accept))) {
                flows[id.index()].0 += part;
                if let Some((_, inflow)) = flows.get_mut(to.index()) {
                    *inflow += handed * part;
                }
            }
        }
        for (feed_state, flow) in self.feed_states.iter_mut().zip(flows) {
            (feed_state.taken, feed_state.inflow) = flow;
        }
    }

    /// Notes at a reading whether a feed has room. A feed with unknown load has none.
    pub(super) fn note_room(&mut self, id: FeedId) {
        let has_room = self.room(id).is_some_and(|room| {
            room - self.feed_states[id.index()].inflow > ROOM_MIN * self.feed_set.feeds[id.index()].capacity
        });
        let feed_state = &mut self.feed_states[id.index()];
        feed_state.steps = feed_state.steps.saturating_add(1);
        feed_state.roomy = if has_room { feed_state.roomy.saturating_add(1) } else { 0 };
    }

    /// Load that a feed must shed in the end, and the PoPs that may take it; `None` if the load is
    /// within the target and nothing is shed.
    fn outflow(&self, id: FeedId, now: Moment) -> Option<Outflow> {
        let (feed, feed_state) = (&self.feed_set.feeds[id.index()], &self.feed_states[id.index()]);
        let demand = feed_state.demand()?;
        let needed = demand - feed.spec.target * feed.capacity;
        let load = needed.max(demand * feed_state.shedding.share().max(feed_state.published_share()));
        if load <= 0.0 {
            return None;
        }
        let takers: Vec<TakerId> = self.takers(id).collect();
        let published: Vec<f64> = takers.iter().map(|to| feed_state.accept(self.pop_of(*to))).collect();
        let parts = headroom::parts(published.iter().copied());
        let (waits, is_quiet) = (self.waits(id, now), feed_state.is_quiet(feed, now, QUIET_TTLS));
        let mut is_held_behind = false;
        let mut rows: Vec<Taker> = Vec::with_capacity(takers.len());
        for ((to, published), part) in takers.into_iter().zip(published).zip(parts).rev() {
            let ceiling = if waits || !self.is_confirmed(to) {
                published
            } else if !is_held_behind && (published == 0.0 || feed_state.is_short) {
                1.0
            } else if is_quiet {
                (published + f64::from(PLACED_RISE_STEPS) / 256.0).min(1.0)
            } else {
                published
            };
            let moves_placed = is_held_behind || published > 0.0 && !feed_state.is_short;
            rows.push(Taker { to, published, ceiling, moves_placed });
            is_held_behind |= feed_state.published.share > 0 && part > CRUMB;
        }
        rows.reverse();
        Some(Outflow { load, takers: rows, needed: (needed / load).clamp(0.0, 1.0) })
    }

    /// Feeds, and unmeasured PoPs, in service that can take cells of this feed, the nearest first.
    fn takers(&self, id: FeedId) -> impl Iterator<Item = TakerId> {
        let feed_set = &self.feed_set;
        feed_set.feeds[id.index()]
            .followers
            .iter()
            .filter(|slot| {
                let pop = feed_set.slots.get(slot.index());
                pop.and_then(|pop| self.serves.get(pop.index())).is_some_and(|serves| *serves)
            })
            .map(|slot| self.taker_of[slot.index()])
    }

    fn pop_of(&self, taker: TakerId) -> PopId {
        match self.feed_set.feeds.get(taker.index()) {
            Some(feed) => feed.pop,
            None => PopId::at(taker.index() - self.feed_set.feeds.len()),
        }
    }

    /// True if readings confirm room at a follower, or if it has no limit.
    fn is_confirmed(&self, taker: TakerId) -> bool {
        self.feed_states.get(taker.index()).is_none_or(|taker| taker.roomy >= CONFIRMED)
    }

    /// True if no follower takes cells yet, and the first readings of a follower are still awaited.
    fn waits(&self, id: FeedId, now: Moment) -> bool {
        let is_awaited = |taker: TakerId| {
            let Some(feed_state) = self.feed_states.get(taker.index()) else { return false };
            let every_ms = u64::from(self.feed_set.feeds[taker.index()].spec.every_ms);
            !feed_state.is_lost
                && feed_state.steps < CONFIRMED
                && now.since_ms(feed_state.began) < FIRST_READINGS.saturating_mul(every_ms)
        };
        self.feed_states[id.index()].row.iter().all(|accept| *accept == 0) && self.takers(id).any(is_awaited)
    }

    /// Load that other PoPs may hand to a feed's PoP in all. A feed that is lost, or not read since
    /// the start, keeps the load that others hand to it now.
    fn headroom(&self, id: FeedId) -> f64 {
        let feed_state = &self.feed_states[id.index()];
        match self.room(id) {
            Some(room) if feed_state.steps > 0 => room.max(0.0),
            _ => feed_state.inflow,
        }
    }

    /// Load that a feed's PoP may take from others in all, including the load that they hand to it
    /// already. Negative if the PoP's own demand is too high.
    fn room(&self, id: FeedId) -> Option<f64> {
        let (feed, feed_state) = (&self.feed_set.feeds[id.index()], &self.feed_states[id.index()]);
        feed_state.own_demand().map(|demand| feed.spec.target * FILL * feed.capacity - demand)
    }
}
