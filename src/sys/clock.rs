//! Clocks: the only place that reads the time of day, and the time since the start.
//!
//! All other code takes the time from here, or as an argument.

use crate::sys::hooks;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since 1970-01-01 UTC; zero if the clock is set before 1970.
pub(crate) fn since_epoch() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    hooks::shift(since)
}

/// Seconds since 1970.
pub(crate) fn epoch_secs() -> u64 {
    since_epoch().as_secs()
}

/// Milliseconds since the first call, by the monotonic clock.
pub(crate) fn uptime_ms() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_millis() as u64
}

/// Seconds since 1970 modulo 2^32, as in DNS cookies (RFC 9018 section 4.3).
pub fn cookie_secs() -> u32 {
    epoch_secs() as u32
}

/// Time in the time zone of this process, such as `2026-03-01 23:00:00 CET`; `None` if the system
/// has no time zone, or it is UTC.
#[cfg(unix)]
pub(crate) fn local(epoch_secs: u64) -> Option<String> {
    let moment = libc::time_t::try_from(epoch_secs).ok()?;
    // SAFETY: every bit pattern is a valid `tm`; its pointer is null, and never read before the
    // call.
    let mut broken: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both point at locals that live through the call, which writes one and keeps neither.
    if unsafe { libc::localtime_r(&raw const moment, &raw mut broken) }.is_null() {
        return None;
    }
    if broken.tm_gmtoff == 0 {
        return None;
    }
    let zone = match broken.tm_zone.is_null() {
        true => String::new(),
        // SAFETY: the C library points it at a name that it keeps, terminated by a zero.
        false => unsafe { std::ffi::CStr::from_ptr(broken.tm_zone) }.to_string_lossy().into_owned(),
    };
    let text = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02} {zone}",
        broken.tm_year + 1900,
        broken.tm_mon + 1,
        broken.tm_mday,
        broken.tm_hour,
        broken.tm_min,
        broken.tm_sec
    );
    Some(text.trim_end().to_owned())
}

/// Always `None` on this system.
#[cfg(not(unix))]
pub(crate) fn local(_epoch_secs: u64) -> Option<String> {
    None
}
