//! Estimates of the RTT between a place and every PoP.
//!
//! With f the model of distance, m the RTT measured at a network, and the residual r = m - f:
//!
//! 1. `offset` is the median residual of all samples (the last mile, which pings between data
//!    centres lack), and `by_pop` the median of what it leaves at one PoP. Both are drawn towards
//!    zero while few networks are measured, and are zero below `networks_min` of them.
//! 2. Measured networks of one country and quarter degree are one neighbour, if at least
//!    `networks_min` of them measured a PoP. At another place, the 16 nearest neighbours that know
//!    a PoP correct its base b = f + offset + by_pop:
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

mod neighbours;
mod offsets;

use super::measured::{Measured, OwnRtt, Vote};
use super::model::{km_between, rtt_of_km, tie_limit_ms};
use crate::geo::rtts::RttSource;
use neighbours::Neighbours;
use offsets::{median, offsets};

pub(crate) use super::spot::Spot;
pub(crate) use neighbours::{Square, square_of};

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
/// Gain in ms for which a network leaves its nearest PoP where nothing near was measured.
const LEAVE_NEAREST_MS: f64 = 10.0;
/// Milliseconds by which rounding to whole ms can move two estimates towards each other, and a tie.
const ROUNDING_MS: f64 = 2.0;
/// Handicap in ms of a PoP that a network did not measure among three that it did.
const UNMEASURED_MS: f64 = 5.0;

/// Estimated RTT to one PoP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// Index of the PoP.
    pub(crate) pop: u16,
    /// RTT in ms.
    pub(crate) rtt_ms: f64,
    /// Its evidence: neighbours only if they weigh as much as the model or more.
    pub(crate) source: RttSource,
    /// Own samples, or neighbours that corrected the estimate; 0 for the distance alone.
    pub(crate) samples: u32,
}

/// Model of RTTs everywhere, learnt from measurements.
#[derive(Clone, Debug)]
pub(crate) struct Estimator {
    pops: Vec<Spot>,
    /// Offset of all samples plus that of each PoP, in ms.
    offsets: Vec<f64>,
    neighbours: Neighbours,
    /// Networks from which an offset or a neighbour is heard: with three, the median is that of
    /// honest networks even if one lies.
    networks_min: u32,
}

impl Estimator {
    /// Learns from measured units. Their order does not matter.
    pub(crate) fn learn(pops: &[Spot], measured: &Measured, networks_min: u32) -> Estimator {
        let offsets = offsets(pops, measured, networks_min);
        let neighbours = Neighbours::new(measured, networks_min, |spot, pop| {
            let pop = usize::from(pop);
            rtt_of_km(km_between(&spot.point, &pops[pop].point)) + offsets[pop]
        });
        Estimator { pops: pops.to_vec(), offsets, neighbours, networks_min }
    }

    /// The estimates around a place, without the samples of the unit that lies there.
    pub(crate) fn around(&self, spot: &Spot) -> Around<'_> {
        let mut near: Vec<Near> = (self.neighbours.nearest(spot, LOOKED_AT))
            .map(|number| {
                let neighbour = self.neighbours.get(number);
                let is_same = spot.country.is_some() && neighbour.spot.country == spot.country;
                Near { km: km_between(&spot.point, &neighbour.spot.point), number, is_same }
            })
            .collect();
        near.sort_unstable_by(|a, b| a.km.total_cmp(&b.km).then(a.number.cmp(&b.number)));
        let mut found = vec![Found::default(); self.pops.len()];
        for (at, near) in near.iter().enumerate() {
            for (number, entry) in self.neighbours.entries(near.number) {
                found[usize::from(entry.pop)].push(at as u8, number);
            }
        }
        let km: Vec<f64> = self.pops.iter().map(|pop| km_between(&spot.point, &pop.point)).collect();
        let mut around = Around {
            square: square_of(spot),
            nearest: (0..km.len()).min_by(|&a, &b| km[a].total_cmp(&km[b])),
            km_by_pop: Vec::new(),
            bases: km.iter().zip(&self.offsets).map(|(km, offset)| rtt_of_km(*km) + offset).collect(),
            estimator: self,
            weights: Weights { km: near.iter().map(|near| near.km).collect(), rows: Vec::new() },
            near,
            found,
            kriged: Vec::new(),
        };
        around.kriged = (0..km.len()).map(|pop| around.corrected(pop, &[])).collect();
        around.km_by_pop = km;
        around
    }
}

