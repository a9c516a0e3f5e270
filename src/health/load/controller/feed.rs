//! State of one feed: its readings, and the shed share that follows.

use super::FeedTicket;
use crate::health::Moment;
use crate::health::load::feeds::FeedTarget;
use crate::health::load::quantize::{QuantizedShare, TURN_STEPS};
use crate::health::load::shed::{self, GainChange, Shedding, Tuning};
use crate::health::targets::PopId;
use crate::limits::SHED_SHARE_MAX;
use std::sync::Arc;

/// Consecutive readings that begin and end the alarm about cells without a place.
const STUCK_READINGS: (u32, u32) = (2, 4);

/// State of a feed.
#[derive(Clone, Debug)]
pub(super) struct FeedState {
    /// Smoothed load, in the unit of the capacity.
    pub(crate) smoothed: Option<f64>,
    /// Moment of the last number.
    pub(crate) read_at: Option<Moment>,
    /// Last failure, also if readings followed.
    pub(crate) error: Option<Arc<str>>,
    /// True once the feed is stale and reported lost.
    pub(crate) is_lost: bool,
    /// Moment since which the first number is expected.
    pub(crate) began: Moment,
    /// Moment of the last step of the rule.
    pub(crate) stepped_at: Option<Moment>,
    /// Exact share, by the rule.
    pub(crate) shedding: Shedding,
    /// Published share, as answers see it.
    pub(crate) published: QuantizedShare,
    /// Published acceptance of each PoP, in steps of 1/256; empty while no cell is shed.
    pub(crate) row: Vec<u16>,
    /// Utilisation when the published share last turned from rising to falling.
    pub(crate) came_back_at: Option<f64>,
    /// Moment at which the published share or an acceptance last changed, except small rises while
    /// quiet.
    pub(crate) changed_at: Moment,
    /// Steps of the rule since the last loss of the feed.
    pub(crate) steps: u32,
    /// Consecutive steps at which the PoP had room for cells of others.
    pub(crate) roomy: u32,
    /// True if others have room for more of its cells.
    pub(crate) has_room: bool,
    /// True if others lack room for some cells that should be shed.
    pub(crate) is_short: bool,
    /// Consecutive steps that contradict `is_stuck`.
    pub(crate) against: u32,
    /// True while the alarm stands that cells have no place.
    pub(crate) is_stuck: bool,
    /// Part of the shed cells that others take.
    pub(crate) taken: f64,
    /// Part of its demand that is shed, as far as readings reflect it yet.
    pub(crate) measured_out: f64,
    /// Load that others hand to it now.
    pub(crate) inflow: f64,
    /// Load that others hand to it, as far as readings reflect it yet.
    pub(crate) measured_inflow: f64,
    /// Moment of the next reading; `None` during a reading, or if it is pushed.
    pub(crate) due: Option<Moment>,
    /// Reading in progress, and its start.
    pub(crate) flight: Option<(FeedTicket, Moment)>,
    /// Moment of the next event without a reading.
    pub(crate) alarm: Option<Moment>,
}

