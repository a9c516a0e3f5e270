//! Health: results of probes, and the state of addresses, PoPs and TTLs that follows.
//!
//! ```text
//!              poll_due                     handle_result
//!  [`monitor`] ────────▶ probe/ (sockets) ─────────────▶ [`monitor`] ──▶ [`health_state`] of slots
//!      ▲ probed addresses: [`targets`], made of [`spec`]s                      │
//!      └── canaries freeze it; the panic guard holds a policy                  ▼
//!                                                                    status of the next snapshot
//! ```
//!
//! Everything here is a pure state machine on a given clock: `handle_*` takes input, `poll_*` gives
//! output. Nothing here sleeps, draws random numbers or reads a clock.

/// Declares the index of a list as a type of its own, so that the index of one list is never taken
/// for the index of another. It is as wide as its number.
macro_rules! list_index {
    ($(#[$doc:meta])* $vis:vis $id:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        $vis struct $id(pub $number);

        impl $id {
            /// Id of the element at a place of the list.
            $vis const fn at(index: usize) -> $id {
                $id(index as $number)
            }

            /// Place of its element in the list.
            #[inline(always)]
            $vis const fn index(self) -> usize {
                self.0 as usize
            }

            /// Ids of the list's elements, in order; the list gives the end.
            $vis fn in_order() -> impl Iterator<Item = $id> + Clone {
                (0..).map($id)
            }
        }
    };
}

pub(crate) mod canary;
pub(crate) mod certificate;
pub(crate) mod event;
pub(crate) mod flap;
pub(crate) mod guard;
pub(crate) mod health_state;
mod identity;
pub(crate) mod load;
pub(crate) mod monitor;
pub(crate) mod pem;
pub(crate) mod probe_result;
pub(crate) mod ramp;
pub(crate) mod report;
pub(crate) mod saved;
pub(crate) mod schedule;
pub(crate) mod slot;
pub(crate) mod spec;
pub(crate) mod targets;
pub(crate) mod verdict;
pub(crate) mod way_back;

/// Point in time, in milliseconds on a monotonic clock. The caller chooses its zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// Moment that is `ms` milliseconds later.
    #[must_use]
    pub(crate) fn after_ms(self, ms: u64) -> Moment {
        Moment(self.0.saturating_add(ms))
    }

    /// Signed moment, for times that may lie before the clock's zero (a restart).
    pub(crate) fn clock_ms(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Milliseconds since [`Moment::clock_ms`] of an earlier moment; 0 if it is not earlier.
    pub(crate) fn since_clock_ms(self, earlier_ms: i64) -> u64 {
        u64::try_from(self.clock_ms().saturating_sub(earlier_ms)).unwrap_or(0)
    }

    /// Milliseconds since an earlier moment; 0 if it is not earlier.
    pub(crate) fn since_ms(self, earlier: Moment) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests;
