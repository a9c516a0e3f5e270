//! Natural Earth projection: coordinates to the frame of the outlines.
//!
//! Polynomials of latitude and longitude (Savric, Jenny, Patterson, Petrovic, Hurni 2011, "A
//! polynomial equation for the Natural Earth projection"). The head of `outlines.txt` has the same
//! formula in JavaScript.

use crate::geo::place::Coordinates;
use std::f64::consts::PI;

/// Width of the frame. The meridians of 180 degrees touch its sides at the equator.
pub(crate) const WIDTH: f64 = 2000.0;
/// Height of the frame, from 84 degrees north to 58 degrees south.
pub(crate) const HEIGHT: f64 = 872.0;
/// Distance of the equator from the upper edge.
const EQUATOR: f64 = 510.0;

/// Point of the frame: x to the east and y to the south, from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Distance from the left edge.
    pub(crate) x: f64,
    /// Distance from the upper edge.
    pub(crate) y: f64,
}

/// Point of coordinates. Antarctica is below the frame.
pub(crate) fn project(at: Coordinates) -> Point {
    let (lat, lon) = (at.lat() * PI / 180.0, at.lon() * PI / 180.0);
    let scale = WIDTH / 2.0 / (0.8707 * PI);
    let square = lat * lat;
    let fourth = square * square;
    let sixth = fourth * square;
    let x = lon
        * (0.8707 - 0.131979 * square - 0.013791 * fourth + fourth * sixth * (0.003971 - 0.001529 * square));
    let y =
        lat * (1.007226 + 0.015085 * square + sixth * (-0.044475 + 0.028874 * square - 0.005916 * fourth));
    Point { x: WIDTH / 2.0 + scale * x, y: EQUATOR - scale * y }
}

#[cfg(test)]
mod tests;
