//! The clocks: the one place where the time of day is read, and the time since the start.
//!
//! All other code takes the date from here, or as an argument.

use crate::sys::hooks;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since 1970-01-01 UTC. A clock before 1970 is at zero.
pub(crate) fn since_epoch() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    hooks::shift(since)
}

/// Seconds since 1970.
pub(crate) fn epoch_secs() -> u64 {
    since_epoch().as_secs()
}

/// Milliseconds since this was first asked, by the clock that never goes back.
pub(crate) fn uptime_ms() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_millis() as u64
}

/// Seconds since 1970 modulo 2^32, as DNS cookies have them (RFC 9018 section 4.3).
pub fn cookie_secs() -> u32 {
    epoch_secs() as u32
}
