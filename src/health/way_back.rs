//! The way back of one pool from all down, so that the first PoP to return does not get the clients
//! of all.
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
//! A *pool* is the PoPs among which a client's preference list chooses: those that a policy offers
//! outside fences, or those of one fence. While a pool returns, its preference lists are answered
//! as though all of it were still down, where the policy then answers something (`as_if_up`,
//! `last_good`, a CNAME). Three PoPs at least must count: in a smaller pool the first PoP is
//! enough. While the panic guard holds the policy, nothing begins: the PoPs serve as before anyway.

use super::Moment;
use super::spec::PanicGuard;

/// PoPs that must count in a pool for a way back, and in a policy for a panic guard.
pub(crate) const COUNTING_MIN: u32 = 3;

/// The way back of one pool.
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
    /// Since when, in milliseconds on the caller's clock; negative before its zero (a restart).
    Returning(i64),
}

/// The PoPs of a pool, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// PoPs that count: no operator has decided about them.
    pub(crate) of: u32,
    /// PoPs that count and are not down.
    pub(crate) up: u32,
    /// A PoP serves by an operator's decision.
    pub(crate) is_served: bool,
}

/// What a census came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayBackChange {
    /// The first PoPs are back.
    Begun {
        /// For at most this long, in milliseconds.
        at_most_ms: u64,
    },
    /// PoPs serve by their verdicts again, or all are down again.
    Ended {
        /// How long it lasted, in milliseconds.
        lasted_ms: u64,
    },
}

impl WayBack {
    /// Nothing is down. `probe_ms` is `up_after` times `every` of the pool's slowest probe.
    pub(crate) fn new(rule: PanicGuard, probe_ms: u64) -> WayBack {
        WayBack { rule, probe_ms, state: State::Open }
    }

    /// Judges a pool. `is_held`: the panic guard holds its policy.
    pub(crate) fn judge(&mut self, census: Census, is_held: bool, now: Moment) -> Option<WayBackChange> {
        let is_all_down = census.of >= COUNTING_MIN && census.up == 0 && !census.is_served;
        let next = match self.state {
            _ if is_all_down => State::AllDown,
            State::Open => State::Open,
            _ if self.is_back(census) => State::Open,
            // A decision leaves fewer to count, all of them down: a small pool believes its probes.
            State::AllDown if census.of < COUNTING_MIN => State::Open,
            State::Returning(_) if census.up == 0 => State::Open,
            State::AllDown if is_held => State::AllDown,
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

    /// Whether the PoPs that are up suffice.
    fn is_back(&self, census: Census) -> bool {
        let share = u64::from(self.rule.share_percent);
        census.is_served || share >= 100 || u64::from(census.up) * 100 > u64::from(census.of) * share
    }

    /// The longest time, in milliseconds.
    pub(crate) fn at_most_ms(&self) -> u64 {
        self.probe_ms.min(u64::from(self.rule.hold_ms))
    }

    /// Whether all were down at the last judgement.
    pub(crate) fn is_all_down(&self) -> bool {
        self.state == State::AllDown
    }

    /// Since when PoPs return, in milliseconds on the caller's clock.
    pub(crate) fn returns_since_ms(&self) -> Option<i64> {
        match self.state {
            State::Returning(since_ms) => Some(since_ms),
            State::Open | State::AllDown => None,
        }
    }

    /// When it ends by its time.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        let end =
            |since_ms: i64| since_ms.saturating_add(i64::try_from(self.at_most_ms()).unwrap_or(i64::MAX));
        self.returns_since_ms().map(|since_ms| Moment(u64::try_from(end(since_ms)).unwrap_or(0)))
    }

    /// Goes on from the state of another (a reload).
    pub(crate) fn follow(&mut self, before: &WayBack) {
        self.state = before.state;
    }

    /// Goes on returning (a restart).
    pub(crate) fn resume(&mut self, since_ms: i64) {
        self.state = State::Returning(since_ms);
    }
}

#[cfg(test)]
mod tests;
