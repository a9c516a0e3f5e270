//! Verdict of one target, from its results.
//!
//! ```text
//!                        success
//!        ┌───────────────────────────────────────────┐
//!        │                                           ▼
//!     [Cold] ── failures (2, quick) ──▶ [Suspect]   [Up] ◀── up_after successes in a row ── [Down]
//!   no result      no canaries, or       │    ▲      │                                        ▲
//!     of its own   a canary's success:   │    └──────┘ down_after failures                    │
//!                  confirmed             └────────────────────────────────────────────────────┘
//! ```
//!
//! Up: each failure counts, also with successes between; `ok_after` successes in a row clear the
//! count. Down: one failure resets the successes. [`VerdictState::Suspect`] has enough failures,
//! but no canary has yet proved that this node's own network works. Without canaries it is
//! confirmed at once.

use super::Moment;
use super::health_state::Verdict;
use super::spec::Spec;

/// Failures after a cold start until a target is down. One may be a lost packet, and the target
/// takes no clients meanwhile.
const COLD_DOWN_AFTER: u16 = 2;

/// Numbers of results that make a verdict; each at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thresholds {
    /// Successes in a row until the target is up.
    pub(crate) up_after: u16,
    /// Failures until the target is down.
    pub(crate) down_after: u16,
    /// Successes in a row that clear the failures.
    pub(crate) ok_after: u16,
}

impl Thresholds {
    /// Thresholds of a spec.
    pub(crate) fn of(spec: &Spec) -> Thresholds {
        Thresholds {
            up_after: spec.up_after.max(1),
            down_after: spec.down_after.max(1),
            ok_after: spec.ok_after.max(1),
        }
    }

    /// Failures after a cold start until a target is down: two, or one if `down_after` is one.
    fn cold_down_after(self) -> u16 {
        self.down_after.min(COLD_DOWN_AFTER)
    }
}

/// State of a target's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VerdictState {
    /// No result of this check has decided yet.
    Cold {
        /// Verdict meanwhile: unknown, or that of the check which this one replaces.
        shown: Verdict,
        /// Failures so far.
        failures: u16,
    },
    /// Up.
    Up {
        /// Failures counted, less than `down_after`.
        failures: u16,
        /// Successes in a row since the last failure; 0 if no failure is counted.
        successes: u16,
    },
    /// It has failed often enough, and waits for the success of a canary.
    Suspect {
        /// Verdict meanwhile.
        shown: Verdict,
        /// True if it comes from a cold start.
        is_cold: bool,
        /// Failure that makes the verdict: a canary must succeed later than this.
        failed_at: Moment,
    },
    /// Down.
    Down {
        /// Successes in a row.
        successes: u16,
    },
}

impl Default for VerdictState {
    fn default() -> VerdictState {
        VerdictState::Cold { shown: Verdict::Unknown, failures: 0 }
    }
}

impl VerdictState {
    /// Cold, with the verdict of the predecessor.
    pub(crate) fn inherited(shown: Verdict) -> VerdictState {
        VerdictState::Cold { shown, failures: 0 }
    }

