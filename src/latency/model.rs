//! The RTT that a distance suggests, and the RTT that no distance allows.

use crate::geo::distance::Point;
use crate::limits::LATENCY_RTT_MAX_MILLIS;

/// Milliseconds per kilometre of great circle, both ways, that light in fibre takes at least:
/// 2 km at 204,000 km/s, the speed in glass of refractive index 1.468.
const FIBRE_MS_PER_KM: f64 = 0.0098;

/// The RTT in ms that a great-circle distance in km suggests, fitted on pings between 230 cities:
/// a short path pays for detours (18 ms more by 3,000 km), a long one for its length.
pub(crate) fn rtt_of_km(km: f64) -> f64 {
    1.5 + 18.0 * (1.0 - libm::exp(-km / 900.0)) + 0.017 * km
}

/// Difference within which estimates are equal: this many ms, or this share of the lower.
const TIE: (f64, f64) = (2.0, 0.05);

/// The highest RTT in ms that is equal to an estimate of a lower RTT (ms).
pub(crate) fn tie_limit_ms(rtt_ms: f64) -> f64 {
    rtt_ms + TIE.0.max(rtt_ms * TIE.1)
}

/// Kilometres of great circle between two points.
pub(crate) fn km_between(a: &Point, b: &Point) -> f64 {
    f64::from(a.metres_to(b)) / 1000.0
}

/// True if a sample (ms) over a distance (km) may be real: no faster than light in fibre, and no
/// slower than [`LATENCY_RTT_MAX_MILLIS`].
pub(crate) fn is_possible(rtt_ms: f64, km: f64) -> bool {
    rtt_ms >= km * FIBRE_MS_PER_KM && rtt_ms <= f64::from(LATENCY_RTT_MAX_MILLIS)
}
