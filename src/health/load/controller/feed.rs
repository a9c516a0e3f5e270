//! The state of one feed: its readings, and the shed share that follows.

use super::FeedTicket;
use crate::health::Moment;
use crate::health::load::feeds::FeedTarget;
use crate::health::load::quantize::QuantizedShare;
use crate::health::load::shed::{GainChange, Shedding, Tuning};
use std::sync::Arc;

/// What is known of a feed.
#[derive(Clone, Debug)]
pub(super) struct FeedState {
    /// Smoothed load, in the unit of the capacity.
    pub(crate) smoothed: Option<f64>,
    /// When the last number came.
    pub(crate) read_at: Option<Moment>,
    /// The last failure, also when readings followed.
    pub(crate) error: Option<Arc<str>>,
    /// Stale, and told.
    pub(crate) is_lost: bool,
    /// Since when it is expected.
    pub(crate) began: Moment,
    /// When the last step was.
    pub(crate) stepped_at: Option<Moment>,
    /// The share that the rule has come to.
    pub(crate) shedding: Shedding,
    /// That share as answers see it.
    pub(crate) published: QuantizedShare,
    /// For each PoP what it accepts, in steps; empty while nothing is shed.
    pub(crate) row: Vec<u16>,
    /// The part of what may leave that somebody takes.
    pub(crate) taken: f64,
    /// The part of its demand that leaves, as far as it is measured by now.
    pub(crate) measured_out: f64,
    /// Load that others hand it now.
    pub(crate) inflow: f64,
    /// Load that others hand it, as far as it is measured by now.
    pub(crate) measured_inflow: f64,
    /// When it is read next; `None` in flight, or if it is pushed.
    pub(crate) due: Option<Moment>,
    /// The reading in flight, and when it began.
    pub(crate) flight: Option<(FeedTicket, Moment)>,
    /// When something happens without a reading.
    pub(crate) alarm: Option<Moment>,
}

impl FeedState {
    /// A feed of which nothing is known, expected from now on.
    pub(crate) fn new(now: Moment) -> FeedState {
        FeedState {
            smoothed: None,
            read_at: None,
            error: None,
            is_lost: false,
            began: now,
            stepped_at: None,
            shedding: Shedding::new(0.0, now),
            published: QuantizedShare::default(),
            row: Vec::new(),
            taken: 1.0,
            measured_out: 0.0,
            inflow: 0.0,
            measured_inflow: 0.0,
            due: None,
            flight: None,
            alarm: None,
        }
    }

    /// Notes a number. Whether the feed was lost until now.
    pub(crate) fn note(&mut self, feed: &FeedTarget, value: f64, now: Moment) -> bool {
        let weight = feed.spec.smoothing;
        // What is older than the loss says nothing any more.
        let before = self.smoothed.filter(|_| !self.is_lost);
        self.smoothed = Some(before.map_or(value, |before| before + (value - before) * weight));
        self.read_at = Some(now);
        std::mem::take(&mut self.is_lost)
    }

    /// Smoothed load, divided by the capacity.
    pub(crate) fn utilisation(&self, feed: &FeedTarget) -> Option<f64> {
        self.smoothed.map(|load| load / feed.capacity)
    }

    /// When it is stale unless a number comes.
    pub(crate) fn stale_at(&self, feed: &FeedTarget) -> Moment {
        self.read_at.unwrap_or(self.began).after_ms(u64::from(feed.spec.stale_after_ms))
    }

    /// Whether there was no number for too long.
    pub(crate) fn is_stale(&self, feed: &FeedTarget, now: Moment) -> bool {
        now >= self.stale_at(feed)
    }

    /// When the share decays next, if no number comes.
    pub(crate) fn next_decay(&self, feed: &FeedTarget) -> Moment {
        let stepped_at = self.stepped_at.unwrap_or(self.began).after_ms(u64::from(feed.spec.every_ms));
        stepped_at.max(self.stale_at(feed))
    }

    /// Numbers may be pushed at any pace; steps keep theirs, but for jitter.
    pub(crate) fn may_step(&self, feed: &FeedTarget, now: Moment) -> bool {
        self.stepped_at.is_none_or(|last| now.since_ms(last) * 4 >= u64::from(feed.spec.every_ms) * 3)
    }

    /// A step of the rule.
    pub(crate) fn step(&mut self, feed: &FeedTarget, now: Moment) -> Option<GainChange> {
        let since_ms = self.stepped_at.map_or(0, |last| now.since_ms(last));
        self.stepped_at = Some(now);
        self.catch_up(feed, since_ms);
        let load = self.smoothed?;
        let staying = (1.0 - self.share_out()) / (1.0 - self.measured_out);
        let expected = (load - self.measured_inflow + self.inflow).max(0.0) * staying;
        let spec = &feed.spec;
        let tuning = Tuning {
            target: spec.target,
            limit: spec.limit,
            gain: spec.gain,
            ttl_ms: u64::from(feed.ttl_secs) * 1_000,
        };
        self.shedding.step(tuning, load / feed.capacity, expected / feed.capacity, self.taken > 0.02, now)
    }

    /// The part of its demand that leaves by what was told.
    pub(crate) fn share_out(&self) -> f64 {
        f64::from(self.published.share) / 256.0 * self.taken
    }

    /// Its demand without what others hand it, in the unit of the capacity.
    pub(crate) fn own_demand(&self) -> Option<f64> {
        self.smoothed.map(|load| (load - self.measured_inflow).max(0.0) / (1.0 - self.measured_out))
    }

    /// Its whole demand: what it would serve if nothing left.
    pub(crate) fn demand(&self) -> Option<f64> {
        self.smoothed.map(|load| load / (1.0 - self.measured_out))
    }

    /// What was told comes to be measured: answers are cached for up to a TTL, on average for half
    /// of it, and a smoothed reading lags by some readings.
    fn catch_up(&mut self, feed: &FeedTarget, since_ms: u64) {
        let smoothing = feed.spec.smoothing;
        let lag_ms =
            f64::from(feed.ttl_secs) * 500.0 + f64::from(feed.spec.every_ms) * (1.0 - smoothing) / smoothing;
        let since_ms = since_ms as f64;
        let weight = if since_ms > 0.0 { since_ms / (since_ms + lag_ms) } else { 0.0 };
        self.measured_out += (self.share_out() - self.measured_out) * weight;
        self.measured_inflow += (self.inflow - self.measured_inflow) * weight;
    }
}
