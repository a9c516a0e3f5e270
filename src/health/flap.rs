//! Damping of a target that flaps.
//!
//! ```text
//!           more turns than the limit within the window
//!   [calm] ─────────────────────────────────────────────▶ [damped] ─┐ the same, at its end:
//!     ▲                                                      │ ▲    │ damped for longer
//!     └──────────────────────────────────────────────────────┘ └────┘
//!        the time is over · an operator has decided
//! ```
//!
//! A *turn* is a change of the verdict from up to down or back. The caller leaves out turns that
//! say nothing about the target: while canaries fail, while a panic guard holds its policy, and
//! while an operator has decided about its PoPs. A damped target keeps its verdict, and its PoP
//! serves as a last resort. Each damping starts the count again. It lasts twice as long as the one
//! before, until the target has been calm for a window.

use super::Moment;
use super::spec::FlapLimits;
use crate::limits::{FLAP_DAMP_MAX_MS, FLAP_DAMP_MS};
use std::collections::VecDeque;

/// Turns and damping of a target. Times are in milliseconds on the caller's clock; negative values
/// lie before its zero, that is, before a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flap {
    /// Turns since the last damping began, oldest first.
    pub(crate) turns_ms: VecDeque<i64>,
    /// Current damping, if any.
    pub(crate) damping: Option<Damping>,
    /// Dampings without a calm window between them.
    pub(crate) level: u8,
    /// End of the last damping.
    pub(crate) ended_ms: Option<i64>,
}

/// Period in which a target is a last resort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damping {
    /// Start of the period.
    pub(crate) since_ms: i64,
    /// End of the period.
    pub(crate) until_ms: i64,
}

/// Change that a turn, or time, has caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlapChange {
    /// The target is damped, or its damping is prolonged.
    Damped {
        /// Its turns within the window.
        turns: u16,
        /// Duration from now, in milliseconds.
        for_ms: u64,
    },
    /// The damping has ended.
    Over {
        /// Duration of the damping, in milliseconds.
        lasted_ms: u64,
    },
}

impl Flap {
    /// Handles a turn of the target.
    pub(crate) fn turn(&mut self, limits: FlapLimits, now: Moment) -> Option<FlapChange> {
        if limits.turns == 0 {
            return None;
        }
        self.prune(limits, now);
        // One turn more than the limit is enough to decide.
        if self.turns_ms.len() > usize::from(limits.turns) {
            self.turns_ms.pop_front();
        }
        self.turns_ms.push_back(now.clock_ms());
        (self.damping.is_none() && self.is_exceeded(limits)).then(|| self.damp(limits, now))
    }

    /// Ends a damping at its end, or prolongs it if the target still flaps.
    pub(crate) fn advance(&mut self, limits: FlapLimits, now: Moment) -> Option<FlapChange> {
        self.damping.filter(|damping| damping.until_ms <= now.clock_ms())?;
        self.prune(limits, now);
        if self.is_exceeded(limits) {
            return Some(self.damp(limits, now));
        }
        self.end(now)
    }

    /// Change of limits by a reload or a restart. It has an effect only if the new limits turn
    /// damping off: the turns are forgotten, and the next [`Flap::advance`] ends the damping.
    pub(crate) fn adapt(&mut self, limits: FlapLimits) {
        if limits.turns > 0 {
            return;
        }
        let damping = self.damping.map(|damping| Damping { until_ms: damping.since_ms, ..damping });
        *self = Flap { damping, ..Flap::default() };
    }

    /// Forgets the turns, and ends the damping, because an operator has decided.
    pub(crate) fn clear(&mut self, now: Moment) -> Option<FlapChange> {
        let change = self.end(now);
        *self = Flap::default();
        change
    }

    /// Turns within the window since the last damping began.
    pub(crate) fn turns(&self, limits: FlapLimits, now: Moment) -> u16 {
        let from_ms = now.clock_ms().saturating_sub(i64::from(limits.window_ms));
        self.turns_ms.iter().filter(|turn| **turn >= from_ms).count() as u16
    }

    fn end(&mut self, now: Moment) -> Option<FlapChange> {
        let damping = self.damping.take()?;
        self.ended_ms = Some(now.clock_ms());
        Some(FlapChange::Over { lasted_ms: now.since_clock_ms(damping.since_ms) })
    }

    fn damp(&mut self, limits: FlapLimits, now: Moment) -> FlapChange {
        // A target whose damping is prolonged was not calm.
        let is_calm = self.damping.is_none()
            && self.ended_ms.is_some_and(|end| now.since_clock_ms(end) >= u64::from(limits.window_ms));
        self.level = if is_calm { 1 } else { self.level.saturating_add(1) };
        let doublings = u32::from(self.level - 1).min(16);
        let for_ms = (FLAP_DAMP_MS << doublings).min(FLAP_DAMP_MAX_MS);
        let turns = self.turns_ms.len() as u16;
        self.turns_ms.clear();
        let since_ms = self.damping.map_or(now.clock_ms(), |damping| damping.since_ms);
        self.damping = Some(Damping { since_ms, until_ms: now.after_ms(for_ms).clock_ms() });
        FlapChange::Damped { turns, for_ms }
    }

    fn is_exceeded(&self, limits: FlapLimits) -> bool {
        limits.turns > 0 && self.turns_ms.len() > usize::from(limits.turns)
    }

    fn prune(&mut self, limits: FlapLimits, now: Moment) {
        let from_ms = now.clock_ms().saturating_sub(i64::from(limits.window_ms));
        while self.turns_ms.front().is_some_and(|turn| *turn < from_ms) {
            self.turns_ms.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
