//! Estimates of the RTT between a place and every PoP.
//!
//! With f the model of distance, m the RTT measured at a network, and the residual r = m - f:
//!
//! 1. `offset` is the median residual of all samples (the last mile, which pings between data
//!    centres lack), and `by_pop` the median of what it leaves at one PoP. Both are drawn towards
//!    zero while few networks are measured.
//! 2. Measured networks of one country and quarter degree are one neighbour. At another place, the
//!    16 nearest neighbours that know a PoP correct its base b = f + offset + by_pop:
//!    K = b + sum w (m - b') / (sum w + 0.25), with w = e^(-D/L), four times as much in the same
//!    country. L is the distance of the fourth of them, 50 to 1,500 km: where measurements are
//!    dense they are local, where they are few they reach far.
//! 3. A network with n samples of its own to a PoP has (n m + K) / (n + 1). PoPs that it did not
//!    measure take half of the median that its own samples leave, and 5 ms more if it measured
//!    three PoPs or more.
//! 4. A network without samples leaves its nearest PoP only for a gain of 10 ms where no neighbour
//!    stands near, and for less the more neighbours do: 10 * 0.25 / (sum w + 0.25).
//!
//! docs/adr/0018-latency-estimates.md has the figures, and what was rejected.

use super::model::{km_between, rtt_of_km};
use crate::geo::distance::{Point, square_of_chord};
use crate::geo::place::{Coordinates, Country};
use crate::geo::rtts::RttSource;
use std::collections::BTreeMap;

/// Residuals of one neighbour at one PoP.
#[derive(Clone, Debug)]
struct Residuals {
    pop: u16,
    /// In ms, ascending; one for each place of the databases with samples.
    values: Vec<f64>,
    /// Networks (/24 or /48) with samples.
    networks: u32,
}

/// Share of its weight that the model keeps beside neighbours.
const MODEL_WEIGHT: f64 = 0.25;
/// Weight of a neighbour in the same country over one abroad: routes follow borders.
const SAME_COUNTRY: f64 = 4.0;
/// Neighbours that correct one estimate.
const NEIGHBOURS: usize = 16;
/// The neighbour whose distance sets the reach of all.
const REACH_NEIGHBOUR: usize = 4;
/// Least and greatest reach of a neighbour, in km.
const REACH_KM: (f64, f64) = (50.0, 1500.0);
/// Neighbours looked at around a place; beyond them a PoP is estimated from the model.
const LOOKED_AT: usize = 128;
/// Networks at which the offset of all samples is believed by half.
const OFFSET_HALF: f64 = 5.0;
/// Networks at which the offset of one PoP is believed by half.
const POP_OFFSET_HALF: f64 = 15.0;
/// Gain in ms for which a network leaves its nearest PoP where nothing near was measured.
const LEAVE_NEAREST_MS: f64 = 10.0;
/// Handicap in ms of a PoP that a network did not measure among three that it did.
const UNMEASURED_MS: f64 = 5.0;
/// Edge of a neighbour's square, in ten-thousandths of a degree.
const SQUARE_E4: i32 = 2500;

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

    fn square(&self) -> (Option<Country>, i32, i32) {
        let at = self.point.coordinates();
        (self.country, at.lat_e4.div_euclid(SQUARE_E4), at.lon_e4.div_euclid(SQUARE_E4))
    }
}

/// Samples of one network to one PoP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OwnRtt {
    /// Index of the PoP.
    pub(crate) pop: u16,
    /// RTT in ms that stands for the samples.
    pub(crate) rtt_ms: f64,
    /// Number of samples.
    pub(crate) samples: u32,
    /// Networks of at most /24 or /48 that sampled.
    pub(crate) networks: u32,
}

/// A network with samples.
#[derive(Clone, Debug)]
pub(crate) struct MeasuredNetwork {
    /// Its place.
    pub(crate) spot: Spot,
    /// Its samples, at most one entry for each PoP.
    pub(crate) own: Vec<OwnRtt>,
}

