//! Health: what probes say of targets, and what follows for addresses, PoPs and TTLs.
//!
//! ```text
//!              poll_due                     handle_result
//!  [`monitor`] ────────▶ probe/ (sockets) ─────────────▶ [`monitor`] ──▶ [`health_state`] of slots
//!      ▲ probed addresses: [`targets`], made of [`spec`]s                      │
//!      └── canaries freeze it; the panic guard holds a policy                  ▼
//!                                                                    status of the next snapshot
//! ```
//!
//! Everything here is a pure machine on a given clock: `handle_*` takes what happened, `poll_*`
//! gives what is to be done. Nothing here sleeps, draws or asks the time.

pub mod canary;
pub mod event;
pub mod guard;
pub mod health_state;
pub mod load;
pub mod monitor;
pub mod probe_result;
pub mod ramp;
pub mod report;
pub mod saved;
pub mod schedule;
pub mod slot;
pub mod spec;
pub mod targets;
pub mod verdict;

/// A point in time, in milliseconds on a clock that never goes back. Its zero is the caller's
/// choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// This much later.
    #[must_use]
    pub fn after_ms(self, ms: u64) -> Moment {
        Moment(self.0.saturating_add(ms))
    }

    /// The moment with a sign, for what may lie before the clock's zero (a restart).
    pub fn clock_ms(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Milliseconds since [`Moment::clock_ms`] of an earlier moment; 0 if it is not earlier.
    pub fn since_clock_ms(self, earlier_ms: i64) -> u64 {
        u64::try_from(self.clock_ms().saturating_sub(earlier_ms)).unwrap_or(0)
    }

    /// Milliseconds since an earlier moment; 0 if it is not earlier.
    pub fn since_ms(self, earlier: Moment) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests;
