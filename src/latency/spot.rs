//! A place of a network or a PoP.

use crate::geo::distance::Point;
use crate::geo::place::{Coordinates, Country};

/// A place on the map, of a network or a PoP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    /// Country.
    pub(crate) country: Option<Country>,
    /// Coordinates.
    pub(crate) point: Point,
}

impl Spot {
    /// A place at coordinates.
    pub(crate) fn new(country: Option<Country>, at: Coordinates) -> Spot {
        Spot { country, point: Point::of(at) }
    }
}