/// Estimated RTT to one PoP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// Index of the PoP.
    pub(crate) pop: u16,
    /// RTT in ms.
    pub(crate) rtt_ms: f64,
    /// Its evidence.
    pub(crate) source: RttSource,
    /// Own samples, or networks that corrected the estimate.
    pub(crate) samples: u32,
}

/// Measured networks of one country and square.
#[derive(Clone, Debug)]
struct Neighbour {
    spot: Spot,
    on_sphere: [f32; 3],
    /// Ascending by PoP.
    residuals: Vec<Residuals>,
}

/// Model of RTTs everywhere, learnt from measurements.
#[derive(Clone, Debug)]
pub(crate) struct Estimator {
    pops: Vec<Spot>,
    /// Offset of all samples plus that of each PoP, in ms.
    offsets: Vec<f64>,
    neighbours: Vec<Neighbour>,
    /// Networks that a neighbour must have sampled from to be heard: with three, the median is that
    /// of honest networks even if one lies.
    networks_min: u32,
}

impl Estimator {
    /// Learns from measured networks. The order of `measured` does not matter. Neighbours with
    /// fewer than `networks_min` networks correct nothing.
    pub(crate) fn learn(pops: &[Spot], measured: &[MeasuredNetwork], networks_min: u32) -> Estimator {
        let offsets = offsets(pops, measured);
        let mut squares: BTreeMap<_, Vec<&MeasuredNetwork>> = BTreeMap::new();
        for network in measured.iter().filter(|network| !network.own.is_empty()) {
            squares.entry(network.spot.square()).or_default().push(network);
        }
        let base = |spot: &Spot, pop: u16| base_ms(pops, &offsets, spot, pop);
        let neighbours = squares.into_values().map(|networks| Neighbour::of(&networks, base)).collect();
        Estimator { pops: pops.to_vec(), offsets, neighbours, networks_min }
    }

