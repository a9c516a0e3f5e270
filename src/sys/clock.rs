//! The wall clock: the one place where the time of day is read.
//!
//! All other code takes the date from here, or as an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since 1970-01-01 UTC. A clock before 1970 is at zero.
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Seconds since 1970.
pub(crate) fn epoch_secs() -> u64 {
    since_epoch().as_secs()
}

/// Seconds since 1970 modulo 2^32, as DNS cookies have them (RFC 9018 section 4.3).
pub fn cookie_secs() -> u32 {
    epoch_secs() as u32
}
