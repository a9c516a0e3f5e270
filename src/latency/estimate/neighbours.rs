//! Neighbours: measured networks of one country and square of a quarter degree, and the search for
//! the nearest of them.

use super::Spot;
use super::offsets::median;
use crate::geo::distance::square_of_chord;
use crate::geo::place::Country;
use crate::latency::measured::Measured;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;

/// Edge of a neighbour's square, in ten-thousandths of a degree.
const SQUARE_E4: i32 = 2500;

/// Country, and place of a square.
pub(crate) type Square = (Option<Country>, i32, i32);

/// The square of a place.
pub(crate) fn square_of(spot: &Spot) -> Square {
    let at = spot.point.coordinates();
    (spot.country, at.lat_e4.div_euclid(SQUARE_E4), at.lon_e4.div_euclid(SQUARE_E4))
}

/// Residuals of the networks of one square at one PoP.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Index of the PoP.
    pub(super) pop: u16,
    /// Median of the residuals, in ms.
    pub(super) median: f64,
    /// Their place in [`Neighbours::values`].
    values: Range<u32>,
}

impl Entry {
    /// Number of networks.
    pub(super) fn networks(&self) -> u32 {
        self.values.end - self.values.start
    }
}

/// A square with enough networks.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    /// Place of its first unit, by coordinates.
    pub(super) spot: Spot,
    /// Its square.
    pub(super) square: Square,
    on_sphere: [f32; 3],
    entries: Range<u32>,
}

/// All neighbours.
#[derive(Clone, Debug, Default)]
pub(super) struct Neighbours {
    list: Vec<Neighbour>,
    entries: Vec<Entry>,
    /// Residuals in ms, one for each network; ascending within an entry.
    values: Vec<f64>,
    /// Numbers of the neighbours as a k-d tree: the middle of a range is its root, and divides the
    /// rest by the axis of its depth.
    tree: Vec<u32>,
}

impl Neighbours {
    /// The neighbours that measured units make. `base` gives the RTT that a residual is beyond. A
    /// square does not count at a PoP that fewer than `networks_min` of its networks measured.
    pub(super) fn new(
        measured: &Measured,
        networks_min: u32,
        base: impl Fn(&Spot, u16) -> f64,
    ) -> Neighbours {
        let mut spots: HashMap<Square, Spot> = HashMap::new();
        let mut residuals: Vec<(Square, u16, f64)> = Vec::new();
        let place = |spot: &Spot| (spot.point.coordinates().lat_e4, spot.point.coordinates().lon_e4);
        for (spot, votes) in measured.each().filter(|(_, votes)| !votes.is_empty()) {
            let square = square_of(spot);
            let first = spots.entry(square).or_insert(*spot);
            if place(spot) < place(first) {
                *first = *spot;
            }
            let mut of_pop = None;
            for vote in votes {
                let base = match of_pop {
                    Some((pop, base)) if pop == vote.pop => base,
                    _ => base(spot, vote.pop),
                };
                of_pop = Some((vote.pop, base));
                residuals.push((square, vote.pop, vote.rtt_ms - base));
            }
        }
        residuals.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        let mut neighbours = Neighbours::default();
        for of_square in residuals.chunk_by(|a, b| a.0 == b.0) {
            let begin = neighbours.entries.len() as u32;
            for of_pop in of_square.chunk_by(|a, b| a.1 == b.1) {
                if of_pop.len() as u32 >= networks_min {
                    neighbours.add(of_pop);
                }
            }
            let entries = begin..neighbours.entries.len() as u32;
            if !entries.is_empty() {
                let (square, spot) = (of_square[0].0, spots[&of_square[0].0]);
                neighbours.list.push(Neighbour { spot, square, on_sphere: spot.point.on_sphere(), entries });
            }
        }
        let mut tree: Vec<u32> = (0..neighbours.list.len() as u32).collect();
        neighbours.plant(&mut tree, 0);
        neighbours.tree = tree;
        neighbours
    }

    fn add(&mut self, of_pop: &[(Square, u16, f64)]) {
        let begin = self.values.len();
        self.values.extend(of_pop.iter().map(|residual| residual.2));
        let median = median(&self.values[begin..]);
        let values = begin as u32..self.values.len() as u32;
        self.entries.push(Entry { pop: of_pop[0].1, median, values });
    }