    /// Estimates for a place, fastest first, one for each PoP. `own` are samples of the network
    /// that lies there; [`Estimator::learn`] has seen them.
    pub(crate) fn estimates(&self, spot: &Spot, own: &[OwnRtt]) -> Vec<Estimate> {
        let near = self.nearest(spot);
        let kriged: Vec<Kriged> = (0..self.pops.len() as u16)
            .map(|pop| self.corrected(spot, pop, &near, own.iter().find(|own| own.pop == pop)))
            .collect();
        let mut estimates = match own.is_empty() {
            true => self.without_samples(spot, &kriged),
            false => with_samples(&kriged, own),
        };
        estimates.sort_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms).then(a.pop.cmp(&b.pop)));
        estimates
    }

    /// The nearest neighbours of a place, ascending by distance in km.
    fn nearest(&self, spot: &Spot) -> Vec<(f64, usize)> {
        let here = spot.point.on_sphere();
        let mut by_chord: Vec<(f32, usize)> = (self.neighbours.iter().enumerate())
            .map(|(index, neighbour)| (square_of_chord(here, neighbour.on_sphere), index))
            .collect();
        let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if by_chord.len() > LOOKED_AT {
            by_chord.select_nth_unstable_by(LOOKED_AT, order);
            by_chord.truncate(LOOKED_AT);
        }
        let mut near: Vec<(f64, usize)> = (by_chord.into_iter())
            .map(|(_, index)| (km_between(&spot.point, &self.neighbours[index].spot.point), index))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near
    }

    /// K of the module head for one PoP, without the samples of the network itself.
    fn corrected(&self, spot: &Spot, pop: u16, near: &[(f64, usize)], own: Option<&OwnRtt>) -> Kriged {
        let base = base_ms(&self.pops, &self.offsets, spot, pop);
        let mut found: [(f64, f64, bool); NEIGHBOURS] = [(0.0, 0.0, false); NEIGHBOURS];
        let mut count = 0;
        for &(km, index) in near {
            let neighbour = &self.neighbours[index];
            let Some(residuals) = neighbour.residuals(pop) else { continue };
            // A network does not confirm itself.
            let own = own.filter(|_| neighbour.spot.square() == spot.square());
            if residuals.networks - own.map_or(0, |own| own.networks) < self.networks_min {
                continue;
            }
            let residual = residuals.median_without(own.map(|own| own.rtt_ms - base));
            let is_same = spot.country.is_some() && neighbour.spot.country == spot.country;
            found[count] = (km, residual, is_same);
            count += 1;
            if count == NEIGHBOURS {
                break;
            }
        }
        let found = &found[..count];
        let Some(last) = found.last() else { return Kriged { rtt_ms: base, weight: 0.0, count: 0 } };
        let reach = found.get(REACH_NEIGHBOUR - 1).unwrap_or(last).0.clamp(REACH_KM.0, REACH_KM.1);
        let (mut sum, mut weight) = (0.0, 0.0);
        for &(km, residual, is_same) in found {
            let own_weight = libm::exp(-km / reach) * if is_same { SAME_COUNTRY } else { 1.0 };
            sum += own_weight * residual;
            weight += own_weight;
        }
        Kriged { rtt_ms: base + sum / (weight + MODEL_WEIGHT), weight, count: count as u32 }
    }

    /// Step 4 of the module head.
    fn without_samples(&self, spot: &Spot, kriged: &[Kriged]) -> Vec<Estimate> {
        let km = |pop: usize| km_between(&spot.point, &self.pops[pop].point);
        let nearest = (0..kriged.len()).min_by(|&a, &b| km(a).total_cmp(&km(b)));
        let mut estimates: Vec<Estimate> = kriged.iter().zip(0..).map(|(k, pop)| k.estimate(pop)).collect();
        let best = (0..kriged.len()).min_by(|&a, &b| kriged[a].rtt_ms.total_cmp(&kriged[b].rtt_ms));
        if let (Some(nearest), Some(best)) = (nearest, best) {
            let known = kriged[nearest].weight.min(kriged[best].weight);
            let gain = kriged[nearest].rtt_ms - kriged[best].rtt_ms;
            if gain < LEAVE_NEAREST_MS * MODEL_WEIGHT / (known + MODEL_WEIGHT) {
                let floor = estimates[nearest].rtt_ms;
                for (_, estimate) in estimates.iter_mut().enumerate().filter(|(pop, _)| *pop != nearest) {
                    estimate.rtt_ms = estimate.rtt_ms.max(floor + 1.0);
                }
            }
        }
        estimates
    }
}

/// An estimate from the model and neighbours.
struct Kriged {
    rtt_ms: f64,
    /// Weight of the neighbours.
    weight: f64,
    count: u32,
}

impl Kriged {
    fn estimate(&self, pop: u16) -> Estimate {
        let source = if self.count == 0 { RttSource::Distance } else { RttSource::Neighbours };
        Estimate { pop, rtt_ms: self.rtt_ms.max(0.0), source, samples: self.count }
    }
}

impl Neighbour {
    /// The neighbour that networks of one square make, at the place of the first in order.
    fn of(networks: &[&MeasuredNetwork], base: impl Fn(&Spot, u16) -> f64) -> Neighbour {
        let mut by_pop: BTreeMap<u16, (Vec<f64>, u32)> = BTreeMap::new();
        for network in networks {
            for own in &network.own {
                let (values, count) = by_pop.entry(own.pop).or_default();
                values.push(own.rtt_ms - base(&network.spot, own.pop));
                *count += own.networks;
            }
        }
        let residuals = (by_pop.into_iter())
            .map(|(pop, (mut values, networks))| {
                values.sort_by(f64::total_cmp);
                Residuals { pop, values, networks }
            })
            .collect();
        let place = |network: &&&MeasuredNetwork| {
            let at = network.spot.point.coordinates();
            (at.lat_e4, at.lon_e4)
        };
        let first = networks.iter().min_by_key(place).expect("a square has a network");
        Neighbour { spot: first.spot, on_sphere: first.spot.point.on_sphere(), residuals }
    }