/// A neighbour near a place.
struct Near {
    km: f64,
    number: u32,
    /// True in the country of the place.
    is_same: bool,
}

/// The nearest neighbours that know one PoP: their place in the list of those near, and the number
/// of their residuals. One more than counts, because the unit's own square may not count.
#[derive(Clone, Default)]
struct Found {
    count: u8,
    list: [(u8, u32); NEIGHBOURS + 1],
}

impl Found {
    fn push(&mut self, at: u8, number: u32) {
        if let Some(free) = self.list.get_mut(usize::from(self.count)) {
            *free = (at, number);
            self.count += 1;
        }
    }
}

/// Weights of those near by reach. Most PoPs have one of a few reaches.
struct Weights {
    km: Vec<f64>,
    /// Reach in km, and e^(-km/reach) as far as it was asked for.
    rows: Vec<(f64, Vec<Option<f64>>)>,
}

impl Weights {
    fn row(&mut self, reach: f64) -> usize {
        self.rows.iter().position(|row| row.0 == reach).unwrap_or_else(|| {
            self.rows.push((reach, vec![None; self.km.len()]));
            self.rows.len() - 1
        })
    }

    fn get(&mut self, row: usize, near: usize) -> f64 {
        let (reach, weights) = &mut self.rows[row];
        *weights[near].get_or_insert_with(|| libm::exp(-self.km[near] / *reach))
    }
}

/// Estimates of neighbours and the model for a place, without samples of units there.
pub(crate) struct Around<'e> {
    estimator: &'e Estimator,
    square: Square,
    /// The nearest PoP.
    nearest: Option<usize>,
    km_by_pop: Vec<f64>,
    /// b of the module head, by PoP.
    bases: Vec<f64>,
    /// Ascending by distance.
    near: Vec<Near>,
    /// By PoP.
    found: Vec<Found>,
    weights: Weights,
    kriged: Vec<Kriged>,
}

