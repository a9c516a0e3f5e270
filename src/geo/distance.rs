//! Great-circle distance in whole metres.
//!
//! Distances rank PoPs, so every build on every machine must compute the same ones: the functions
//! come from `libm` (never from the platform), angles enter as integers, and the result is rounded
//! to a metre before anybody compares it.

use super::place::Coordinates;

/// Mean radius of the earth in metres (IUGG mean radius R1). Ranking does not depend on it.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Ten-thousandths of a degree in a right angle.
const RIGHT_ANGLE_E4: i32 = 900_000;
/// Ten-thousandths of a degree in a full turn.
const FULL_TURN_E4: i32 = 3_600_000;

/// Great-circle distance between two points on a sphere, in whole metres, by the haversine formula.
///
/// Symmetric to the last bit. A pole is one point whatever its longitude, and the two longitudes of
/// the date line are one: both are settled in integers, before any rounding.
pub fn great_circle_m(a: Coordinates, b: Coordinates) -> u32 {
    let around = (b.lon_e4 - a.lon_e4).rem_euclid(FULL_TURN_E4);
    let sin_half_lon = libm::sin(radians(around.min(FULL_TURN_E4 - around)) / 2.0);
    let sin_half_lat = libm::sin(radians((b.lat_e4 - a.lat_e4).abs()) / 2.0);
    let h = sin_half_lat * sin_half_lat + cos_lat(a) * cos_lat(b) * (sin_half_lon * sin_half_lon);
    libm::round(2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt(h.min(1.0)))) as u32
}

/// Cosine of the latitude, exactly zero at a pole.
fn cos_lat(at: Coordinates) -> f64 {
    if at.lat_e4.abs() >= RIGHT_ANGLE_E4 { 0.0 } else { libm::cos(radians(at.lat_e4)) }
}

fn radians(e4: i32) -> f64 {
    f64::from(e4) / 1e4 * (core::f64::consts::PI / 180.0)
}

#[cfg(test)]
mod tests;