    /// Current verdict.
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            VerdictState::Cold { shown, .. } | VerdictState::Suspect { shown, .. } => shown,
            VerdictState::Up { .. } => Verdict::Up,
            VerdictState::Down { .. } => Verdict::Down,
        }
    }

    /// State after a success.
    #[must_use]
    pub(crate) fn succeed(self, limits: Thresholds) -> VerdictState {
        match self {
            VerdictState::Cold { failures, .. } => up_again(failures, 0, limits),
            VerdictState::Up { failures, successes } => up_again(failures, successes, limits),
            VerdictState::Suspect { .. } => match self.withdraw(limits) {
                VerdictState::Cold { failures, .. } | VerdictState::Up { failures, .. } => {
                    up_again(failures, 0, limits)
                }
                other => other,
            },
            VerdictState::Down { successes } if successes + 1 >= limits.up_after => {
                VerdictState::Up { failures: 0, successes: 0 }
            }
            VerdictState::Down { successes } => VerdictState::Down { successes: successes + 1 },
        }
    }

    /// State after a failure. It never goes down by itself; see [`VerdictState::confirm`].
    #[must_use]
    pub(crate) fn fail(self, limits: Thresholds, now: Moment) -> VerdictState {
        match self {
            VerdictState::Cold { shown: Verdict::Down, .. } => VerdictState::Down { successes: 0 },
            VerdictState::Cold { shown, failures } if failures + 1 >= limits.cold_down_after() => {
                VerdictState::Suspect { shown, is_cold: true, failed_at: now }
            }
            VerdictState::Cold { shown, failures } => VerdictState::Cold { shown, failures: failures + 1 },
            VerdictState::Up { failures, .. } if failures + 1 >= limits.down_after => {
                VerdictState::Suspect { shown: Verdict::Up, is_cold: false, failed_at: now }
            }
            VerdictState::Up { failures, .. } => VerdictState::Up { failures: failures + 1, successes: 0 },
            VerdictState::Suspect { .. } => self,
            VerdictState::Down { .. } => VerdictState::Down { successes: 0 },
        }
    }

    /// State after its failures are proved, or need no proof: a suspect is down, others are
    /// unchanged.
    #[must_use]
    pub(crate) fn confirm(self) -> VerdictState {
        match self {
            VerdictState::Suspect { .. } => VerdictState::Down { successes: 0 },
            other => other,
        }
    }

    /// State after a freeze: the failures were this node's own, so a suspect lacks one failure
    /// again.
    #[must_use]
    pub(crate) fn withdraw(self, limits: Thresholds) -> VerdictState {
        match self {
            VerdictState::Suspect { shown, is_cold: true, .. } => {
                VerdictState::Cold { shown, failures: limits.cold_down_after() - 1 }
            }
            VerdictState::Suspect { is_cold: false, .. } => {
                VerdictState::Up { failures: limits.down_after - 1, successes: 0 }
            }
            other => other,
        }
    }

    /// State under other thresholds: the verdict stays, and no count exceeds its threshold.
    #[must_use]
    pub(crate) fn adapt(self, limits: Thresholds) -> VerdictState {
        match self {
            VerdictState::Cold { shown, failures } => {
                VerdictState::Cold { shown, failures: failures.min(limits.cold_down_after() - 1) }
            }
            VerdictState::Up { failures, successes } => {
                let failures = failures.min(limits.down_after - 1);
                match successes >= limits.ok_after || failures == 0 {
                    true => VerdictState::Up { failures: 0, successes: 0 },
                    false => VerdictState::Up { failures, successes },
                }
            }
            VerdictState::Suspect { .. } => self,
            VerdictState::Down { successes } => {
                VerdictState::Down { successes: successes.min(limits.up_after - 1) }
            }
        }
    }

    /// Results still needed to change the verdict; `None` if the last results do not point to a
    /// change.
    pub(crate) fn checks_to_flip(self, limits: Thresholds) -> Option<u16> {
        match self {
            VerdictState::Cold { shown: Verdict::Down, .. } => Some(1),
            VerdictState::Cold { failures, .. } => Some(limits.cold_down_after() - failures),
            VerdictState::Up { failures: 0, .. } | VerdictState::Down { successes: 0 } => None,
            VerdictState::Up { failures, .. } => Some(limits.down_after - failures),
            VerdictState::Suspect { .. } => Some(0),
            VerdictState::Down { successes } => Some(limits.up_after - successes),
        }
    }

    /// Failures that count towards the verdict `down`.
    pub(crate) fn failures(self, limits: Thresholds) -> u16 {
        match self {
            VerdictState::Cold { failures, .. } | VerdictState::Up { failures, .. } => failures,
            VerdictState::Suspect { is_cold: true, .. } => limits.cold_down_after(),
            VerdictState::Suspect { is_cold: false, .. } => limits.down_after,
            VerdictState::Down { .. } => 0,
        }
    }

    /// Successes that count towards the verdict `up`, or towards clearing the failures.
    pub(crate) fn successes(self) -> u16 {
        match self {
            VerdictState::Up { successes, .. } | VerdictState::Down { successes } => successes,
            VerdictState::Cold { .. } | VerdictState::Suspect { .. } => 0,
        }
    }
}

/// Up, with one more success.
fn up_again(failures: u16, successes: u16, limits: Thresholds) -> VerdictState {
    let (failures, successes) = (failures.min(limits.down_after - 1), successes + 1);
    match failures == 0 || successes >= limits.ok_after {
        true => VerdictState::Up { failures: 0, successes: 0 },
        false => VerdictState::Up { failures, successes },
    }
}

#[cfg(test)]
mod tests;
