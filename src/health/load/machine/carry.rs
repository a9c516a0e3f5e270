//! From one roster to the next, and over a restart.

use super::Loads;
use super::gauge::Gauge;
use crate::health::Moment;
use crate::health::load::feeds::FeedSet;
use crate::health::load::publish::Published;
use crate::health::load::saved::SavedLoad;
use crate::health::load::shed::Shedding;
use std::collections::HashMap;
use std::sync::Arc;

impl Loads {
    /// A reload. A feed with the same key goes on with its shares, also its reading in flight; what
    /// is new is read at once; what is gone sheds nothing.
    pub fn handle_targets(&mut self, feed_set: Arc<FeedSet>, now: Moment) {
        self.advance(now);
        let old = std::mem::replace(&mut self.feed_set, feed_set);
        let new = self.feed_set.clone();
        let index_of: HashMap<&str, usize> =
            old.feeds.iter().zip(0..).map(|(feed, index)| (&*feed.key, index)).collect();
        let pop_of: HashMap<&str, usize> =
            old.pops.iter().zip(0..).map(|(pop, index)| (&**pop, index)).collect();
        let before = std::mem::take(&mut self.gauges);
        self.gauges = new
            .feeds
            .iter()
            .map(|feed| {
                let Some(index) = index_of.get(&*feed.key) else { return Gauge::new(now) };
                let mut gauge = before[*index].clone();
                if !gauge.row.is_empty() {
                    let accept = |pop: &Arc<str>| {
                        pop_of.get(&**pop).and_then(|at| gauge.row.get(*at)).copied().unwrap_or(0)
                    };
                    gauge.row = new.pops.iter().map(accept).collect();
                }
                gauge
            })
            .collect();
        let serves =
            |pop: &Arc<str>| pop_of.get(&**pop).and_then(|at| self.serves.get(*at)).copied().unwrap_or(true);
        self.serves = new.pops.iter().map(serves).collect();
        self.flights =
            self.gauges.iter().zip(0..).filter_map(|(gauge, index)| Some((gauge.flight?.0, index))).collect();
        self.stepped = (0..self.gauges.len() as u32)
            .filter(|index| self.gauges[*index as usize].published.share > 0)
            .collect();
        self.takers = takers(&new);
        self.is_new = true;
        self.arrange(now);
    }

    /// Takes over what was saved before a restart, right after [`Loads::new`]: shares hold until
    /// readings speak, and decay if none come. Gives how many feeds took theirs; the rest is
    /// unknown here, or too old.
    pub fn restore(&mut self, saved: &[SavedLoad], now: Moment, now_epoch_secs: u64) -> usize {
        let feed_set = self.feed_set.clone();
        let index_of: HashMap<&str, usize> =
            feed_set.feeds.iter().zip(0..).map(|(feed, index)| (&*feed.key, index)).collect();
        let mut taken = 0;
        for saved in saved.iter().filter(|saved| saved.is_fresh(now_epoch_secs.saturating_mul(1_000))) {
            let Some(index) = index_of.get(&*saved.key) else { continue };
            let gauge = &mut self.gauges[*index];
            gauge.shedding = Shedding::new(saved.share, now);
            gauge.published = Published::kept(saved.published);
            gauge.smoothed = saved.smoothed.filter(|load| load.is_finite() && *load >= 0.0);
            let accept = |pop: &Arc<str>| {
                saved.accept.iter().find(|(name, _)| name == pop).map_or(0, |(_, accept)| (*accept).min(256))
            };
            gauge.row = feed_set.pops.iter().map(accept).collect();
            // What was told then is measured by now.
            gauge.measured_out = gauge.share_out().min(gauge.shedding.share());
            taken += 1;
        }
        self.is_new |= taken > 0;
        self.arrange(now);
        taken
    }

    /// What is to be kept over a restart: every feed that sheds.
    pub fn save(&self, now_epoch_secs: u64) -> Vec<SavedLoad> {
        let sheds =
            self.feed_set.feeds.iter().zip(&self.gauges).filter(|(_, gauge)| gauge.published.share > 0);
        sheds
            .map(|(feed, gauge)| SavedLoad {
                key: feed.key.clone(),
                share: gauge.shedding.share(),
                smoothed: gauge.smoothed,
                published: gauge.published.share,
                accept: self
                    .feed_set
                    .pops
                    .iter()
                    .cloned()
                    .zip(gauge.row.iter().copied())
                    .filter(|(_, accept)| *accept > 0)
                    .collect(),
                saved_epoch_ms: now_epoch_secs.saturating_mul(1_000),
            })
            .collect()
    }
}

/// Who takes what is shed in a service at a PoP: a feed, or the PoP itself where nothing is
/// measured.
pub(super) fn takers(feed_set: &FeedSet) -> HashMap<(u16, Arc<str>), u32> {
    let mut takers: HashMap<_, _> = feed_set
        .slots
        .iter()
        .map(|slot| ((slot.pop, slot.service.clone()), feed_set.feeds.len() as u32 + u32::from(slot.pop)))
        .collect();
    for (feed, index) in feed_set.feeds.iter().zip(0..) {
        for slot in feed.slots.iter().filter_map(|slot| feed_set.slots.get(*slot as usize)) {
            takers.insert((slot.pop, slot.service.clone()), index);
        }
    }
    takers
}
