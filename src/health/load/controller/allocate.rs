//! Allocation of shed load: headrooms and outflows of all feeds, and the rows that follow.

use super::LoadController;
use crate::health::load::headroom::{self, Outflow};
use crate::health::load::quantize::steps;
use std::collections::BTreeMap;

/// Part of its target up to which a PoP is filled with what others shed: estimates are never exact,
/// and who is filled to the target sheds in turn.
const FILL: f64 = 0.95;

impl LoadController {
    /// For each feed that sheds, or will, the acceptance of each PoP in steps. Notes what each feed
    /// is handed.
    pub(super) fn allocate(&mut self) -> BTreeMap<u32, Vec<u16>> {
        let feed_set = self.feed_set.clone();
        let (shedding, outflows): (Vec<u32>, Vec<Outflow>) = (0..self.feed_states.len() as u32)
            .filter_map(|index| Some((index, self.outflow(index)?)))
            .unzip();
        // Behind the feeds stand PoPs that are not measured: nothing limits them.
        let mut headrooms: Vec<f64> = (0..self.feed_states.len()).map(|index| self.room(index)).collect();
        headrooms.resize(self.feed_states.len() + feed_set.pops.len(), f64::INFINITY);
        let split = headroom::split(&outflows, &headrooms);
        for feed_state in &mut self.feed_states {
            (feed_state.inflow, feed_state.taken) = (0.0, 1.0);
        }
        let mut rows = BTreeMap::new();
        for ((index, outflow), accepted) in shedding.into_iter().zip(&outflows).zip(&split) {
            let feed_state = &mut self.feed_states[index as usize];
            feed_state.taken = accepted.taken;
            let handed = feed_state.demand().unwrap_or(0.0) * f64::from(feed_state.published.share) / 256.0;
            let mut row = vec![0; feed_set.pops.len()];
            for ((follower, accept), part) in
                outflow.followers.iter().zip(&accepted.accept).zip(&accepted.parts)
            {
                row[self.pop_of(*follower)] = steps(*accept);
                if let Some(follower) = self.feed_states.get_mut(*follower as usize) {
                    follower.inflow += handed * part;
                }
            }
            rows.insert(index, row);
        }
        rows
    }

    /// What is to leave in the end, and who may take it; `None` for a feed within its target.
    fn outflow(&self, index: u32) -> Option<Outflow> {
        let (feed, feed_state) = (&self.feed_set.feeds[index as usize], &self.feed_states[index as usize]);
        let demand = feed_state.demand()?;
        let load = (demand - feed.spec.target * feed.capacity).max(demand * feed_state.shedding.share());
        (load > 0.0).then(|| Outflow { load, followers: self.followers(index) })
    }

    /// Feeds and unmeasured PoPs that have a service of this feed, the nearest first.
    fn followers(&self, index: u32) -> Vec<u32> {
        let feed = &self.feed_set.feeds[index as usize];
        let near = self.feed_set.followers.get(usize::from(feed.pop)).map_or(&[][..], Vec::as_slice);
        near.iter()
            .filter(|pop| self.serves.get(usize::from(**pop)).is_some_and(|serves| *serves))
            .filter_map(|pop| self.follower(index, *pop))
            .collect()
    }

    fn follower(&self, index: u32, pop: u16) -> Option<u32> {
        let feed_set = &self.feed_set;
        let services =
            feed_set.feeds[index as usize].slots.iter().map(|slot| &feed_set.slots[*slot as usize].service);
        services.into_iter().find_map(|service| self.takers.get(&(pop, service.clone())).copied())
    }

    fn pop_of(&self, follower: u32) -> usize {
        match self.feed_set.feeds.get(follower as usize) {
            Some(feed) => usize::from(feed.pop),
            None => follower as usize - self.feed_set.feeds.len(),
        }
    }

    /// What a feed's PoP may still take, by its own demand: what it was handed already is its room
    /// in use. One whose load was never read takes nothing.
    fn room(&self, index: usize) -> f64 {
        let (feed, feed_state) = (&self.feed_set.feeds[index], &self.feed_states[index]);
        feed_state
            .own_demand()
            .map_or(0.0, |demand| ((feed.spec.target * FILL) * feed.capacity - demand).max(0.0))
    }
}
