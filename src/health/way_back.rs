//! Way back of a pool from all down, so that the first PoP to return does not get the clients of
//! all.
//!
//! ```text
//!              all down                    the first returns
//!   [open] ───────────────▶ [all down] ──────────────────────▶ [returning]
//!     ▲                         ▲        all are down again         │
//!     │                         └───────────────────────────────────┤
//!     └─────────────────────────────────────────────────────────────┘
//!        more than the share is up · the time is over · an operator has decided
//! ```
//!
//! A *pool* is the PoPs among which a client's preference list chooses: those of a policy outside
//! fences, or those of one fence. While a pool returns, its preference lists are answered as if all
//! of it were still down, provided that the policy then answers something (`as_if_up`, `last_good`,
//! a CNAME). At least three PoPs must count; in a smaller pool the first PoP is enough. While the
//! panic guard holds the policy, no way back begins, because the PoPs serve as before anyway. If
//! the hold then settles because PoPs came back, a pool whose fallen PoPs are within the guard's
//! share is back: it was never served as all down. If the hold reaches its limit, the way back
//! begins.

use super::Moment;
use super::spec::PanicGuard;

/// Least number of PoPs without an operator's decision that a pool needs for a way back, and a
/// policy for a panic guard. With fewer, the verdicts of probes are followed at once.
pub(crate) const COUNTING_MIN: u32 = 3;

/// Way back of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WayBack {
    rule: PanicGuard,
    /// `up_after` times `every` of the slowest probe, in milliseconds.
    probe_ms: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    AllDown,
    /// Start of the return, in milliseconds on the caller's clock; negative before its zero (a
    /// restart).
    Returning(i64),
}

/// Counts of a pool's PoPs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// PoPs that count: those without an operator's decision.
    pub(crate) of: u32,
    /// PoPs that count and are not down.
    pub(crate) up: u32,
    /// PoPs that count and fell, by the panic guard.
    pub(crate) fallen: u32,
    /// True if a PoP serves by an operator's decision.
    pub(crate) is_served: bool,
}

/// State of the panic guard of the pool's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GuardState {
    /// No hold.
    Idle,
    /// It holds the policy.
    Holding,
    /// Its hold ended at this moment, because the share is no longer exceeded.
    Settled,
}

/// Change of a way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayBackChange {
    /// It begins: the first PoPs are back.
    Begun {
        /// Limit in milliseconds.
        at_most_ms: u64,
    },
    /// It ends: PoPs serve by their verdicts again, or all are down again.
    Ended {
        /// Duration in milliseconds.
        lasted_ms: u64,
    },
}

impl Census {
    /// Adds a PoP without an operator's decision.
    pub(crate) fn add(&mut self, is_up: bool) {
        self.of += 1;
        self.up += u32::from(is_up);
    }

    /// True if enough PoPs are up to answer by verdicts.
    pub(crate) fn is_back(&self, share_percent: u8) -> bool {
        let share = u64::from(share_percent);
        self.is_served || share >= 100 || u64::from(self.up) * 100 > u64::from(self.of) * share
    }

    /// True if so few PoPs are still fallen that no guard would hold for them.
    fn has_settled(&self, share_percent: u8) -> bool {
        u64::from(self.fallen) * 100 <= u64::from(self.of) * u64::from(share_percent)
    }
}

impl WayBack {
    /// Starts with no PoP down. `probe_ms` is `up_after` times `every` of the pool's slowest probe.
    pub(crate) fn new(rule: PanicGuard, probe_ms: u64) -> WayBack {
        WayBack { rule, probe_ms, state: State::Open }
    }

    /// Judges a pool.
    pub(crate) fn judge(&mut self, census: Census, guard: GuardState, now: Moment) -> Option<WayBackChange> {
        let is_all_down = census.of >= COUNTING_MIN && census.up == 0 && !census.is_served;
        let share_percent = self.rule.share_percent;
        let next = match self.state {
            _ if is_all_down => State::AllDown,
            State::Open => State::Open,
            _ if census.is_back(share_percent) => State::Open,
            // After a decision fewer PoPs count, all of them down: a small pool believes its
            // probes.
            State::AllDown if census.of < COUNTING_MIN => State::Open,
            State::Returning(_) if census.up == 0 => State::Open,
            State::AllDown if guard == GuardState::Holding => State::AllDown,
            State::AllDown if guard == GuardState::Settled && census.has_settled(share_percent) => {
                State::Open
            }
            State::AllDown => State::Returning(now.clock_ms()),
            State::Returning(_) if self.next_wake().is_some_and(|end| end <= now) => State::Open,
            State::Returning(since_ms) => State::Returning(since_ms),
        };
        match (std::mem::replace(&mut self.state, next), next) {
            (State::AllDown, State::Returning(_)) => {
                Some(WayBackChange::Begun { at_most_ms: self.at_most_ms() })
            }
            (State::Returning(since_ms), State::Open | State::AllDown) => {
                Some(WayBackChange::Ended { lasted_ms: now.since_clock_ms(since_ms) })
            }
            _ => None,
        }
    }

    /// True if its PoPs serve by their verdicts. It stays so until none of them serves.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Share of the pool's PoPs, in percent, above which the way back is over.
    pub(crate) fn share_percent(&self) -> u8 {
        self.rule.share_percent
    }

    /// Limit of a way back, in milliseconds.
    pub(crate) fn at_most_ms(&self) -> u64 {
        self.probe_ms.min(u64::from(self.rule.hold_ms))
    }

    /// True if all were down at the last judgement.
    pub(crate) fn is_all_down(&self) -> bool {
        self.state == State::AllDown
    }

    /// Start of the return, in milliseconds on the caller's clock.
    pub(crate) fn returns_since_ms(&self) -> Option<i64> {
        match self.state {
            State::Returning(since_ms) => Some(since_ms),
            State::Open | State::AllDown => None,
        }
    }

    /// Moment at which the way back reaches its limit.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        let end =
            |since_ms: i64| since_ms.saturating_add(i64::try_from(self.at_most_ms()).unwrap_or(i64::MAX));
        self.returns_since_ms().map(|since_ms| Moment(u64::try_from(end(since_ms)).unwrap_or(0)))
    }

    /// Takes over the state of another pool after a reload.
    pub(crate) fn follow(&mut self, before: &WayBack) {
        self.state = before.state;
    }

    /// Continues a return after a restart.
    pub(crate) fn resume(&mut self, since_ms: i64) {
        self.state = State::Returning(since_ms);
    }
}

#[cfg(test)]
mod tests;
