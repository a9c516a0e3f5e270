//! The clock of the lanes: what the core is told of the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 modulo 2^32, as DNS cookies have them (RFC 9018 section 4.3). A clock before
/// 1970 is at 0.
pub fn epoch_secs() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32)
}
