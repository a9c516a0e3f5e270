//! The share of its cells that a PoP sheds: a slow integral rule.
//!
//! Every step adds gain x (utilisation - target). What was handed out a moment ago is not measured
//! yet, since resolvers keep answers for a TTL; so a step also asks what the utilisation will be
//! once the present share is measured in full, and is as small as the smaller of the two excesses.
//! In the end both are the same number, so an estimate that is wrong delays the rule but never
//! turns it.

use crate::health::Moment;
use crate::limits::SHED_SHARE_MAX;
use std::collections::VecDeque;

/// So far above the target, and below, nothing moves, so that noise does not turn the share. Cells
/// come back later than they leave: what comes back too early leaves again.
pub(crate) const DEAD_BAND: (f64, f64) = (0.02, 0.05);
/// Above the limit steps are so many times larger,
const URGENT: f64 = 4.0;
/// from this many readings in a row on,
const URGENT_AFTER: u32 = 2;
/// and no step is larger than this, however wrong a reading is.
const STEP_MAX: f64 = 0.25;
/// Changes of direction within the window that are borne.
const TURNS_BORNE: usize = 3;
/// The window, in TTLs.
const WINDOW_TTLS: u64 = 10;
/// The gain never falls below this part of what is configured.
const CALM_MIN: f64 = 0.125;
/// What is left of a share after a step without a feed, and the fall on top that brings it to 0.
const DECAY: (f64, f64) = (0.9, 0.005);

/// What the rule needs of a spec.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tuning {
    /// Utilisation that is steered for.
    pub(crate) target: f64,
    /// Utilisation above which steps are larger.
    pub(crate) limit: f64,
    /// Growth of the share by excess and step.
    pub(crate) gain: f64,
    /// How long an answer outlives a change, in milliseconds.
    pub(crate) ttl_ms: u64,
    /// The share falls only below this utilisation, whatever the target.
    pub(crate) falls_below: f64,
}

/// What a step found beside the share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GainChange {
    /// It turns too often: the gain is halved.
    Oscillates,
    /// It was quiet for long enough: the gain is what is configured again.
    Calm,
}

/// The share of one feed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shedding {
    share: f64,
    /// Readings above the limit in a row.
    urgent: u32,
    /// Sign of the last movement.
    is_rising: Option<bool>,
    /// Changes of direction inside the window.
    turns: VecDeque<Moment>,
    /// Part of the configured gain that is used.
    calm: f64,
    /// Since when it did not turn, or the gain last changed.
    quiet_since: Moment,
}

impl Shedding {
    /// Sheds this share.
    pub(crate) fn new(share: f64, now: Moment) -> Shedding {
        let share = if share.is_finite() { share.clamp(0.0, SHED_SHARE_MAX) } else { 0.0 };
        Shedding { share, urgent: 0, is_rising: None, turns: VecDeque::new(), calm: 1.0, quiet_since: now }
    }

    /// The share of cells that may leave, 0 to [`SHED_SHARE_MAX`].
    pub(crate) fn share(&self) -> f64 {
        self.share
    }

    /// Whether the gain is less than what is configured.
    pub(crate) fn oscillates(&self) -> bool {
        self.calm < 1.0
    }

    /// Whether the share is as large as it may be.
    pub(crate) fn is_spent(&self) -> bool {
        self.share >= SHED_SHARE_MAX
    }

    /// A step after a reading. `expected` is the utilisation once the present share is measured in
    /// full. Without room the share does not grow, because no more cells would leave.
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

    /// A step without a feed: towards 0.
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

/// By how much the utilisation is above or below the target, now and once the present share is
/// measured in full: the smaller of both, and 0 where they disagree or are within the dead band.
pub(crate) fn excess(tuning: Tuning, utilisation: f64, expected: f64) -> f64 {
    let (excess, to_come) = (utilisation - tuning.target, expected - tuning.target);
    let excess = match (excess > 0.0, to_come > 0.0) {
        (true, true) => excess.min(to_come),
        (false, false) => excess.max(to_come),
        _ => 0.0,
    };
    if (-DEAD_BAND.1..=DEAD_BAND.0).contains(&excess) { 0.0 } else { excess }
}