    /// Orders a range of the tree.
    fn plant(&self, range: &mut [u32], axis: usize) {
        if range.len() < 2 {
            return;
        }
        let along = |number: &u32| self.list[*number as usize].on_sphere[axis];
        let middle = range.len() / 2;
        range.select_nth_unstable_by(middle, |a, b| along(a).total_cmp(&along(b)).then(a.cmp(b)));
        let (low, high) = range.split_at_mut(middle);
        self.plant(low, (axis + 1) % 3);
        self.plant(&mut high[1..], (axis + 1) % 3);
    }

    /// Number of neighbours.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// A neighbour by its number.
    pub(super) fn get(&self, number: u32) -> &Neighbour {
        &self.list[number as usize]
    }

    /// Residuals of a neighbour by PoP, with their numbers.
    pub(super) fn entries(&self, number: u32) -> impl Iterator<Item = (u32, &Entry)> {
        let range = self.get(number).entries.clone();
        range.clone().zip(&self.entries[range.start as usize..range.end as usize])
    }

    /// Residuals by their number.
    pub(super) fn entry(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
    }

    /// The median of an entry without values that are in it, `own`, both ascending.
    pub(super) fn median_without(&self, entry: &Entry, own: &[f64]) -> f64 {
        let values = &self.values[entry.values.start as usize..entry.values.end as usize];
        let count = values.len() - own.len();
        // The value of a rank among those left is the least with more than so many left up to it.
        let value = |rank: usize| {
            let (mut low, mut high) = (0, values.len() - 1);
            while low < high {
                let middle = (low + high) / 2;
                let up_to = |list: &[f64]| list.partition_point(|value| *value <= values[middle]);
                match up_to(values) - up_to(own) > rank {
                    true => high = middle,
                    false => low = middle + 1,
                }
            }
            values[low]
        };
        match count {
            0 => 0.0,
            odd if odd % 2 == 1 => value(odd / 2),
            even => (value(even / 2 - 1) + value(even / 2)) / 2.0,
        }
    }

    /// The nearest neighbours of a place, at most `count`, in no order.
    pub(super) fn nearest(&self, spot: &Spot, count: usize) -> impl Iterator<Item = u32> {
        let mut nearest = Nearest { heap: BinaryHeap::with_capacity(count + 1), count };
        self.search(&self.tree, 0, spot.point.on_sphere(), &mut nearest);
        nearest.heap.into_iter().map(|far| far.1)
    }

    fn search(&self, range: &[u32], axis: usize, here: [f32; 3], nearest: &mut Nearest) {
        let middle = range.len() / 2;
        let Some(&number) = range.get(middle) else { return };
        let there = self.list[number as usize].on_sphere;
        nearest.offer(Far(square_of_chord(here, there), number));
        let across = here[axis] - there[axis];
        let (low, high) = (&range[..middle], &range[middle + 1..]);
        let (own, other) = if across < 0.0 { (low, high) } else { (high, low) };
        self.search(own, (axis + 1) % 3, here, nearest);
        // A square of the difference along one axis is never above that of the chord.
        if nearest.may_take(across * across) {
            self.search(other, (axis + 1) % 3, here, nearest);
        }
    }
}

/// Square of the chord to a neighbour, and its number, which decides ties.
#[derive(PartialEq)]
struct Far(f32, u32);

impl Eq for Far {}

impl Ord for Far {
    fn cmp(&self, other: &Far) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Far {
    fn partial_cmp(&self, other: &Far) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The nearest neighbours so far, the farthest on top.
struct Nearest {
    heap: BinaryHeap<Far>,
    count: usize,
}

impl Nearest {
    fn offer(&mut self, far: Far) {
        if self.heap.len() < self.count {
            self.heap.push(far);
        } else if let Some(mut top) = self.heap.peek_mut()
            && far < *top
        {
            *top = far;
        }
    }

    fn may_take(&self, square: f32) -> bool {
        self.heap.len() < self.count || self.heap.peek().is_some_and(|top| square <= top.0)
    }
}
