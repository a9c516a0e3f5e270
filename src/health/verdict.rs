//! The verdict of one target: how many answers make it up or down.
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
//! count. Down: one failure sets the successes back to none. [`VerdictState::Suspect`] has the
//! failures, but not yet the word of a canary that this node's own network works; where no canaries
//! are set it is confirmed at once.

use super::Moment;
use super::health_state::Verdict;
use super::spec::Spec;

/// Failures from a cold start that take a target down: one may be a lost packet, and nobody is
/// served meanwhile.
const COLD_DOWN_AFTER: u16 = 2;

/// How many answers make a verdict; each at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thresholds {
    /// Successes in a row that bring a target up.
    pub(crate) up_after: u16,
    /// Failures that take a target down.
    pub(crate) down_after: u16,
    /// Successes in a row that clear the failures.
    pub(crate) ok_after: u16,
}

impl Thresholds {
    /// Those of a spec.
    pub(crate) fn of(spec: &Spec) -> Thresholds {
        Thresholds {
            up_after: spec.up_after.max(1),
            down_after: spec.down_after.max(1),
            ok_after: spec.ok_after.max(1),
        }
    }

    /// Failures from a cold start that take a target down: two, or one where one is always enough.
    fn cold_down_after(self) -> u16 {
        self.down_after.min(COLD_DOWN_AFTER)
    }
}

/// Where a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VerdictState {
    /// No result of this check has decided yet.
    Cold {
        /// What is said meanwhile: nothing, or the verdict of the check that this one replaces.
        shown: Verdict,
        /// Failures so far.
        failures: u16,
    },
    /// Up.
    Up {
        /// Failures counted, less than `down_after`.
        failures: u16,
        /// Successes in a row since the last failure; 0 while none is counted.
        successes: u16,
    },
    /// Failed often enough, and waits for a canary's word.
    Suspect {
        /// What is said meanwhile.
        shown: Verdict,
        /// It comes from a cold start.
        is_cold: bool,
        /// The failure that makes the verdict: a canary must succeed later than this.
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
    /// Cold, with the verdict of what was there before.
    pub(crate) fn inherited(shown: Verdict) -> VerdictState {
        VerdictState::Cold { shown, failures: 0 }
    }

    /// What it says.
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            VerdictState::Cold { shown, .. } | VerdictState::Suspect { shown, .. } => shown,
            VerdictState::Up { .. } => Verdict::Up,
            VerdictState::Down { .. } => Verdict::Down,
        }
    }

    /// After a success.
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

    /// After a failure. It never goes down by itself: see [`VerdictState::confirm`].
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

    /// The failures are proved, or need no proof: a suspect is down, all else stays.
    #[must_use]
    pub(crate) fn confirm(self) -> VerdictState {
        match self {
            VerdictState::Suspect { .. } => VerdictState::Down { successes: 0 },
            other => other,
        }
    }

    /// The failures were this node's own: a suspect is one failure short of its verdict again.
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

    /// Under other thresholds: the verdict stays, and no count is past its end.
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

    /// Results still needed until the verdict can change; `None` while nothing points that way.
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

    /// Failures that count towards going down.
    pub(crate) fn failures(self, limits: Thresholds) -> u16 {
        match self {
            VerdictState::Cold { failures, .. } | VerdictState::Up { failures, .. } => failures,
            VerdictState::Suspect { is_cold: true, .. } => limits.cold_down_after(),
            VerdictState::Suspect { is_cold: false, .. } => limits.down_after,
            VerdictState::Down { .. } => 0,
        }
    }

    /// Successes that count towards coming up, or towards clearing the failures.
    pub(crate) fn successes(self) -> u16 {
        match self {
            VerdictState::Up { successes, .. } | VerdictState::Down { successes } => successes,
            VerdictState::Cold { .. } | VerdictState::Suspect { .. } => 0,
        }
    }
}

/// Up, one success further.
fn up_again(failures: u16, successes: u16, limits: Thresholds) -> VerdictState {
    let (failures, successes) = (failures.min(limits.down_after - 1), successes + 1);
    match failures == 0 || successes >= limits.ok_after {
        true => VerdictState::Up { failures: 0, successes: 0 },
        false => VerdictState::Up { failures, successes },
    }
}

#[cfg(test)]
mod tests;
