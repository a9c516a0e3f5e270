//! Transition: the way in which an override of state or weight takes effect, at once or step by
//! step.
//!
//! A transition is a pure function of the override and the clock. No part of it is remembered, so a
//! restart continues where the transition would have been. A clock that is set back takes a
//! transition back by as much, and no further than to its beginning; a transition that has begun
//! never waits again.

/// Steps of a transition. Shares of cells have as many, so that each step moves one share.
pub(crate) const STEPS: u64 = 256;

/// Begin and duration of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transition {
    /// Time of its begin, in seconds since 1970, if it is planned or takes time; else 0.
    pub(crate) start_epoch_secs: u64,
    /// Duration in seconds; 0 for at once.
    pub(crate) over_secs: u64,
    /// Value at its begin: cells that have left (0 to 256), or a weight.
    pub(crate) from: u32,
}

impl Transition {
    /// True if it is complete at a moment.
    pub(crate) fn is_over(&self, now: u64) -> bool {
        now >= self.end()
    }

    /// Time of its completion, in seconds since 1970.
    pub(crate) fn end(&self) -> u64 {
        self.start_epoch_secs.saturating_add(self.over_secs)
    }

    /// Value on the way to `to`: never past it, and never back while the clock goes forward.
    pub(crate) fn position(&self, to: u32, now: u64) -> u32 {
        let step = self.step(now);
        let gone = |way: u32| (u64::from(way) * step / STEPS) as u32;
        if to >= self.from { self.from + gone(to - self.from) } else { self.from - gone(self.from - to) }
    }

    /// Progress in quarters: 0 at its begin, 4 at its completion; `None` before it begins.
    pub(crate) fn quarter(&self, now: u64) -> Option<u8> {
        (now >= self.start_epoch_secs).then(|| (self.step(now) * 4 / STEPS) as u8)
    }

    /// Steps done.
    fn step(&self, now: u64) -> u64 {
        if self.is_over(now) {
            STEPS
        } else {
            now.saturating_sub(self.start_epoch_secs) * STEPS / self.over_secs.max(1)
        }
    }

    /// Time of the next step, in seconds since 1970; `None` after the last.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        if now < self.start_epoch_secs {
            return Some(self.start_epoch_secs);
        }
        (!self.is_over(now))
            .then(|| self.start_epoch_secs + ((self.step(now) + 1) * self.over_secs).div_ceil(STEPS))
    }
}

#[cfg(test)]
mod tests;