impl Around<'_> {
    /// Index of the nearest PoP.
    pub(crate) fn nearest(&self) -> Option<u16> {
        self.nearest.map(|pop| pop as u16)
    }

    /// Distance to a PoP in km.
    pub(crate) fn km_to(&self, pop: u16) -> f64 {
        self.km_by_pop[usize::from(pop)]
    }

    /// Estimates for a unit at the place, by PoP. `own` are the RTTs of the unit and `votes` those
    /// of its networks, both ascending by PoP; [`Estimator::learn`] has seen them.
    pub(crate) fn estimates(&mut self, own: &[OwnRtt], votes: &[Vote]) -> Vec<Estimate> {
        if own.is_empty() {
            return self.without_samples();
        }
        let corrected = self.corrected_own(own, votes);
        self.with_samples(own, &corrected)
    }

    /// RTTs in ms that a unit would have at the PoPs of `own` without its samples.
    pub(crate) fn without_own(&mut self, own: &[OwnRtt], votes: &[Vote]) -> Vec<f64> {
        self.corrected_own(own, votes).iter().map(|k| k.rtt_ms.max(0.0)).collect()
    }

    /// K for each PoP of `own`: a network does not confirm itself.
    fn corrected_own(&mut self, own: &[OwnRtt], votes: &[Vote]) -> Vec<Kriged> {
        let mut residuals = Vec::new();
        (own.iter())
            .map(|own| {
                let pop = usize::from(own.pop);
                let of_pop = votes.iter().filter(|vote| vote.pop == own.pop);
                residuals.clear();
                residuals.extend(of_pop.map(|vote| vote.rtt_ms - self.bases[pop]));
                self.corrected(pop, &residuals)
            })
            .collect()
    }

    /// K of the module head for one PoP, without residuals of the unit itself, ascending.
    fn corrected(&mut self, pop: usize, own: &[f64]) -> Kriged {
        let neighbours = &self.estimator.neighbours;
        let mut heard: [(u8, f64); NEIGHBOURS] = [(0, 0.0); NEIGHBOURS];
        let mut count = 0;
        let found = &self.found[pop];
        for &(at, number) in &found.list[..usize::from(found.count)] {
            let entry = neighbours.entry(number);
            let is_own =
                !own.is_empty() && neighbours.get(self.near[usize::from(at)].number).square == self.square;
            let residual = match is_own {
                true if entry.networks() < self.estimator.networks_min + own.len() as u32 => continue,
                true => neighbours.median_without(entry, own),
                false => entry.median,
            };
            heard[count] = (at, residual);
            count += 1;
            if count == NEIGHBOURS {
                break;
            }
        }
        let (base, heard) = (self.bases[pop], &heard[..count]);
        let Some(last) = heard.last() else { return Kriged { rtt_ms: base, weight: 0.0, count: 0 } };
        let reach = self.near[usize::from(heard.get(REACH_NEIGHBOUR - 1).unwrap_or(last).0)].km;
        let row = self.weights.row(reach.clamp(REACH_KM.0, REACH_KM.1));
        let (mut sum, mut weight) = (0.0, 0.0);
        for &(at, residual) in heard {
            let at = usize::from(at);
            let of_one = self.weights.get(row, at) * if self.near[at].is_same { SAME_COUNTRY } else { 1.0 };
            sum += of_one * residual;
            weight += of_one;
        }
        Kriged { rtt_ms: base + sum / (weight + MODEL_WEIGHT), weight, count: count as u32 }
    }

    /// Step 4 of the module head.
    fn without_samples(&self) -> Vec<Estimate> {
        let kriged = &self.kriged;
        let mut estimates: Vec<Estimate> = kriged.iter().zip(0..).map(|(k, pop)| k.estimate(pop)).collect();
        let best = (0..kriged.len()).min_by(|&a, &b| kriged[a].rtt_ms.total_cmp(&kriged[b].rtt_ms));
        if let (Some(nearest), Some(best)) = (self.nearest, best) {
            let known = kriged[nearest].weight.min(kriged[best].weight);
            let gain = kriged[nearest].rtt_ms - kriged[best].rtt_ms;
            if gain < LEAVE_NEAREST_MS * MODEL_WEIGHT / (known + MODEL_WEIGHT) {
                let behind = tie_limit_ms(estimates[nearest].rtt_ms) + ROUNDING_MS;
                for (_, estimate) in estimates.iter_mut().enumerate().filter(|(pop, _)| *pop != nearest) {
                    estimate.rtt_ms = estimate.rtt_ms.max(behind);
                }
            }
        }
        estimates
    }

    /// Step 3 of the module head. `corrected` is K for each PoP of `own`.
    fn with_samples(&self, own: &[OwnRtt], corrected: &[Kriged]) -> Vec<Estimate> {
        let mut left: Vec<f64> = own.iter().zip(corrected).map(|(own, k)| own.rtt_ms - k.rtt_ms).collect();
        left.sort_unstable_by(f64::total_cmp);
        let others = median(&left) / 2.0 + if own.len() >= 3 { UNMEASURED_MS } else { 0.0 };
        let other = |(k, pop): (&Kriged, u16)| {
            let estimate = k.estimate(pop);
            Estimate { rtt_ms: (estimate.rtt_ms + others).max(0.0), ..estimate }
        };
        let mut estimates: Vec<Estimate> = self.kriged.iter().zip(0..).map(other).collect();
        for (own, k) in own.iter().zip(corrected) {
            let samples = f64::from(own.samples);
            let rtt_ms = (samples * own.rtt_ms + k.rtt_ms) / (samples + 1.0);
            estimates[usize::from(own.pop)] =
                Estimate { pop: own.pop, rtt_ms, source: RttSource::Measured, samples: own.samples };
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
        let (source, samples) = match self.weight >= MODEL_WEIGHT {
            true => (RttSource::Neighbours, self.count),
            false => (RttSource::Distance, 0),
        };
        Estimate { pop, rtt_ms: self.rtt_ms.max(0.0), source, samples }
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