    fn residuals(&self, pop: u16) -> Option<&Residuals> {
        self.residuals.binary_search_by_key(&pop, |entry| entry.pop).ok().map(|at| &self.residuals[at])
    }
}

impl Residuals {
    /// The median, one value that equals `own` left out.
    fn median_without(&self, own: Option<f64>) -> f64 {
        let left_out = own.map(|own| self.values.partition_point(|value| *value < own));
        let count = self.values.len() - usize::from(left_out.is_some());
        let value = |at: usize| self.values[at + usize::from(left_out.is_some_and(|out| at >= out))];
        match count {
            0 => 0.0,
            odd if odd % 2 == 1 => value(odd / 2),
            even => (value(even / 2 - 1) + value(even / 2)) / 2.0,
        }
    }
}

/// Step 3 of the module head.
fn with_samples(kriged: &[Kriged], own: &[OwnRtt]) -> Vec<Estimate> {
    let left: Vec<f64> = own.iter().map(|own| own.rtt_ms - kriged[usize::from(own.pop)].rtt_ms).collect();
    let others = median(left) / 2.0 + if own.len() >= 3 { UNMEASURED_MS } else { 0.0 };
    let of_pop = |(k, pop): (&Kriged, u16)| match own.iter().find(|own| own.pop == pop) {
        Some(own) => {
            let samples = f64::from(own.samples);
            let rtt_ms = (samples * own.rtt_ms + k.rtt_ms) / (samples + 1.0);
            Estimate { pop, rtt_ms, source: RttSource::Measured, samples: own.samples }
        }
        None => {
            let estimate = k.estimate(pop);
            Estimate { rtt_ms: (estimate.rtt_ms + others).max(0.0), ..estimate }
        }
    };
    kriged.iter().zip(0..).map(of_pop).collect()
}

/// Step 1 of the module head: for each PoP the sum of both offsets, in ms.
fn offsets(pops: &[Spot], measured: &[MeasuredNetwork]) -> Vec<f64> {
    let mut by_pop: Vec<Vec<f64>> = vec![Vec::new(); pops.len()];
    for network in measured {
        for own in &network.own {
            let pop = usize::from(own.pop);
            let km = km_between(&network.spot.point, &pops[pop].point);
            by_pop[pop].push(own.rtt_ms - rtt_of_km(km));
        }
    }
    let networks = measured.iter().filter(|network| !network.own.is_empty()).count() as f64;
    let of_all = median(by_pop.concat()) * networks / (networks + OFFSET_HALF);
    (by_pop.into_iter())
        .map(|residuals| {
            let count = residuals.len() as f64;
            let of_pop = median(residuals.into_iter().map(|residual| residual - of_all).collect());
            of_all + of_pop * count / (count + POP_OFFSET_HALF)
        })
        .collect()
}

/// b of the module head.
fn base_ms(pops: &[Spot], offsets: &[f64], spot: &Spot, pop: u16) -> f64 {
    let pop = usize::from(pop);
    rtt_of_km(km_between(&spot.point, &pops[pop].point)) + offsets[pop]
}

/// The median, of an even number the mean of the middle two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// The value that stands for the samples of a network: the 25th percentile of three or more, else
/// the least. Slow samples tell of queues and radio, not of the path.
pub(crate) fn representative_ms(samples: &mut [f64]) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    match samples.len() {
        0 => None,
        1 | 2 => Some(samples[0]),
        count => {
            let at = 0.25 * (count - 1) as f64;
            let (low, share) = (at as usize, at.fract());
            Some(samples[low] + (samples[low + 1] - samples[low]) * share)
        }
    }
}

#[cfg(test)]
mod tests;
