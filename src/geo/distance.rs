//! Great-circle distance in whole metres.
//!
//! Distances rank PoPs, so every build on every machine must compute the same values: functions
//! come from `libm` (never from the platform), angles are integers, and the result is rounded to
//! metres before any comparison.

use super::place::Coordinates;

/// Mean radius of the earth in metres (IUGG mean radius R1). Ranking does not depend on it.
pub(crate) const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Ten-thousandths of a degree in a right angle.
const RIGHT_ANGLE_E4: i32 = 900_000;
/// Ten-thousandths of a degree in a full turn.
const FULL_TURN_E4: i32 = 3_600_000;

/// Great-circle distance between two points on a sphere, in whole metres, by the haversine formula.
///
/// Symmetric to the last bit. A pole is one point whatever its longitude, and both longitudes of
/// the date line are equal: integers decide both cases before any rounding.
pub fn great_circle_m(a: Coordinates, b: Coordinates) -> u32 {
    Point::of(a).metres_to(&Point::of(b))
}

/// A point with precomputed values for distances.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    at: Coordinates,
    cos_lat: f64,
}

impl Point {
    /// The point at coordinates.
    pub(crate) fn of(at: Coordinates) -> Point {
        Point { at, cos_lat: cos_lat(at) }
    }

    /// Its coordinates.
    pub(crate) fn coordinates(&self) -> Coordinates {
        self.at
    }

    /// [`great_circle_m`] to another point.
    pub(crate) fn metres_to(&self, other: &Point) -> u32 {
        let (a, b) = (self.at, other.at);
        let around = (b.lon_e4 - a.lon_e4).rem_euclid(FULL_TURN_E4);
        let sin_half_lon = libm::sin(radians(around.min(FULL_TURN_E4 - around)) / 2.0);
        let sin_half_lat = libm::sin(radians((b.lat_e4 - a.lat_e4).abs()) / 2.0);
        let h = sin_half_lat * sin_half_lat + self.cos_lat * other.cos_lat * (sin_half_lon * sin_half_lon);
        libm::round(2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt(h.min(1.0)))) as u32
    }

    /// Position on a sphere of radius 1, for [`square_of_chord`].
    pub(crate) fn on_sphere(&self) -> [f32; 3] {
        let lon = radians(self.at.lon_e4);
        [self.cos_lat * libm::cos(lon), self.cos_lat * libm::sin(lon), libm::sin(radians(self.at.lat_e4))]
            .map(|along| along as f32)
    }
}

/// Square of the straight line between two points on a sphere of radius 1: 0 to 4, apart from
/// rounding. Much cheaper than [`great_circle_m`], and in the same order up to [`SLACK`].
#[inline(always)]
pub(crate) fn square_of_chord(a: [f32; 3], b: [f32; 3]) -> f32 {
    let [x, y, z] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    x * x + y * y + z * z
}

/// Most by which one chord can be longer than another although its great-circle distance in whole
/// metres is not: 4e-6 of the radius, about 25 m. Rounding to metres accounts for 1 m, two
/// haversines near the antipode for 0.3 m each, and coordinates of 24 bits for 10 m in all; the
/// rest is margin.
const SLACK: f32 = 4e-6;

/// Square of the longest chord that may be no longer, in whole metres along the great circle, than
/// a chord with the square `square`.
pub(crate) fn reach_of_square(square: f32) -> f32 {
    square + 2.0 * SLACK * libm::sqrtf(square) + SLACK * SLACK
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
