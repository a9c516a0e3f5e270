//! Places of labels: no label overlaps another one or a mark, and none leaves its frame.
//!
//! Labels are placed one after the other, so the caller's order is their priority. A label that
//! fits nowhere is dropped.

use super::projection::Point;

/// Rectangle of a label or mark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    /// Left edge.
    pub(crate) x: f64,
    /// Upper edge.
    pub(crate) y: f64,
    /// Width.
    pub(crate) width: f64,
    /// Height.
    pub(crate) height: f64,
}

impl Area {
    /// Area around a point.
    pub(crate) fn around(at: Point, width: f64, height: f64) -> Area {
        Area { x: at.x - width / 2.0, y: at.y - height / 2.0, width, height }
    }

    /// True if both have a part in common.
    pub(crate) fn overlaps(&self, other: &Area) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// True if the other area is inside.
    pub(crate) fn holds(&self, other: &Area) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.x + other.width <= self.x + self.width
            && other.y + other.height <= self.y + self.height
    }
}

/// Distances of a label from its point. From the second on, a line joins them.
pub(crate) const DISTANCES: [f64; 5] = [8.0, 16.0, 28.0, 42.0, 58.0];

/// Directions of a label from its point: right, left, above, below, then the corners.
const DIRECTIONS: [(f64, f64); 8] =
    [(1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (0.7, -0.7), (0.7, 0.7), (-0.7, -0.7), (-0.7, 0.7)];

/// Free room of a frame.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    frame: Area,
    taken: Vec<Area>,
}

impl Room {
    /// Frame with marks that no label may cover.
    pub(crate) fn new(frame: Area, marks: Vec<Area>) -> Room {
        Room { frame, taken: marks }
    }

    /// Takes the nearest free place beside a point, with its distance as an index of
    /// [`DISTANCES`].
    pub(crate) fn beside(&mut self, at: Point, width: f64, height: f64) -> Option<(Area, usize)> {
        let places = (0..DISTANCES.len()).flat_map(|near| DIRECTIONS.map(|way| (near, way)));
        for (near, (east, south)) in places {
            let away = DISTANCES[near];
            let middle = Point {
                x: at.x + east * away + sign(east) * width / 2.0,
                y: at.y + south * away + sign(south) * height / 2.0,
            };
            let area = Area::around(middle, width, height);
            if self.take(area) {
                return Some((area, near));
            }
        }
        None
    }

    /// Takes an area if it is free.
    pub(crate) fn take(&mut self, area: Area) -> bool {
        let is_free = self.frame.holds(&area) && !self.taken.iter().any(|other| other.overlaps(&area));
        if is_free {
            self.taken.push(area);
        }
        is_free
    }
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

#[cfg(test)]
mod tests;