impl FeedState {
    /// Starts without a reading; a number is expected from now on.
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
            came_back_at: None,
            changed_at: now,
            steps: 0,
            roomy: 0,
            has_room: false,
            is_short: false,
            against: 0,
            is_stuck: false,
            taken: 0.0,
            measured_out: 0.0,
            inflow: 0.0,
            measured_inflow: 0.0,
            due: None,
            flight: None,
            alarm: None,
        }
    }

    /// Notes a number. True if the feed was lost until now.
    pub(crate) fn note(&mut self, feed: &FeedTarget, value: f64, now: Moment) -> bool {
        let weight = feed.spec.smoothing;
        // A value of before the loss is too old for smoothing.
        let before = self.smoothed.filter(|_| !self.is_lost);
        self.smoothed = Some(before.map_or(value, |before| before + (value - before) * weight));
        self.read_at = Some(now);
        std::mem::take(&mut self.is_lost)
    }

    /// Smoothed load, divided by the capacity.
    pub(crate) fn utilisation(&self, feed: &FeedTarget) -> Option<f64> {
        self.smoothed.map(|load| load / feed.capacity)
    }

    /// Moment at which it becomes stale without a number.
    pub(crate) fn stale_at(&self, feed: &FeedTarget) -> Moment {
        self.read_at.unwrap_or(self.began).after_ms(u64::from(feed.spec.stale_after_ms))
    }

    /// True if there was no number for too long.
    pub(crate) fn is_stale(&self, feed: &FeedTarget, now: Moment) -> bool {
        now >= self.stale_at(feed)
    }

    /// Next decay of the share without a number.
    pub(crate) fn next_decay(&self, feed: &FeedTarget) -> Moment {
        let stepped_at = self.stepped_at.unwrap_or(self.began).after_ms(u64::from(feed.spec.every_ms));
        stepped_at.max(self.stale_at(feed))
    }

    /// True if a step of the rule is due: at least three quarters of the feed's period have passed
    /// since the last step. Numbers may be pushed more often.
    pub(crate) fn may_step(&self, feed: &FeedTarget, now: Moment) -> bool {
        self.stepped_at.is_none_or(|last| now.since_ms(last) * 4 >= u64::from(feed.spec.every_ms) * 3)
    }

    /// Makes a step of the rule.
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
            falls_below: self.falls_below(feed),
        };
        let (utilisation, expected) = (load / feed.capacity, expected / feed.capacity);
        let has_no_way = self.is_short || self.shedding.is_spent();
        self.note_stuck(has_no_way && shed::excess(tuning, utilisation, expected) > 0.0);
        self.shedding.step(tuning, utilisation, expected, self.has_room, now)
    }

    /// Utilisation below which a share that rose may fall. Cells differ, so there must be room for
    /// twice the load that one turn brings back on average. Cells that came back at some
    /// utilisation, and were shed again, come back only below that utilisation.
    fn falls_below(&self, feed: &FeedTarget) -> f64 {
        if !self.published.has_risen() {
            return f64::INFINITY;
        }
        let turn = self.taken * self.demand().unwrap_or(0.0) / feed.capacity * f64::from(TURN_STEPS) / 256.0;
        let again = self.came_back_at.map_or(f64::INFINITY, |at| at - shed::DEAD_BAND.1);
        (feed.spec.target - 2.0 * turn).min(again)
    }

    /// Notes a change of the published share.
    pub(crate) fn note_share(&mut self, feed: &FeedTarget, before: QuantizedShare, now: Moment) {
        if self.published.share == 0 {
            self.came_back_at = None;
        } else if before.has_risen() && self.published.share < before.share {
            self.came_back_at = self.utilisation(feed);
        }
        if self.published.share != before.share {
            self.changed_at = now;
        }
    }

    /// Notes whether cells that should be shed have no place.
    fn note_stuck(&mut self, is_stuck: bool) {
        self.against = if is_stuck == self.is_stuck { 0 } else { self.against + 1 };
        let (begins, ends) = STUCK_READINGS;
        if self.against >= if is_stuck { begins } else { ends } {
            (self.is_stuck, self.against) = (is_stuck, 0);
        }
    }

    /// Marks the feed as lost: its room is unknown.
    pub(crate) fn lose(&mut self) {
        self.is_lost = true;
        (self.steps, self.roomy, self.has_room, self.is_short) = (0, 0, false, false);
        (self.against, self.is_stuck) = (0, false);
    }

    /// True if answers have seen no change of this feed for `ttls` TTLs.
    pub(crate) fn is_quiet(&self, feed: &FeedTarget, now: Moment, ttls: u64) -> bool {
        now.since_ms(self.changed_at) >= ttls * u64::from(feed.ttl_secs.max(1)) * 1_000
    }

    /// Published share, 0 to 1.
    pub(crate) fn published_share(&self) -> f64 {
        f64::from(self.published.share) / 256.0
    }

    /// Published acceptance of a PoP, 0 to 1.
    pub(crate) fn accept(&self, pop: PopId) -> f64 {
        f64::from(self.row.get(pop.index()).copied().unwrap_or(0)) / 256.0
    }

    /// Part of its demand that is shed by the published shares.
    pub(crate) fn share_out(&self) -> f64 {
        (self.published_share() * self.taken).min(SHED_SHARE_MAX)
    }

    /// Its demand without the load that others hand to it, in the unit of the capacity.
    pub(crate) fn own_demand(&self) -> Option<f64> {
        self.smoothed.map(|load| (load - self.measured_inflow).max(0.0) / (1.0 - self.measured_out))
    }

    /// Its whole demand: the load that it would have without shedding.
    pub(crate) fn demand(&self) -> Option<f64> {
        self.smoothed.map(|load| load / (1.0 - self.measured_out))
    }

    /// Moves the measured parts towards the published shares. Answers are cached for up to a TTL,
    /// on average for half of it, and smoothed readings lag by some readings.
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
