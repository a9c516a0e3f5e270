//! Shed share of a PoP: a slow integral rule.
//!
//! Every step adds gain x (utilisation - target). The effect of recent steps is not measured yet,
//! because resolvers cache answers for a TTL. So a step also estimates the utilisation once the
//! present share is measured in full, and uses the smaller of the two excesses. Both converge to
//! the same number, so a wrong estimate delays the rule but never reverses it.

use crate::health::Moment;
use crate::limits::SHED_SHARE_MAX;
use std::collections::VecDeque;

/// Dead band above and below the target, so that noise does not turn the share. It is wider below:
/// cells come back later than they are shed, because cells that come back too early are shed again.
pub(crate) const DEAD_BAND: (f64, f64) = (0.02, 0.05);
/// Factor of steps above the limit,
const URGENT: f64 = 4.0;
/// used from this number of readings in a row.
const URGENT_AFTER: u32 = 2;
/// Largest step, however wrong a reading is.
const STEP_MAX: f64 = 0.25;
/// Changes of direction within the window that are tolerated.
const TURNS_BORNE: usize = 3;
/// Window in TTLs.
const WINDOW_TTLS: u64 = 10;
/// Lowest part of the configured gain.
const CALM_MIN: f64 = 0.125;
/// Decay of a share at each step without a feed: a factor, and a fall that brings it to 0.
const DECAY: (f64, f64) = (0.9, 0.005);

/// Parameters of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tuning {
    /// Utilisation to reach.
    pub(crate) target: f64,
    /// Utilisation above which steps are larger.
    pub(crate) limit: f64,
    /// Growth of the share per step, for each unit of excess.
    pub(crate) gain: f64,
    /// Time for which caches keep an answer after a change, in milliseconds.
    pub(crate) ttl_ms: u64,
    /// Utilisation below which the share may fall, whatever the target.
    pub(crate) falls_below: f64,
}

/// Change of the gain in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GainChange {
    /// The share changes direction too often: the gain is halved.
    Oscillates,
    /// It was quiet for long enough: the gain is as configured again.
    Calm,
}

/// Shed share of one feed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shedding {
    share: f64,
    /// Readings above the limit in a row.
    urgent: u32,
    /// Direction of the last movement.
    is_rising: Option<bool>,
    /// Changes of direction within the window.
    turns: VecDeque<Moment>,
    /// Part of the configured gain in use.
    calm: f64,
    /// Moment since which it has not turned, or the gain has not changed.
    quiet_since: Moment,
}

impl Shedding {
    /// Starts with a share.
    pub(crate) fn new(share: f64, now: Moment) -> Shedding {
        let share = if share.is_finite() { share.clamp(0.0, SHED_SHARE_MAX) } else { 0.0 };
        Shedding { share, urgent: 0, is_rising: None, turns: VecDeque::new(), calm: 1.0, quiet_since: now }
    }

    /// Share of cells that may be shed, 0 to [`SHED_SHARE_MAX`].
    pub(crate) fn share(&self) -> f64 {
        self.share
    }

    /// True if the gain is less than configured.
    pub(crate) fn oscillates(&self) -> bool {
        self.calm < 1.0
    }

    /// True if the share is at its limit.
    pub(crate) fn is_spent(&self) -> bool {
        self.share >= SHED_SHARE_MAX
    }

    /// Makes a step after a reading. `expected` is the utilisation once the present share is
    /// measured in full. Without room the share does not grow, because no more cells could be
    /// placed.
    pub(crate) fn step(
        &mut self,
        tuning: Tuning,
        utilisation: f64,
        expected: f64,
        has_room: bool,
        now: Moment,
    ) -> Option<GainChange> {
        let mut excess = excess(tuning, utilisation, expected);
        if tuning.target + excess >= tuning.falls_below {
            excess = excess.max(0.0);
        }
        self.urgent = if utilisation > tuning.limit && expected > tuning.limit {
            self.urgent.saturating_add(1)
        } else {
            0
        };
        let mut step = 0.0;
        if excess < 0.0 || has_room {
            let urgency = if self.urgent >= URGENT_AFTER { URGENT } else { 1.0 };
            step = (tuning.gain * self.calm * urgency * excess).clamp(-STEP_MAX, STEP_MAX);
        }
        self.advance(step, tuning.ttl_ms, now)
    }

    /// Makes a step without a feed: the share decays to 0.
    pub(crate) fn decay(&mut self) {
        let (part, fall) = DECAY;
        self.share = (self.share * part - fall).max(0.0);
        self.urgent = 0;
        self.is_rising = None;
    }

    fn advance(&mut self, step: f64, ttl_ms: u64, now: Moment) -> Option<GainChange> {
        let before = self.share;
        self.share = (before + step).clamp(0.0, SHED_SHARE_MAX);
        let window_ms = WINDOW_TTLS * ttl_ms.max(1_000);
        let is_rising = self.share > before;
        if self.share != before {
            if self.is_rising.is_some_and(|was| was != is_rising) {
                self.turns.push_back(now);
                self.quiet_since = now;
            }
            self.is_rising = Some(is_rising);
        }
        while self.turns.front().is_some_and(|turn| now.since_ms(*turn) > window_ms) {
            self.turns.pop_front();
        }
        if self.turns.len() > TURNS_BORNE {
            self.turns.clear();
            self.calm = (self.calm / 2.0).max(CALM_MIN);
            return Some(GainChange::Oscillates);
        }
        if self.oscillates() && now.since_ms(self.quiet_since) >= window_ms {
            self.quiet_since = now;
            self.calm *= 2.0;
            return (!self.oscillates()).then_some(GainChange::Calm);
        }
        None
    }
}

/// Difference between utilisation and target, now and once the present share is measured in full:
/// the smaller of the two. It is 0 if their signs differ, or within the dead band.
pub(crate) fn excess(tuning: Tuning, utilisation: f64, expected: f64) -> f64 {
    let (excess, to_come) = (utilisation - tuning.target, expected - tuning.target);
    let excess = match (excess > 0.0, to_come > 0.0) {
        (true, true) => excess.min(to_come),
        (false, false) => excess.max(to_come),
        _ => 0.0,
    };
    if (-DEAD_BAND.1..=DEAD_BAND.0).contains(&excess) { 0.0 } else { excess }
}
