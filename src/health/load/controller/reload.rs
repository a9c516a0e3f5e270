//! State of feeds across a reload, from one feed set to the next, and across a restart.

use super::LoadController;
use super::feed::FeedState;
use crate::health::Moment;
use crate::health::load::feeds::{FeedId, FeedSet};
use crate::health::load::headroom::TakerId;
use crate::health::load::quantize::QuantizedShare;
use crate::health::load::saved::SavedLoad;
use crate::health::load::shed::Shedding;
use std::collections::HashMap;
use std::sync::Arc;

impl LoadController {
    /// Handles a reload. A feed with the same key continues with its shares and its running
    /// reading. A new feed is read at once; a feed that is gone sheds nothing.
    pub fn handle_targets(&mut self, feed_set: Arc<FeedSet>, now: Moment) {
        self.advance(now);
        let old = std::mem::replace(&mut self.feed_set, feed_set);
        let new = self.feed_set.clone();
        let index_of: HashMap<&str, usize> =
            old.feeds.iter().zip(0..).map(|(feed, index)| (&*feed.key, index)).collect();
        let pop_of: HashMap<&str, usize> =
            old.pops.iter().zip(0..).map(|(pop, index)| (&**pop, index)).collect();
        let before = std::mem::take(&mut self.feed_states);
        self.feed_states = new
            .feeds
            .iter()
            .map(|feed| {
                let Some(index) = index_of.get(&*feed.key) else { return FeedState::new(now) };
                let mut feed_state = before[*index].clone();
                if !feed_state.row.is_empty() {
                    let accept = |pop: &Arc<str>| {
                        pop_of.get(&**pop).and_then(|at| feed_state.row.get(*at)).copied().unwrap_or(0)
                    };
                    feed_state.row = new.pops.iter().map(accept).collect();
                }
                feed_state
            })
            .collect();
        let serves =
            |pop: &Arc<str>| pop_of.get(&**pop).and_then(|at| self.serves.get(*at)).copied().unwrap_or(true);
        self.serves = new.pops.iter().map(serves).collect();
        self.flights = self
            .feed_states
            .iter()
            .zip(FeedId::in_order())
            .filter_map(|(feed_state, index)| Some((feed_state.flight?.0, index)))
            .collect();
        self.stepped = FeedId::in_order()
            .take(self.feed_states.len())
            .filter(|id| self.feed_states[id.index()].published.share > 0)
            .collect();
        self.taker_of = takers(&new);
        self.settle();
        self.is_new = true;
        self.arrange(now);
    }

    /// Restores saved shares, right after [`LoadController::new`]. They hold until readings come,
    /// and decay without readings. Returns how many feeds took a saved share; the others are
    /// unknown or too old.
    pub fn restore(&mut self, saved: &[SavedLoad], now: Moment, now_epoch_secs: u64) -> usize {
        let feed_set = self.feed_set.clone();
        let index_of: HashMap<&str, usize> =
            feed_set.feeds.iter().zip(0..).map(|(feed, index)| (&*feed.key, index)).collect();
        let mut taken = 0;
        for saved in saved.iter().filter(|saved| saved.is_fresh(now_epoch_secs.saturating_mul(1_000))) {
            let Some(index) = index_of.get(&*saved.key) else { continue };
            let feed_state = &mut self.feed_states[*index];
            feed_state.shedding = Shedding::new(saved.share, now);
            feed_state.published = QuantizedShare::kept(saved.published);
            feed_state.smoothed = saved.smoothed.filter(|load| load.is_finite() && *load >= 0.0);
            let accept = |pop: &Arc<str>| {
                saved.accept.iter().find(|(name, _)| name == pop).map_or(0, |(_, accept)| (*accept).min(256))
            };
            feed_state.row = feed_set.pops.iter().map(accept).collect();
            taken += 1;
        }
        // Readings already reflect the shares that were published then.
        self.settle();
        for feed_state in &mut self.feed_states {
            feed_state.measured_out = feed_state.share_out();
        }
        self.settle();
        for feed_state in &mut self.feed_states {
            feed_state.measured_inflow = feed_state.inflow;
        }
        self.is_new |= taken > 0;
        self.arrange(now);
        taken
    }

    /// Feeds to save for a restart: those that shed.
    pub fn save(&self, now_epoch_secs: u64) -> Vec<SavedLoad> {
        let sheds = self
            .feed_set
            .feeds
            .iter()
            .zip(&self.feed_states)
            .filter(|(_, feed_state)| feed_state.published.share > 0);
        sheds
            .map(|(feed, feed_state)| SavedLoad {
                key: feed.key.clone(),
                share: feed_state.shedding.share(),
                smoothed: feed_state.smoothed,
                published: feed_state.published.share,
                accept: self
                    .feed_set
                    .pops
                    .iter()
                    .cloned()
                    .zip(feed_state.row.iter().copied())
                    .filter(|(_, accept)| *accept > 0)
                    .collect(),
                saved_epoch_ms: now_epoch_secs.saturating_mul(1_000),
            })
            .collect()
    }
}

/// For each slot, the taker of load that is shed to it: the index of the feed that covers the slot,
/// or a number beyond the feeds for a PoP without a feed.
pub(super) fn takers(feed_set: &FeedSet) -> Vec<TakerId> {
    let mut takers: Vec<TakerId> =
        feed_set.slots.iter().map(|pop| TakerId::at(feed_set.feeds.len() + pop.index())).collect();
    for (feed, taker_of_feed) in feed_set.feeds.iter().zip(TakerId::in_order()) {
        for slot in &feed.slots {
            if let Some(taker) = takers.get_mut(slot.index()) {
                *taker = taker_of_feed;
            }
        }
    }
    takers
}
