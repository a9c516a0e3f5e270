//! The plain model that the machines are held against: one counter each for good and bad results,
//! no clock.

use crate::world::{DOWN_AFTER, OK_AFTER, UP_AFTER};
use meridian::testing::health::health_state::Verdict;

/// A target as the rules word it.
#[derive(Clone, Copy, Default)]
pub struct Plain {
    pub verdict: Option<bool>,
    pub bad: u16,
    pub good: u16,
}

impl Plain {
    /// A result. While up every failure counts until enough successes in a row; while down one
    /// failure begins anew.
    pub fn see(&mut self, is_well: bool) {
        match (self.verdict, is_well) {
            (None, true) => *self = Plain { verdict: Some(true), bad: 0, good: 0 },
            (None, false) => {
                self.bad += 1;
                // A cold start needs two failures.
                if self.bad >= 2 {
                    *self = Plain { verdict: Some(false), bad: 0, good: 0 };
                }
            }
            (Some(true), true) => {
                self.good += 1;
                if self.good >= OK_AFTER {
                    (self.bad, self.good) = (0, 0);
                }
            }
            (Some(true), false) => {
                (self.bad, self.good) = (self.bad + 1, 0);
                if self.bad >= DOWN_AFTER {
                    *self = Plain { verdict: Some(false), bad: 0, good: 0 };
                }
            }
            (Some(false), true) => {
                self.good += 1;
                if self.good >= UP_AFTER {
                    *self = Plain { verdict: Some(true), bad: 0, good: 0 };
                }
            }
            (Some(false), false) => self.good = 0,
        }
    }

    pub fn agrees(&self, verdict: Verdict) -> bool {
        match self.verdict {
            None => verdict == Verdict::Unknown,
            Some(true) => verdict == Verdict::Up,
            Some(false) => verdict == Verdict::Down,
        }
    }
}
